"""A part that is pulled and pushed: how far it follows the hand, whether it keeps its line, and what falls out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats
from physad_ros.rules.measurement import Line, Measurement, Quantity, measurements
from physad_ros.rules.outline import Masks, Outline

NEAR_MM, FAR_MM = 14.0, 42.0  # from the part's end, past the tab that is held: its lower edge
FREE_MM = 60.0  # of travel from which on that edge is free of the rail and its balls


@measurements.register("grab_slide")
class GrabSlide(Measurement):
    """Travel [mm], tilt [deg] while pulled out, how much the part's end sinks [mm], and the area of what lies below the object [mm2]."""

    guide: ClassVar[str] = "travel"
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "travel": Quantity("mm", 2.0, {
            "most": "the part stood up to {value} from its place",
            "mean": "the part stood {value} from its place on average",
            "end": "the part stood {value} from its place in the end",
        }, signed=True),
        "tilt": Quantity("deg", 0.5, {
            "most": "the part's greatest tilt, down to the left, was {value}",
            "least": "the part's least tilt, down to the left, was {value}",
            "mean": "the part's mean tilt, down to the left, was {value}",
        }, signed=True),
        "sunk": Quantity("mm", 0.8, {
            "most": "the part's end was {value} below its line at its lowest",
            "least": "the part's end was {value} below its line at its highest",
        }, signed=True),
        "fallen": Quantity("mm2", 6.0, {"most": "loose parts covered up to {value} below the object"}),
    }

    def __init__(self, category: Category, size: tuple[int, int], fps: float):
        super().__init__(category, size, fps)
        self._outline = Outline(self.sight, category.recipe.parameters["grip_m"])
        self._masks = Masks()
        self._rows: list[tuple[float, float, float, float]] = []

    def push(self, frame: NDArray[np.uint8]) -> None:
        outline = self._outline
        mask = outline.see(frame)
        self._masks.append(mask)
        travel = outline.edge_mm(mask)
        tilt = outline.tilt_deg(mask, NEAR_MM, FAR_MM) if travel > FREE_MM else np.nan
        self._rows.append((travel, tilt, outline.lowered_mm(mask), outline.fallen_mm2(mask)))

    def courses(self) -> dict[str, Floats]:
        return dict(zip(self.quantities, np.array(self._rows, dtype=float).reshape(-1, 4).T))

    def lines(self, quantity: str, at: int, normal: tuple[float, float]) -> list[Line]:
        outline, mask = self._outline, self._masks[at]
        if quantity == "travel":
            return outline.edge_lines(mask, outline.normal_columns(normal))
        if quantity == "tilt":
            return outline.slope_lines(mask, NEAR_MM, FAR_MM, self._rows[at][1], normal)
        return outline.end_lines(mask, normal) if quantity == "sunk" else outline.fallen_lines(mask)
