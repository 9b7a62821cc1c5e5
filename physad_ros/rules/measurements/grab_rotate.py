"""A leaf that is turned about an upright axis: through which angle it follows the hand, whether it comes back, and what falls off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats
from physad_ros.rules.measurement import Measurement, Quantity, measurements
from physad_ros.rules.outline import Outline


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
            "most": "the leaf stood up to {value} too low",
            "end": "the leaf stood {value} too low in the end",
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
        self._widths: list[float] = []
        self._rows: list[tuple[float, float, float]] = []

    def push(self, frame: NDArray[np.uint8]) -> None:
        outline = self._outline
        mask = outline.see(frame)
        self._widths.append(outline.edge_column(mask) - self._axis)
        self._rows.append((outline.lowered_mm(mask), outline.changed(mask), outline.fallen_mm2(mask)))

    def courses(self) -> dict[str, Floats]:
        widths = np.array(self._widths)
        flat = np.nanmax(widths[:6]) if len(widths) else 1.0
        angle = np.arccos(np.clip(widths / flat, 0.0, 1.0))
        return dict(zip(self.quantities, (angle, *np.array(self._rows, dtype=float).reshape(-1, 3).T)))
