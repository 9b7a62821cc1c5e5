"""Snippet features without weights: what moves, how much and which way, what edges there are and how bright it is, cell by cell."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.features.base import SNIPPET, Extractor, Pictures, Vectors, extractors

Plane = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class MotionConfig:
    """How finely a snippet is looked at."""

    size: tuple[int, int] = (160, 90)  # pixels, width and height; a multiple of the grid
    grid: tuple[int, int] = (8, 5)  # cells, across and down
    bins: int = 8  # of a histogram of directions
    lags: tuple[int, ...] = (1, 4, 15)  # frames between which brightness is compared
    flow_step: int = 2  # frames from one optical flow to the next; each is between two consecutive frames


@extractors.register("motion")
class Motion(Extractor):
    """Spatio-temporal descriptors on a grid, as in bags of visual words before deep features (Laptev et al., CVPR 2008: HOG and HOF)."""

    name = "motion"
    source = "after Laptev et al., Learning realistic human actions from movies, CVPR 2008 (its histograms of gradients and of flow)"

    def __init__(self, config: MotionConfig | None = None):
        self.config = config or MotionConfig()
        across, down = self.config.grid
        self.height = self.config.size[1]
        self.dim = across * down * (len(self.config.lags) + 2 * self.config.bins + 3)

    def identity(self) -> str:
        return f"{self.name} {self.version} {dataclasses.astuple(self.config)}"

    def picture(self, frame: Pictures) -> Pictures:
        return np.asarray(cv2.resize(frame, self.config.size, interpolation=cv2.INTER_AREA), np.uint8)

    def describe(self, pictures: Pictures) -> Vectors:
        grey = np.stack([cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in pictures])  # (16, h, w)
        bright = grey.astype(np.float32) / 255
        changes = np.stack([np.abs(bright[lag:] - bright[:-lag]).mean(0) for lag in self.config.lags])  # (lags, h, w)
        edges = self._edges(bright.mean(0))  # (bins, h, w)
        flow = self._flow(grey)  # (bins, h, w)
        colour = np.moveaxis(pictures.mean(0, dtype=np.float32) / 255, -1, 0)  # (3, h, w)
        return np.asarray(self._cells(np.concatenate([changes, edges, flow, colour])).ravel(), np.float32)

    def _edges(self, bright: Plane) -> Plane:
        across, down = (np.asarray(cv2.Sobel(bright, cv2.CV_32F, *d, scale=0.25), np.float32) for d in ((1, 0), (0, 1)))
        return directions(across, down, self.config.bins, np.pi)

    def _flow(self, grey: Pictures) -> Plane:
        starts = range(0, SNIPPET - 1, self.config.flow_step)
        total = np.zeros((self.config.bins, *grey.shape[1:]), np.float32)
        for start in starts:
            moved = cv2.calcOpticalFlowFarneback(grey[start], grey[start + 1], None, 0.5, 3, 9, 2, 5, 1.1, 0)  # type: ignore[call-overload]
            total += directions(moved[..., 0], moved[..., 1], self.config.bins, 2 * np.pi)
        return total / len(starts)

    def _cells(self, planes: Plane) -> Plane:
        """Mean of each plane (N, h, w) in each cell: (N, down, across)."""
        (across, down), (width, height) = self.config.grid, self.config.size
        return np.asarray(planes.reshape(len(planes), down, height // down, across, width // across).mean((2, 4)))


def directions(x: Plane, y: Plane, bins: int, period: float) -> Plane:
    """Lengths of vectors (h, w) by direction, (bins, h, w), each shared between the two nearest bins; directions repeat after ``period``."""
    length = np.hypot(x, y)
    at = np.arctan2(y, x) % period / period * bins
    away = np.abs(at - np.arange(bins, dtype=np.float32)[:, None, None])
    return length * np.maximum(1 - np.minimum(away, bins - away), 0)
