"""The arm's trajectory controller, answering as the real one does (ros2_controllers, the UR driver). No ROS, no simulator.

A controller is updated once a physics step with what the encoders say and gives the next setpoint. A goal hands out a Handle that its
owner polls. The gripper's controller is in gripping.py.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from physad_ros.core.errors import PhysadError
from physad_ros.core.types import Floats, Move
from physad_ros.motion import ur5

RESUME_RATE_HZ: Final = 1.25  # the driver's speed factor ramps by 0.01 a cycle of 125 Hz after a stop
DEACTIVATED: Final = "the controller was deactivated"


class Rejected(PhysadError):
    """A goal that the controller does not take; nothing changes."""


class Status(enum.Enum):
    """Where a goal stands, as in action_msgs/GoalStatus."""

    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    ABORTED = "aborted"


class Code(enum.IntEnum):
    """control_msgs/FollowJointTrajectory's error codes."""

    SUCCESSFUL = 0
    INVALID_GOAL = -1
    INVALID_JOINTS = -2
    OLD_HEADER_TIMESTAMP = -3
    PATH_TOLERANCE_VIOLATED = -4
    GOAL_TOLERANCE_VIOLATED = -5


@dataclass
class Handle:
    """One goal's way to its end."""

    status: Status = Status.EXECUTING
    code: Code = Code.SUCCESSFUL
    text: str = ""
    stalled: bool = False  # gripper: something is between the fingers
    reached_goal: bool = False

    @property
    def done(self) -> bool:
        return self.status is not Status.EXECUTING

    def end(self, status: Status, code: Code = Code.SUCCESSFUL, text: str = "") -> None:
        """The one end of this goal."""
        self.status, self.code, self.text = status, code, text


@dataclass(frozen=True)
class Tolerances:
    """Of the trajectory controller; the UR driver's defaults. 0 for the goal's time: never times out."""

    path_rad: float = 0.2
    goal_rad: float = 0.1
    stopped_rad_s: float = 0.2
    goal_time_s: float = 0.0


@dataclass(frozen=True)
class TrajectoryGoal:
    """Waypoints in the order of ur5.JOINTS, and when they begin; 0: at once."""

    times_s: Floats  # (N,)
    positions_rad: Floats  # (N, 6)
    velocities_rad_s: Floats  # (N, 6)
    begin_s: float = 0.0
    tolerances: Tolerances = field(default_factory=Tolerances)

    @classmethod
    def of(cls, move: Move, begin_s: float) -> TrajectoryGoal:
        """A move as a goal."""
        return cls(move.times_s, move.positions_rad, move.velocities_rad_s, begin_s)


