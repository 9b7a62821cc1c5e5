"""Drive: a motor of the rig turns the object while the arm is parked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physad_ros.core.catalogue import Category
from physad_ros.core.types import Floats, Program
from physad_ros.interactions.arm import Sequence
from physad_ros.interactions.base import Direction, Interaction, NonZero, NotNegative, Positive, assemble, interactions
from physad_ros.motion import gripper, ur5

_PARKED_RAD = 0.02
_CLEAR_M = 0.30  # above anything that a motor turns


@interactions.register("drive")
@dataclass(frozen=True, kw_only=True)
class Drive(Interaction):
    """Window: spin_up, run, spin_down, rest."""

    motor: str  # the rig's joint
    axis: Direction  # of the motor: a positive velocity turns right-handed about it
    velocity_rad_s: NonZero
    spin_up_s: Positive = 0.6
    run_s: Positive = 1.9
    spin_down_s: Positive = 0.5
    rest_s: NotNegative = 0.0
    settle_s: Positive = 0.5  # before the motor starts

    def plan(self, category: Category, object_name: str, start_rad: Floats) -> Program:
        arm = Sequence(self.world(category), start_rad, gripper.OPENING_MAX_M)
        if np.abs(arm.at_rad - ur5.HOME).max() > _PARKED_RAD:
            arm.rise("park", category.fixture, _CLEAR_M)
            arm.travel("park", ur5.HOME)
        arm.wait("settle", self.settle_s)
        arm.settle("settle")

        window = arm.following()
        window.drive("spin_up", self.spin_up_s, self.motor, self.velocity_rad_s, ramp_s=self.spin_up_s)
        window.drive("run", self.run_s, self.motor, self.velocity_rad_s)
        window.drive("spin_down", self.spin_down_s, self.motor, 0.0, ramp_s=self.spin_down_s)
        if self.rest_s:
            window.wait("rest", self.rest_s)
        return assemble(category, object_name, arm.steps, window.steps, [])
