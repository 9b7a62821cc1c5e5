"""Grab and slide: the fingers take a part, pull it along a straight line, and push it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats, Program
from physad_ros.interactions.arm import Grasp
from physad_ros.interactions.base import Direction, Positive, assemble, direction, interactions


@interactions.register("grab_slide")
@dataclass(frozen=True, kw_only=True)
class GrabSlide(Grasp):
    """Window: pull, hold, push, rest."""

    direction: Direction  # of the pull, of any length
    travel_m: Positive
    pull_s: Positive = 0.7
    hold_s: Positive = 0.3
    push_s: Positive = 0.7
    rest_s: Positive = 0.3

    def plan(self, category: Category, object_name: str, start_rad: Floats) -> Program:
        along = direction(category.fixture, self.direction)
        offset = self.travel_m * along / np.linalg.norm(along)
        before = self.taken(category, start_rad)
        window = before.following()
        window.line("pull", offset, self.pull_s, self.guard_n)
        window.wait("hold", self.hold_s)
        window.line("push", -offset, self.push_s, self.guard_n)
        window.wait("rest", self.rest_s)
        after = self.let_go(window)
        return assemble(category, object_name, before.steps, window.steps, after.steps)
