"""The outline of a thing that is held from above, against what it was when the clip began."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import DARK
from physad_ros.rules.measurement import Line
from physad_ros.rules.sight import Sight, brightest

BELOW_GRIP_MM = 3.0  # rows below this belong to the object alone, not to the fingers
UNDER_MM = 3.0  # how far below the object something must be to have left it
LEAST_PIXELS = 4  # of a column to count as part of the object
EDGE_COLUMNS = 10  # next to an edge, over which its lower end is averaged
BESIDE = 0.04  # of the picture's height by which a drawn line passes what it is drawn at
ROUND = 0.012  # likewise, for what is drawn round a thing
SMOOTH = 2  # points of an outline to either side over which it is evened out
LEAST_SHOWN_PX = 3  # of an area to be drawn

Mask = NDArray[np.bool_]


class Masks:
    """The masks of a clip's frames, an eighth of a byte a pixel."""

    def __init__(self) -> None:
        self._packed: list[NDArray[np.uint8]] = []
        self._shape = (0, 0)

    def append(self, mask: Mask) -> None:
        self._shape = mask.shape[0], mask.shape[1]
        self._packed.append(np.packbits(mask))

    def __getitem__(self, at: int) -> Mask:
        height, width = self._shape
        return np.unpackbits(self._packed[at], count=height * width).reshape(height, width).astype(bool)


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

    # -- where that is to be seen -----------------------------------------------------------------------------------------

    def edge_lines(self, mask: Mask, normal_columns: tuple[float, float]) -> list[Line]:
        """The right edge, and between which columns it would stand."""
        beside = BESIDE * len(mask)
        column = self._edge_of(mask)
        first = max(0, int(column) - EDGE_COLUMNS) if np.isfinite(column) else 0
        rows = np.flatnonzero(mask[: self._bottom + 1, first : first + EDGE_COLUMNS].any(axis=1))
        top, bottom = (rows[0], rows[-1]) if len(rows) else (self._top, self._bottom)
        return [
            *([Line(np.array([[column, top - beside], [column, bottom + beside]]))] if np.isfinite(column) else []),
            *_box(normal_columns, (top - beside, bottom + beside)),
        ]

    def end_lines(self, mask: Mask, normal_mm: tuple[float, float]) -> list[Line]:
        """The lower end at the right edge, and between which rows it would lie."""
        beside = 2 * BESIDE * len(mask)
        column, row = self._edge_of(mask), self._end_of(mask)
        if not np.isfinite(column + row):
            return []
        low, high = (self._end + mm * self._scale for mm in normal_mm)
        return [Line(np.array([[column - beside, row], [column + beside, row]])), *_box((column - beside, column + beside), (low, high))]

    def slope_lines(self, mask: Mask, near_mm: float, far_mm: float, tilt_deg: float, normal_deg: tuple[float, float]) -> list[Line]:
        """The lower edge between two places as it is inclined, and between which slopes about the nearer one it would be."""
        edge = self._edge_of(mask)
        far, near = (edge - d * self._scale for d in (far_mm, near_mm))
        row = self._lower_edge(mask, near)
        if not np.isfinite(row):
            return []
        far -= (near - far) / 2  # a longer line shows more
        rise = [(near - far) * np.tan(np.radians(angle)) for angle in (tilt_deg, *normal_deg)]
        seen = Line(np.array([[near, row], [far, row + rise[0]]]))
        if not np.isfinite(rise).all():
            return [seen]
        return [seen, Line(np.array([[near, row], [far, row + rise[1]], [far, row + rise[2]]]), closed=True, normal=True)]

    def fallen_lines(self, mask: Mask) -> list[Line]:
        """Rings about what is to be seen below the object where nothing was."""
        assert self._first is not None
        below = self._bottom + round(UNDER_MM * self._scale)
        loose = mask & ~self._around
        loose[:below] = False
        reach = 2 * round(ROUND * len(mask)) + 1
        around = cv2.dilate(loose.astype(np.uint8), _disc(reach)) > 0
        return [Line(cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(float), closed=True) for points in contours(around)]

    def changed_lines(self, mask: Mask, normal: tuple[float, float]) -> list[Line]:
        """The outline, and what it was at first where it would be that again."""
        assert self._first is not None
        lines = [Line(points, closed=True) for points in contours(mask)]
        if normal[0] <= 0 <= normal[1]:
            lines += [Line(points, closed=True, normal=True) for points in contours(self._first)]
        return lines

    def normal_columns(self, normal_mm: tuple[float, float]) -> tuple[float, float]:
        """Columns of the right edge where it stands so far from where it stood."""
        low, high = (self._edge + mm * self._scale for mm in normal_mm)
        return low, high

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


def contours(mask: Mask) -> list[NDArray[np.float64]]:
    """The outer outlines (N, 2) of what is no speck, the largest first, with the pixels' corners rounded off."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = sorted((c for c in found if cv2.contourArea(c) >= LEAST_SHOWN_PX), key=cv2.contourArea, reverse=True)
    return [_smooth(c.reshape(-1, 2).astype(float)) for c in large]


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every second point of a closed line, each the mean of its neighbours and itself."""
    return np.asarray(np.mean([np.roll(points, k, axis=0) for k in range(-SMOOTH, SMOOTH + 1)], axis=0)[::2])


def _disc(diameter: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)


def _box(columns: tuple[float, float], rows: tuple[float, float]) -> list[Line]:
    """The rectangle in which normal specimens would be."""
    (left, right), (top, bottom) = columns, rows
    if not np.isfinite([left, right, top, bottom]).all():
        return []
    return [Line(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), closed=True, normal=True)]
