"""Press: the closed fingers push a point straight down, hold and let go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats, Program
from physad_ros.interactions.arm import CLEAR_EFFORT_N, RETREAT_S, ArmInteraction, Sequence
from physad_ros.interactions.base import Count, NotNegative, Positive, Vector, assemble, interactions
from physad_ros.motion import ur5


@interactions.register("press")
@dataclass(frozen=True, kw_only=True)
class Press(ArmInteraction):
    """Window: (descend, press, hold, release) as often as ``repeats`` says, then rest."""

    point_m: Vector  # where the fingertips meet the object
    depth_m: Positive  # how far they push beyond that
    clearance_m: Positive = 0.02  # how far above it they start and end
    descend_s: Positive = 0.4  # from there to the point
    press_s: Positive = 0.4  # from the point to the depth
    hold_s: Positive = 0.4
    release_s: Positive = 0.4  # from the depth to the clearance
    rest_s: NotNegative = 0.4
    repeats: Count = 1

    def plan(self, category: Category, object_name: str, start_rad: Floats) -> Program:
        up = np.array([0.0, 0.0, 1.0])
        above = self.tool_pose(category.fixture, self.point_m)
        above[2, 3] += self.clearance_m + self.approach_m

        before = Sequence(self.world(category), start_rad, opening_m=0.0)
        before.grip("approach", 0.0, CLEAR_EFFORT_N)
        before.rise("approach", category.fixture, above[2, 3])
        before.travel("approach", ur5.nearest(above, ur5.HOME))
        before.line("lower", -self.approach_m * up, guard_n=self.guard_n)
        before.settle("lower")

        window = before.following()
        for _ in range(self.repeats):
            window.line("descend", -self.clearance_m * up, self.descend_s, self.guard_n)
            window.line("press", -self.depth_m * up, self.press_s, self.guard_n)
            window.wait("hold", self.hold_s)
            window.line("release", (self.clearance_m + self.depth_m) * up, self.release_s)
        if self.rest_s:
            window.wait("rest", self.rest_s)

        after = window.following()
        after.line("retreat", self.approach_m * up, RETREAT_S)
        after.travel("home", ur5.HOME)
        return assemble(category, object_name, before.steps, window.steps, after.steps)
