"""The outline of a thing that is held from above, against what it was when the clip began."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import DARK
from physad_ros.rules.sight import Sight, brightest

BELOW_GRIP_MM = 3.0  # rows below this belong to the object alone, not to the fingers
UNDER_MM = 3.0  # how far below the object something must be to have left it
LEAST_PIXELS = 4  # of a column to count as part of the object
EDGE_COLUMNS = 10  # next to an edge, over which its lower end is averaged

Mask = NDArray[np.bool_]


class Outline:
    """Compares each frame's foreground with the first one's, in millimetres at the object's depth."""

    def __init__(self, sight: Sight, grip_m: tuple[float, float, float]):
        self._scale = sight.pixels_per_mm(grip_m)
        self._top = round(sight.pixel(grip_m)[1] + BELOW_GRIP_MM * self._scale)
        self._first: Mask | None = None
        self._light: NDArray[np.uint8] = np.empty((0, 0), np.uint8)  # of the latest frame
        self._bottom = 0
        self._edge = 0.0
        self._end = 0.0

    def see(self, frame: NDArray[np.uint8]) -> Mask:
        """The foreground of a frame (H, W, 3); the first one becomes the reference."""
        self._light = brightest(frame)
        mask = self._light > DARK
        mask[: self._top] = False
        if self._first is None:
            self._first = mask
            rows = np.flatnonzero(mask.sum(axis=1) >= LEAST_PIXELS)
            self._bottom = int(rows[-1]) if len(rows) else mask.shape[0] - 1
            self._around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            self._edge, self._end = self._edge_of(mask), self._end_of(mask)
        return mask

    def edge_mm(self, mask: Mask) -> float:
        """How far the right edge stands from where it stood, to the right; NaN where there is none."""
        return (self._edge_of(mask) - self._edge) / self._scale

    def edge_column(self, mask: Mask) -> float:
        """Column of the right edge."""
        return self._edge_of(mask)

    def lowered_mm(self, mask: Mask) -> float:
        """How far the lower end at the right edge stands below where it stood; negative: above."""
        return (self._end_of(mask) - self._end) / self._scale

    def tilt_deg(self, mask: Mask, near_mm: float, far_mm: float) -> float:
        """Slope of the lower edge between two places that far left of the right edge; positive: sinks to the left."""
        edge = self._edge_of(mask)
        if not np.isfinite(edge) or edge < far_mm * self._scale:
            return float("nan")
        first, last = (round(edge - d * self._scale) for d in (far_mm, near_mm))
        columns, rows = self._lowest(mask, first, last)
        if len(rows) < (last - first) // 2:
            return float("nan")
        edge_rows = rows + self._beyond(first + columns, rows)
        return float(-np.degrees(np.arctan(np.polyfit(columns, edge_rows, 1)[0])))

    def fallen_mm2(self, mask: Mask) -> float:
        """Area of what is to be seen below the object where nothing was."""
        assert self._first is not None
        below = self._bottom + round(UNDER_MM * self._scale)
        return float((mask[below:] & ~self._around[below:]).sum()) / self._scale**2

    def changed(self, mask: Mask) -> float:
        """Share of the object's area by which the outline differs from the first one."""
        assert self._first is not None
        rows = slice(self._top, self._bottom + 1)
        return float((mask[rows] ^ self._first[rows]).sum()) / max(float(self._first[rows].sum()), 1.0)

    def _edge_of(self, mask: Mask) -> float:
        columns = np.flatnonzero(mask[: self._bottom + 1].sum(axis=0) >= LEAST_PIXELS)
        return float(columns[-1]) if len(columns) else float("nan")

    def _end_of(self, mask: Mask) -> float:
        return self._lower_edge(mask, self._edge_of(mask) - EDGE_COLUMNS / 2)

    def _lower_edge(self, mask: Mask, column: float) -> float:
        """Lowest row of the object about a column; NaN where there is none."""
        if not np.isfinite(column) or column < EDGE_COLUMNS / 2:
            return float("nan")
        first = int(column - EDGE_COLUMNS / 2)
        _, rows = self._lowest(mask, first, first + EDGE_COLUMNS)
        return float(np.mean(rows)) if len(rows) else float("nan")

    def _beyond(self, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """By which share of a pixel the edge lies past its last bright one: where the light falls below DARK on the way to the next."""
        last, following = (self._light[np.minimum(rows + d, len(self._light) - 1), columns].astype(float) for d in (0, 1))
        return np.clip((last - DARK) / np.maximum(last - following, 1.0), 0.0, 1.0)

    def _lowest(self, mask: Mask, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Columns from ``first`` to ``last`` in which the object is seen, and its lowest row in each."""
        near = mask[: self._bottom + EDGE_COLUMNS, first:last]
        columns = np.flatnonzero(near.any(axis=0))
        return columns, len(near) - 1 - np.argmax(near[::-1, columns], axis=0)