class TrajectoryController:
    """scaled_joint_trajectory_controller: cubics through the waypoints; its time runs with the robot's speed factor, so a stopped
    robot leaves its goal hanging and goes on with it once it may."""

    def __init__(self, positions_rad: Floats):
        self.active = True
        self.scaling = 1.0  # the robot's speed factor
        self.stopped = False  # protective stop
        self._setpoint = np.array(positions_rad, dtype=float), np.zeros(6)
        self._goal: TrajectoryGoal | None = None
        self._handle: Handle | None = None
        self._spline = np.empty(0), np.empty((0, 6)), np.empty((0, 6))  # begins with where the arm was
        self._time_s = 0.0  # along the spline, in scaled time

    def send(self, goal: TrajectoryGoal, now_s: float) -> Handle:
        """Take a goal in place of the one that runs, if any, which ends ABORTED.

        Raises:
            Rejected: not active, malformed, or over before it has begun.
        """
        self._check(goal, now_s)
        if self._handle is not None:
            self._finish(Status.ABORTED, Code.INVALID_GOAL, "preempted by a new goal")
        begin = max(goal.begin_s, now_s) if goal.begin_s == 0 else goal.begin_s
        times = goal.times_s + (begin - now_s)
        ahead = times > 1e-9  # a beginning that is past is joined midway
        first_q, first_v = self._setpoint
        self._spline = (
            np.concatenate([[0.0], times[ahead]]),
            np.concatenate([first_q[None], goal.positions_rad[ahead]]),
            np.concatenate([first_v[None], goal.velocities_rad_s[ahead]]),
        )
        self._goal, self._time_s, self._handle = goal, 0.0, Handle()
        return self._handle

    def _check(self, goal: TrajectoryGoal, now_s: float) -> None:
        t, q, v = goal.times_s, goal.positions_rad, goal.velocities_rad_s
        if not self.active:
            raise Rejected("the trajectory controller is not active")
        if len(t) == 0 or q.shape != (len(t), 6) or v.shape != q.shape:
            raise Rejected(f"a trajectory needs times (N,) and positions, velocities (N, 6); got {t.shape}, {q.shape}, {v.shape}")
        if not (np.isfinite(t).all() and np.isfinite(q).all() and np.isfinite(v).all() and np.isfinite(goal.begin_s)):
            raise Rejected("a waypoint is not a number")
        if t[0] < 0 or (np.diff(t) <= 0).any():
            raise Rejected("times must not be negative and must increase")
        if (np.abs(q) > ur5.POSITION_MAX_RAD + 1e-6).any():
            raise Rejected("a waypoint is outside the joints' limits")
        if goal.begin_s and goal.begin_s + t[-1] < now_s:
            raise Rejected("the trajectory's last point is in the past")

    def switch(self, active: bool) -> None:
        """An inactive controller rejects every goal; one that is deactivated, as when the robot's program stops, aborts what runs."""
        self.active = active
        if not active and self._handle is not None:
            self._finish(Status.ABORTED, Code.INVALID_GOAL, DEACTIVATED)

    def cancel(self, handle: Handle) -> None:
        """Stop where the setpoint is and hold; a handle that has ended is left alone."""
        if handle is self._handle:
            self._finish(Status.CANCELED)

    def update(self, dt_s: float, positions_rad: Floats, velocities_rad_s: Floats) -> tuple[Floats, Floats]:
        """Setpoint positions and velocities (6,) each for the coming step."""
        self.scaling = 0.0 if self.stopped else min(1.0, self.scaling + RESUME_RATE_HZ * dt_s)
        if self._handle is None or self._goal is None:
            return self._setpoint[0], np.zeros(6)
        tolerances = self._goal.tolerances
        if (np.abs(self._setpoint[0] - positions_rad) > tolerances.path_rad).any() and tolerances.path_rad > 0:
            self._setpoint = np.array(positions_rad), np.zeros(6)
            self._finish(Status.ABORTED, Code.PATH_TOLERANCE_VIOLATED, "the arm is too far from its path")
            return self._setpoint
        self._time_s += dt_s * self.scaling
        end_s = float(self._spline[0][-1])
        q, v = _cubic(*self._spline, self._time_s)
        self._setpoint = q, v * self.scaling
        if self._time_s >= end_s - 1e-9:
            self._arrive(self._time_s - end_s, positions_rad, velocities_rad_s)
        return self._setpoint

    def _arrive(self, late_s: float, positions_rad: Floats, velocities_rad_s: Floats) -> None:
        assert self._goal is not None
        limits = self._goal.tolerances
        near = (np.abs(self._setpoint[0] - positions_rad) <= limits.goal_rad).all() or limits.goal_rad <= 0
        if near and (np.abs(velocities_rad_s) <= limits.stopped_rad_s).all():
            self._finish(Status.SUCCEEDED)
        elif 0 < limits.goal_time_s < late_s:
            self._finish(Status.ABORTED, Code.GOAL_TOLERANCE_VIOLATED, "the arm did not reach its goal in time")

    def _finish(self, status: Status, code: Code = Code.SUCCESSFUL, text: str = "") -> None:
        assert self._handle is not None
        self._setpoint = self._setpoint[0], np.zeros(6)
        self._handle.end(status, code, text)
        self._handle = self._goal = None


def _cubic(times: Floats, positions: Floats, velocities: Floats, t: float) -> tuple[Floats, Floats]:
    """Position and velocity (6,) at ``t`` on the cubic Hermite spline; at rest beyond its end."""
    if t >= times[-1]:
        return positions[-1], np.zeros(6)
    i = int(np.searchsorted(times, t, side="right")) - 1
    h = times[i + 1] - times[i]
    u = (t - times[i]) / h
    p0, p1, m0, m1 = positions[i], positions[i + 1], h * velocities[i], h * velocities[i + 1]
    c3, c2 = 2 * (p0 - p1) + m0 + m1, 3 * (p1 - p0) - 2 * m0 - m1
    return ((c3 * u + c2) * u + m0) * u + p0, ((3 * c3 * u + 2 * c2) * u + m0) / h
