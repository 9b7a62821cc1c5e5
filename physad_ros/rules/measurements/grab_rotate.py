"""A leaf that is turned about an upright axis: through which angle it follows the hand, whether it comes back, and what falls off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats
from physad_ros.rules.measurement import Line, Measurement, Quantity, measurements
from physad_ros.rules.outline import Masks, Outline


@measurements.register("grab_rotate")
class GrabRotate(Measurement):
    """Angle [rad] from how narrow the leaf is seen, how far it sinks [mm], change of outline, area of what lies below [mm2]."""

    guide: ClassVar[str] = "angle"
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "angle": Quantity("rad", 0.08, {
            "most": "the leaf turned by up to {value}",
            "mean": "the leaf stood at {value} on average",
        }),
        "sunk": Quantity("mm", 1.0, {
            "most": "the leaf stood up to {value} lower than at first",
            "end": "the leaf stood {value} lower than at first in the end",
        }, signed=True),
        "changed": Quantity("", 0.03, {"end": "the outline differed from the first by {value} of its area in the end"}),
        "fallen": Quantity("mm2", 6.0, {"most": "loose parts covered up to {value} below the object"}),
    }

    def __init__(self, category: Category, size: tuple[int, int], fps: float):
        super().__init__(category, size, fps)
        recipe = category.recipe.parameters
        x, y, _ = recipe["axis_point_m"]
        self._axis = self.sight.pixel((x, y, recipe["grip_m"][2]))[0]
        self._outline = Outline(self.sight, recipe["grip_m"])
        self._masks = Masks()
        self._widths: list[float] = []
        self._rows: list[tuple[float, float, float]] = []

    def push(self, frame: NDArray[np.uint8]) -> None:
        outline = self._outline
        mask = outline.see(frame)
        self._masks.append(mask)
        self._widths.append(outline.edge_column(mask) - self._axis)
        self._rows.append((outline.lowered_mm(mask), outline.changed(mask), outline.fallen_mm2(mask)))

    def courses(self) -> dict[str, Floats]:
        angle = np.arccos(np.clip(np.array(self._widths) / self._flat, 0.0, 1.0))
        return dict(zip(self.quantities, (angle, *np.array(self._rows, dtype=float).reshape(-1, 3).T)))

    @property
    def _flat(self) -> float:
        """How wide the leaf is seen before it is turned [px]; NaN where none is seen beside its axis."""
        return max((width for width in self._widths[:6] if width > 0), default=float("nan"))

    def lines(self, quantity: str, at: int, normal: tuple[float, float]) -> list[Line]:
        outline, mask = self._outline, self._masks[at]
        if quantity == "angle":
            most, least = (self._axis + self._flat * float(np.cos(max(angle, 0.0))) for angle in normal)
            return outline.edge_lines(mask, (least, most))
        if quantity == "sunk":
            return outline.end_lines(mask, normal)
        return outline.changed_lines(mask, normal) if quantity == "changed" else outline.fallen_lines(mask)
