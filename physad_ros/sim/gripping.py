"""The gripper's controller, answering as ros2_controllers' parallel_gripper_action_controller does. No ROS, no simulator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from physad_ros.motion import gripper
from physad_ros.sim.controllers import DEACTIVATED, Handle, Rejected, Status


@dataclass(frozen=True)
class GripperConfig:
    """Of the parallel gripper controller; allow_stalling as for a gripper that is to hold things."""

    speed_max_m_s: float = 0.15
    goal_tolerance_m: float = 0.0005
    stall_speed_m_s: float = 0.002
    stall_timeout_s: float = 0.2


class GripperController:
    """parallel_gripper_action_controller with allow_stalling: ends when the opening is reached or the fingers stay stopped."""

    def __init__(self, opening_m: float, config: GripperConfig | None = None):
        self.active = True
        self.effort_n = gripper.EFFORT_MAX_N  # that the fingers may push with
        self._config = config or GripperConfig()
        self._target_m = self._setpoint_m = opening_m
        self._begins = False  # a goal whose way has not begun
        self._handle: Handle | None = None
        self._still_s = 0.0

    def send(self, opening_m: float, effort_n: float) -> Handle:
        """Go to an opening; effort 0 stands for the gripper's own maximum.

        Raises:
            Rejected: not active, or an opening or effort that the gripper does not have.
        """
        if not self.active:
            raise Rejected("the gripper controller is not active")
        if not gripper.OPENING_MIN_M <= opening_m <= gripper.OPENING_MAX_M:
            raise Rejected(f"opening {opening_m} m; the gripper has {gripper.OPENING_MIN_M} to {gripper.OPENING_MAX_M}")
        if not 0 <= effort_n <= gripper.EFFORT_MAX_N:
            raise Rejected(f"effort {effort_n} N; the gripper has 0 to {gripper.EFFORT_MAX_N}")
        if self._handle is not None:
            self._finish(Status.ABORTED, "preempted by a new goal")
        self._target_m, self.effort_n, self._still_s = opening_m, effort_n or gripper.EFFORT_MAX_N, 0.0
        self._handle, self._begins = Handle(), True
        return self._handle

    def switch(self, active: bool) -> None:
        """An inactive controller rejects every goal; one that is deactivated aborts what runs, and the fingers hold."""
        self.active = active
        if not active and self._handle is not None:
            self._target_m = self._setpoint_m
            self._finish(Status.ABORTED, DEACTIVATED)

    def cancel(self, handle: Handle, opening_m: float) -> None:
        """Hold the present opening."""
        if handle is self._handle:
            self._target_m = self._setpoint_m = opening_m
            self._finish(Status.CANCELED)

    def update(self, dt_s: float, opening_m: float, velocity_m_s: float) -> float:
        """Opening [m] that the fingers shall have at the end of the coming step: on the way to the target at the gripper's speed."""
        c = self._config
        if self._handle is not None:
            self._still_s = self._still_s + dt_s if abs(velocity_m_s) < c.stall_speed_m_s else 0.0
            if abs(opening_m - self._target_m) <= c.goal_tolerance_m:
                self._handle.reached_goal = True
                self._finish(Status.SUCCEEDED)
            elif self._still_s >= c.stall_timeout_s:
                self._handle.stalled = True
                self._finish(Status.SUCCEEDED)
        start_m = opening_m if self._begins else self._setpoint_m
        step_m = c.speed_max_m_s * dt_s
        self._setpoint_m = start_m + float(np.clip(self._target_m - start_m, -step_m, step_m))
        self._begins = False
        return self._setpoint_m

    def _finish(self, status: Status, text: str = "") -> None:
        assert self._handle is not None
        self._handle.end(status, text=text)
        self._handle = None
