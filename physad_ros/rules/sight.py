"""From the catalogue's camera to pixels: where a point of the object is seen, and how many pixels a millimetre has there."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin, tan

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.types import DARK, Floats


@dataclass(frozen=True)
class Sight:
    """A pinhole camera that looks at a category's fixture."""

    rotation: Floats  # (3, 3) world to camera: right, down, forward
    centre_m: Floats  # (3,) of the camera in the world
    focal_px: float
    size: tuple[int, int]  # width, height
    fixture_m: Floats  # (3,)
    yaw_rad: float

    @classmethod
    def of(cls, category: Category, size: tuple[int, int]) -> Sight:
        """The category's camera with pictures of this size."""
        camera, fixture = category.camera, category.fixture
        centre = np.array(camera.position_m)
        forward = np.array(camera.target_m) - centre
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        focal = size[1] / 2 / tan(radians(camera.fovy_deg) / 2)
        return cls(rotation, centre, focal, size, np.array(fixture.position_m), fixture.yaw_rad)

    def pixel(self, point_m: tuple[float, float, float]) -> tuple[float, float]:
        """Column and row at which a point of the object's frame is seen."""
        x, y, z = self._seen(point_m)
        return self.size[0] / 2 + self.focal_px * x / z, self.size[1] / 2 + self.focal_px * y / z

    def pixels_per_mm(self, point_m: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> float:
        """Scale at the depth of a point of the object's frame."""
        return float(self.focal_px / self._seen(point_m)[2] * 1e-3)

    def clockwise(self, axis: tuple[float, float, float]) -> bool:
        """Whether what turns about that direction of the object's frame, right-handed, is seen to turn clockwise."""
        return bool((self.rotation @ self._in_world(axis))[2] > 0)

    def _seen(self, point_m: tuple[float, float, float]) -> Floats:
        return self.rotation @ (self._in_world(point_m) + self.fixture_m - self.centre_m)

    def _in_world(self, direction: tuple[float, float, float]) -> Floats:
        x, y, z = direction
        c, s = cos(self.yaw_rad), sin(self.yaw_rad)
        return np.array([c * x - s * y, s * x + c * y, z])


def foreground(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) pixels of which any colour is brighter than the dark surroundings."""
    return np.asarray(brightest(frame) > DARK)


def colourless(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) bright pixels of no hue: the white fingers, where the object is coloured."""
    high = brightest(frame)
    low = cv2.min(cv2.min(frame[..., 0], frame[..., 1]), frame[..., 2])
    return np.asarray((high > 90) & (cv2.subtract(high, low) < 0.33 * high))


def grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) brightness."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


def brightest(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) of each pixel's colours the strongest."""
    return np.asarray(cv2.max(cv2.max(frame[..., 0], frame[..., 1]), frame[..., 2]), np.uint8)
