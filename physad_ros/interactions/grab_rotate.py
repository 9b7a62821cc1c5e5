"""Grab and rotate: the fingers take a part, turn it about an axis, and bring it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats, Program
from physad_ros.interactions.arm import Grasp
from physad_ros.interactions.base import Direction, NonZero, Positive, Vector, assemble, direction, interactions, point


@interactions.register("grab_rotate")
@dataclass(frozen=True, kw_only=True)
class GrabRotate(Grasp):
    """Window: rotate, hold, return, rest. The gripper turns with the part."""

    axis_point_m: Vector  # a point of the axis
    axis: Direction  # its direction, of any length
    angle_rad: NonZero  # right-handed about the axis
    rotate_s: Positive = 1.0
    hold_s: Positive = 0.5
    return_s: Positive = 1.0
    rest_s: Positive = 0.5

    def plan(self, category: Category, object_name: str, start_rad: Floats) -> Program:
        place = category.fixture
        centre, axis = np.array(point(place, self.axis_point_m)), direction(place, self.axis)
        before = self.taken(category, start_rad)
        window = before.following()
        window.arc("rotate", centre, axis, self.angle_rad, self.rotate_s, self.guard_n)
        window.wait("hold", self.hold_s)
        window.arc("return", centre, axis, -self.angle_rad, self.return_s, self.guard_n)
        window.wait("rest", self.rest_s)
        after = self.let_go(window)
        return assemble(category, object_name, before.steps, window.steps, after.steps)
