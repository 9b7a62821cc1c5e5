"""What a frame looks like and how it moves, as numbers on a coarse grid of cells. Nothing here was trained, so it needs no weights."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import FPS

Pictures = NDArray[np.uint8]
Cells = NDArray[np.float32]

#: grey levels of change, or of gradient, below which a channel is about linear and above which it is about logarithmic
FLOOR = 1.0


@dataclass(frozen=True)
class Grid:
    """How a frame is cut into cells; frames are resized to rows × columns cells."""

    rows: int = 9
    columns: int = 16
    cell: int = 12  # pixels, width and height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the resized frame, in pixels."""
        return self.columns * self.cell, self.rows * self.cell


@dataclass(frozen=True)
class Descriptor:
    """How a cell is described: its change over several lags and since the clip began, and its gradients.

    The change of brightness against the frame k before, for k from one frame to a quarter of a second, is a structure function: it tells how fast
    things move as a power spectrum would, whatever the phase of what turns or swings. All is compressed as log(1 + x), for motion spans decades.
    """

    grid: Grid = Grid()
    lags: tuple[int, ...] = (1, 2, 4, 8, 16)  # frames

    @property
    def motion(self) -> int:
        """How many channels tell of change; they come first."""
        return len(self.lags) + 1


class Describing:
    """Describes the frames of one clip as they come."""

    def __init__(self, descriptor: Descriptor, fps: float = FPS):
        self._descriptor, self._fps = descriptor, fps
        self._recent: deque[tuple[float, Cells]] = deque(maxlen=max(descriptor.lags) + 1)
        self._first: Cells | None = None
        self._changes = [np.zeros((descriptor.grid.rows, descriptor.grid.columns), np.float32) for _ in descriptor.lags]

    def push(self, frame: Pictures, stamp_s: float) -> Cells:
        """The next frame (H, W, 3) BGR as (rows, columns, channels): change by lag, change since the first frame, gradients."""
        grid = self._descriptor.grid
        grey = _grey(frame, grid)
        self._recent.append((stamp_s, grey))
        self._first = grey if self._first is None else self._first
        for at, lag in enumerate(self._descriptor.lags):
            if (before := self._before(stamp_s - lag / self._fps)) is not None:
                self._changes[at] = _change(grey, before, grid)
        return np.dstack([*self._changes, _change(grey, self._first, grid), *_gradients(grey, grid)])  # (R, C, channels)

    def _before(self, stamp_s: float) -> Cells | None:
        """The frame of that time, or the clip's first where it had not begun; None if it was lost, for another would show another change."""
        tolerance = 0.5 / self._fps
        if stamp_s < self._recent[0][0] - tolerance:
            return self._recent[0][1]
        nearest, grey = min(self._recent, key=lambda seen: abs(seen[0] - stamp_s))
        return grey if abs(nearest - stamp_s) <= tolerance else None


def _change(grey: Cells, before: Cells, grid: Grid) -> Cells:
    return _compressed(_pooled(np.asarray(cv2.absdiff(grey, before)), grid))


def _grey(frame: Pictures, grid: Grid) -> Cells:
    """Brightness (H, W), smoothed against the camera's noise."""
    small = cv2.resize(frame, grid.size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), np.float32)


def _gradients(grey: Cells, grid: Grid) -> list[Cells]:
    """Mean strength of the gradient, and its orientation as cosine and sine of the double angle: light on dark counts as dark on light."""
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    strength = np.sqrt(x * x + y * y) + 1e-6  # cv2.magnitude gives other last bits in other places of the memory
    turned = [strength, (x * x - y * y) / strength, 2 * x * y / strength]
    return [_compressed(_pooled(np.asarray(channel), grid)) for channel in turned]


def _pooled(channel: Cells, grid: Grid) -> Cells:
    """Mean of each cell."""
    return np.asarray(cv2.resize(channel, (grid.columns, grid.rows), interpolation=cv2.INTER_AREA), np.float32)


def _compressed(values: Cells) -> Cells:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values) / FLOOR), np.float32)
