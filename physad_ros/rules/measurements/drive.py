"""A driven rotor: its turning rate from how the picture turns about the hub, its shaking from how the hub moves."""

from __future__ import annotations

from collections.abc import Mapping
from math import degrees
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Floats
from physad_ros.core.words import number
from physad_ros.rules.measurement import Measurement, Quantity, measurements
from physad_ros.rules.sight import grey

ANGLES, RADII = 360, 40  # of the unrolled picture
TURN_MAX = 40  # degrees a frame; blades repeat every 60 to 120
SPIN_UP_S = 0.5  # after which what moves has shown where the hub is
MOVES = 12.0  # grey levels by which a pixel varies where blades pass
LEAST_PIXELS = 200  # that a rotor covers
WHITEN = 0.6  # towards phase correlation, which sharpens the peak: what stands still pulls a broad one towards zero
BLADES_PASS_S = 0.18  # over which the hub's place is evened out
HUB_MM = 9.0  # half the side of the patch that is tracked; the hub looks the same whichever way it is turned
REACH_PX = 12  # how far the hub is looked for


@measurements.register("drive")
class Drive(Measurement):
    """Turning rate [rad/s], positive in the direction that is commanded, and the hub's displacement [mm] across and along the vertical."""

    guide: ClassVar[str] = "turning_rate"
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "turning_rate": Quantity("rad/s", 0.35, {
            "mean": "the rotor turned at {value} on average",
            "least": "the rotor turned at {value} at its slowest",
            "most": "the rotor turned at {value} at its fastest",
            "swing": "the turning rate swung by {value}",
        }, signed=True),
        "shake_sideways": Quantity("mm", 0.12, {"swing": "the hub shook sideways by {value}"}),
        "shake_upwards": Quantity("mm", 0.12, {"swing": "the hub shook up and down by {value}"}),
    }

    def __init__(self, category: Category, size: tuple[int, int], fps: float):
        super().__init__(category, size, fps)
        recipe = category.recipe.parameters
        forwards = self.sight.clockwise(recipe["axis"]) == (recipe["velocity_rad_s"] > 0)
        self._sign = 1.0 if forwards else -1.0  # of the unrolled picture's angle, which grows clockwise
        if (step := degrees(abs(recipe["velocity_rad_s"])) / fps) > TURN_MAX:
            raise BadData(f"{number(fps)} frames a second are too few: the rotor turns {step:.0f} degrees from one to the next, "
                          f"and only up to {TURN_MAX} can be told")
        self._spin_up = round(SPIN_UP_S * fps)
        self._blades_pass = round(BLADES_PASS_S * fps) | 1  # odd: as many before as after
        self._waiting: list[NDArray[np.uint8]] = []  # until the hub is known
        self._hub: tuple[float, float] | None = None
        self._radius_px = 0.0
        self._patch: NDArray[np.uint8] | None = None
        self._still: NDArray[np.float32] | None = None  # what does not turn, unrolled
        self._before: NDArray[np.complex64] | None = None
        self._late: list[NDArray[np.uint8]] = []  # until it is known where the hub was, blades evened out
        self._rates: list[float] = []
        self._shakes: list[tuple[float, float]] = []

    def push(self, frame: NDArray[np.uint8]) -> None:
        picture = grey(frame)
        if self._hub is not None:
            self._measure(picture)
            return
        self._waiting.append(picture)
        if len(self._waiting) == self._spin_up:
            self._find_hub()
            self._find_what_rests()
            for earlier in self._waiting:
                self._measure(earlier)
            self._waiting = []

    def courses(self) -> dict[str, Floats]:
        shakes = np.array(self._shakes, dtype=float).reshape(-1, 2).T
        known = (np.array(self._rates), *(self._without_blades(s) for s in shakes))
        frames = len(self._shakes) + len(self._waiting)
        return {name: np.append(course, np.full(frames - len(course), np.nan)) for name, course in zip(self.quantities, known)}

    def _find_hub(self) -> None:
        """Blades that pass make pixels vary in a disc about the hub."""
        stack = np.stack(self._waiting[:: max(1, self._spin_up // 15)]).astype(np.float32)
        varies = stack.std(axis=0) > MOVES
        if varies.sum() < LEAST_PIXELS:  # nothing turns: look where the most is to be seen
            varies = self._waiting[0] > self._waiting[0].mean() + 10
        if varies.sum() < LEAST_PIXELS:
            raise BadData("no rotor can be seen: nothing in the picture moves or is brighter than the rest")
        moments = cv2.moments(varies.astype(np.uint8), binaryImage=True)
        u, v = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
        rows, columns = np.nonzero(varies)
        self._radius_px = float(np.percentile(np.hypot(columns - u, rows - v), 97))
        self._hub = (u, v)
        half = max(6, round(HUB_MM * self.sight.pixels_per_mm()))
        top, left = round(v) - half, round(u) - half
        self._patch = self._waiting[0][max(top, 0) : top + 2 * half + 1, max(left, 0) : left + 2 * half + 1].copy()
        self._corner = (max(left, 0), max(top, 0))

    def _find_what_rests(self) -> None:
        """Seen from the hub: a stand that shakes with it rests as well."""
        shakes = np.array([self._displacement(picture) for picture in self._waiting]).T
        hubs = np.stack([self._without_blades(s) for s in shakes], axis=1)
        seen = [self._unroll(p, self._about(at)) for p, at in zip(self._waiting[::2], hubs[::2])]
        self._still = np.mean(seen, axis=0)

    def _about(self, displaced_mm: Floats) -> tuple[float, float]:
        """The hub in the picture [px] when it is displaced so."""
        assert self._hub is not None
        x, y = self.sight.pixels_per_mm() * displaced_mm
        return self._hub[0] + float(x), self._hub[1] + float(y)

    def _unroll(self, picture: NDArray[np.uint8], hub: tuple[float, float]) -> NDArray[np.float32]:
        """(ANGLES, RADII): rows are angles about the hub."""
        whole = cv2.warpPolar(picture, (RADII, ANGLES), hub, self._radius_px, cv2.WARP_POLAR_LINEAR | cv2.INTER_LINEAR)
        return np.asarray(whole[:, RADII // 4 :], np.float32)

    def _measure(self, picture: NDArray[np.uint8]) -> None:
        """Where the hub is now; and the rate of some frames ago, about where the hub was then: what shakes with the rotor rests otherwise."""
        assert self._hub is not None
        self._shakes.append(self._displacement(picture))
        self._late.append(picture)
        if len(self._late) <= self._blades_pass // 2:
            return
        hub = self._about(np.mean(self._shakes[-self._blades_pass :], axis=0))
        self._rates.append(self._turned(self._late.pop(0), hub) * self.fps)

    def _turned(self, picture: NDArray[np.uint8], hub: tuple[float, float]) -> float:
        """Radians since the frame before, in the commanded direction: where the circular correlation of the two unrolled pictures is greatest."""
        assert self._still is not None
        unrolled = self._unroll(picture, hub) - self._still
        spectrum = np.fft.rfft(unrolled - unrolled.mean(axis=0), axis=0).astype(np.complex64)
        before, self._before = self._before, spectrum
        if before is None:
            return 0.0
        cross = (spectrum * before.conj()).sum(axis=1)
        correlation = np.fft.irfft(cross / (np.abs(cross) ** WHITEN + 1e-6), ANGLES)
        near = np.concatenate([correlation[-TURN_MAX:], correlation[: TURN_MAX + 1]])
        at = int(np.argmax(near))
        return float(self._sign * (at + _apex(near, at) - TURN_MAX) * 2 * np.pi / ANGLES)

    def _displacement(self, picture: NDArray[np.uint8]) -> tuple[float, float]:
        """Of the hub from where it was at rest [mm], right and down."""
        assert self._patch is not None
        left, top = self._corner
        height, width = self._patch.shape
        y0, x0 = max(top - REACH_PX, 0), max(left - REACH_PX, 0)
        window = picture[y0 : top + height + REACH_PX, x0 : left + width + REACH_PX]
        match = cv2.matchTemplate(window, self._patch, cv2.TM_CCOEFF_NORMED)
        row, column = np.unravel_index(int(np.argmax(match)), match.shape)
        x = column + _apex(match[row], int(column)) + x0 - left
        y = row + _apex(match[:, column], int(row)) + y0 - top
        scale = self.sight.pixels_per_mm()
        return float(x / scale), float(y / scale)

    def _without_blades(self, course: Floats) -> Floats:
        """A shaking mount moves once a turn; blades that pass before or behind the hub come several times a turn and are evened out."""
        window = self._blades_pass
        if len(course) < window:
            return course
        return np.pad(np.convolve(course, np.ones(window) / window, "valid"), window // 2, "edge")


def _apex(values: NDArray[Any], at: int) -> float:
    """Where, between -0.5 and 0.5 from ``at``, a parabola through three neighbours has its top."""
    if not 0 < at < len(values) - 1:
        return 0.0
    low, middle, high = (float(v) for v in values[at - 1 : at + 2])
    curve = low - 2 * middle + high
    return 0.0 if curve >= 0 else float(np.clip((low - high) / (2 * curve), -0.5, 0.5))
