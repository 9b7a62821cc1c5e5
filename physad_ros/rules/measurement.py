"""What a measurement is: frames in, the courses of physical quantities out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.registry import Registry
from physad_ros.core.types import Floats
from physad_ros.rules.sight import Sight

Statistic = Literal["mean", "least", "most", "end", "swing"]

#: How a course is summed up on a phase. Extremes are the second of three neighbours, so that one bad frame is no extreme.
STATISTICS: Mapping[Statistic, Callable[[Floats], float]] = {
    "mean": lambda x: float(np.mean(x)),
    "least": lambda x: float(np.min(_middle_of_three(x))),
    "most": lambda x: float(np.max(_middle_of_three(x))),
    "end": lambda x: float(np.median(x[-6:])),
    "swing": lambda x: float(np.percentile(x, 95) - np.percentile(x, 5)),
}


@dataclass(frozen=True)
class Quantity:
    """One quantity: its unit, the least difference that matters, and how a sentence tells of it."""

    unit: str
    floor: float  # half-width below which an interval is not narrowed: what the eye of the camera resolves
    tells: Mapping[Statistic, str]  # statistic to sum up by: "the blades turned at {value} at their slowest"
    signed: bool = False  # whether it can be negative


@dataclass(frozen=True)
class Line:
    """What shows a quantity in a frame: a line along it, or along where normal specimens would have it."""

    points_px: Floats  # (N, 2) column and row
    closed: bool = False
    normal: bool = False


class Measurement(ABC):
    """Measures one clip while it comes in. Named as the interaction whose clips it measures."""

    quantities: ClassVar[Mapping[str, Quantity]]
    #: the quantity that follows what is done to the object, by which phases are found where nobody noted them
    guide: ClassVar[str]

    def __init__(self, category: Category, size: tuple[int, int], fps: float):
        """``size``: width and height of the frames in pixels; ``fps``: how many come a second."""
        self.category = category
        self.fps = fps
        self.sight = Sight.of(category, size)

    @abstractmethod
    def push(self, frame: NDArray[np.uint8]) -> None:
        """Take the next frame (H, W, 3) BGR."""

    @abstractmethod
    def courses(self) -> dict[str, Floats]:
        """Every quantity over the frames so far, (T,) each; NaN where it could not be measured. Must be cheap: asked each frame."""

    @abstractmethod
    def lines(self, quantity: str, at: int, normal: tuple[float, float]) -> list[Line]:
        """Where a quantity is to be seen in frame ``at``, in which it was measured, and where it would be between ``normal``; perhaps nowhere.

        ``normal`` is NaN where nothing is known of it.
        """


def _middle_of_three(x: Floats) -> Floats:
    if len(x) < 3:
        return x
    return np.median(np.stack([x[:-2], x[1:-1], x[2:]]), axis=0)


measurements: Registry[type[Measurement]] = Registry("measurement", "physad_ros.rules.measurements")
