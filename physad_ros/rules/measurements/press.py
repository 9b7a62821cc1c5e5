"""A pressed object: how much its silhouette changes under the fingers, and how much of that remains when they have let go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats
from physad_ros.rules.measurement import Line, Measurement, Quantity, measurements
from physad_ros.rules.outline import Masks, contours
from physad_ros.rules.sight import colourless, foreground

HEIGHT = 180  # at which silhouettes are compared
SEEN = 0.08  # change of the outline below which nothing can be said of what remains of it
HIGHER = 0.06  # of the picture's height
UPPER = 0.35  # of the picture's height from which the fingers hang in
MOST_PARTS = 4  # of an outline to be drawn
GROWN = 5  # pixels by which the fingers are grown: their edges blend with the object's


@measurements.register("press")
class Press(Measurement):
    """Change of the silhouette as a share of its area, its remainder as a share of the greatest change, the fingers' depth."""

    guide: ClassVar[str] = "depth"
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "opening": Quantity("", 0.06, {
            "mean": "the object's outline changed by {value} of its area on average",
            "most": "the object's outline changed by up to {value} of its area",
        }),
        "remainder": Quantity("", 0.08, {"end": "{value} of the greatest change of outline remained in the end"}),
        "depth": Quantity("mm", 0.8, {"most": "the fingers were down by up to {value}"}, signed=True),
    }

    def __init__(self, category: Category, size: tuple[int, int], fps: float):
        super().__init__(category, size, fps)
        self._factor = HEIGHT / size[1]
        self._reference: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None
        self._things, self._hidden = Masks(), Masks()
        self._tips: list[float] = []
        self._rows: list[tuple[float, float, float]] = []
        self._tip_before = -1.0
        self._peak = 0.0

    def push(self, frame: NDArray[np.uint8]) -> None:
        small = np.asarray(cv2.resize(frame, None, fx=self._factor, fy=self._factor, interpolation=cv2.INTER_AREA), np.uint8)
        fingers, tip = _fingers(small)
        thing = foreground(small) & ~fingers
        if self._reference is None or tip < self._tip_before - HIGHER * HEIGHT:
            # footage may begin with the fingers down: untouched is the object while the fingers are highest
            self._reference, self._tip_before, self._peak = (thing, fingers), tip, 0.0
            self._rows = [(np.nan,) * 3] * len(self._rows)
        untouched, covered = self._reference
        hidden = fingers | covered
        changed = float(((thing ^ untouched) & ~hidden).sum()) / max(float((untouched & ~hidden).sum()), 1.0)
        self._peak = max(self._peak, changed)
        self._things.append(thing)
        self._hidden.append(hidden)
        self._tips.append(tip)
        depth = (tip - self._tip_before) / self._factor / self.sight.pixels_per_mm()
        self._rows.append((changed, changed / self._peak if self._peak > SEEN else np.nan, depth))

    def courses(self) -> dict[str, Floats]:
        return dict(zip(self.quantities, np.array(self._rows, dtype=float).reshape(-1, 3).T))

    def lines(self, quantity: str, at: int, normal: tuple[float, float]) -> list[Line]:
        assert self._reference is not None  # for there is a frame
        if quantity == "depth":
            return self._depth_lines(at, normal)
        untouched, hidden = self._reference[0], self._hidden[at]
        lines = [Line(points / self._factor, closed=True) for points in _parts(self._things[at] & ~hidden)]
        if normal[0] <= 0 <= normal[1]:  # as it was: where it would be again
            lines += [Line(points / self._factor, closed=True, normal=True) for points in _parts(untouched & ~hidden)]
        return lines

    def _depth_lines(self, at: int, normal: tuple[float, float]) -> list[Line]:
        """The lowest row of the fingers, and between which rows it would be."""
        width = self.sight.size[0]
        columns = np.flatnonzero((self._hidden[at] & ~self._things[at])[max(round(self._tips[at]) - 2 * GROWN, 0) :].any(axis=0)) / self._factor
        left, right = (columns[0] - 0.03 * width, columns[-1] + 0.03 * width) if len(columns) else (0.0, float(width))
        row = self._tips[at] / self._factor
        seen = Line(np.array([[left, row], [right, row]]))
        low, high = (self._tip_before / self._factor + mm * self.sight.pixels_per_mm() for mm in normal)
        if not np.isfinite([low, high]).all():
            return [seen]
        return [seen, Line(np.array([[left, low], [right, low], [right, high], [left, high]]), closed=True, normal=True)]


def _parts(thing: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Outlines of the object's largest parts; what comes in from above is the hand."""
    return [points for points in contours(thing) if points[:, 1].min() > GROWN][:MOST_PARTS]


def _fingers(frame: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], float]:
    """Pixels of the largest thing without colour in the upper part, grown a little, and the lowest row it reaches."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(colourless(frame).astype(np.uint8))
    from_above = [i for i in range(1, count) if stats[i, cv2.CC_STAT_TOP] < UPPER * frame.shape[0]]
    if not from_above:
        return np.zeros(frame.shape[:2], bool), 0.0
    largest = max(from_above, key=lambda i: stats[i, cv2.CC_STAT_AREA])
    tip = float(stats[largest, cv2.CC_STAT_TOP] + stats[largest, cv2.CC_STAT_HEIGHT])
    return cv2.dilate((labels == largest).astype(np.uint8), np.ones((GROWN, GROWN), np.uint8)) > 0, tip
