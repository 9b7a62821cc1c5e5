"""The controllers answer as the real ones do; no simulator here, the arm is wherever the test says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.core.errors import BadData, UnknownName
from physad_ros.core.types import Floats
from physad_ros.motion import gripper, trajectory, ur5
from physad_ros.sim.controllers import (
    Code,
    Handle,
    Rejected,
    Status,
    Tolerances,
    TrajectoryController,
    TrajectoryGoal,
)
from physad_ros.sim.devices import Lights, Mode, Motor
from physad_ros.sim.gripping import GripperController

DT = 1 / 480
GOAL = ur5.HOME + np.array([0.3, -0.2, 0.25, 0.1, 0.4, -0.6])
MOVE = trajectory.to_joints("test", ur5.HOME, GOAL)


class Arm:
    """An arm that follows perfectly, up to an offset, at a controller's hand."""

    def __init__(self) -> None:
        self.control = TrajectoryController(ur5.HOME)
        self.now_s = 0.0
        self.offset = np.zeros(6)
        self.q, self.v = ur5.HOME.copy(), np.zeros(6)

    def send(self, begin_s: float = 0.0, tolerances: Tolerances = Tolerances()) -> Handle:
        return self.control.send(replace(TrajectoryGoal.of(MOVE, begin_s), tolerances=tolerances), self.now_s)

    def run(self, seconds: float) -> Floats:
        """Positions (N, 6) at the end of each step."""
        out = []
        for _ in range(round(seconds / DT)):
            setpoint, self.v = self.control.update(DT, self.q, self.v)
            self.q = setpoint + self.offset
            self.now_s += DT
            out.append(setpoint)
        return np.array(out)


def test_setpoints_lie_on_the_planned_motion() -> None:
    arm = Arm()
    handle = arm.send()
    path = arm.run(MOVE.duration_s + 0.1)
    times = DT * np.arange(1, len(path) + 1)
    assert np.abs(path - trajectory.sample(MOVE, times)[0]).max() < 1e-9
    assert (handle.status, handle.code) == (Status.SUCCEEDED, Code.SUCCESSFUL)


def test_a_goal_with_a_stamp_waits_for_it_and_one_that_is_late_is_joined_midway() -> None:
    early, late = Arm(), Arm()
    early.send(begin_s=0.5)
    assert np.abs(early.run(0.5) - ur5.HOME).max() < 1e-9
    late.run(0.5)
    late.send(begin_s=0.2)
    after = late.run(0.2)[-1]
    assert np.abs(after - trajectory.sample(MOVE, 0.5)[0]).max() < 1e-6


def test_a_stopped_robot_leaves_its_goal_hanging_and_goes_on_where_it_was() -> None:
    arm = Arm()
    handle = arm.send()
    before = arm.run(0.4)[-1]
    arm.control.stopped = True
    stood = arm.run(10.0)
    assert handle.status is Status.EXECUTING
    assert np.abs(stood - before).max() < 1e-9
    arm.control.stopped = False
    resumed = np.diff(arm.run(0.1), axis=0)[0]
    assert np.abs(resumed).max() < 0.02 * np.abs(MOVE.velocities_rad_s).max() * DT  # it starts slowly
    arm.run(MOVE.duration_s + 1.0)
    assert handle.status is Status.SUCCEEDED
    assert np.abs(arm.q - GOAL).max() < 1e-9


def test_an_arm_that_leaves_its_path_ends_the_goal_and_holds() -> None:
    arm = Arm()
    handle = arm.send()
    arm.run(0.3)
    arm.offset = np.array([0, 0.21, 0, 0, 0, 0])
    held = arm.run(1.0)
    assert (handle.status, handle.code) == (Status.ABORTED, Code.PATH_TOLERANCE_VIOLATED)
    assert np.ptp(held[5:], axis=0).max() == 0


@pytest.mark.parametrize(("goal_time_s", "code"), [(0.0, None), (0.3, Code.GOAL_TOLERANCE_VIOLATED)])
def test_an_arm_that_stays_short_of_its_goal_ends_it_only_where_a_goal_time_says_so(goal_time_s: float, code: Code | None) -> None:
    arm = Arm()
    handle = arm.send(tolerances=Tolerances(goal_time_s=goal_time_s))
    arm.offset = np.array([0, 0, 0, 0, 0, 0.15])
    arm.run(MOVE.duration_s + 5.0)
    assert handle.code == (code or Code.SUCCESSFUL)
    assert handle.status is (Status.EXECUTING if code is None else Status.ABORTED)


def test_a_canceled_goal_holds_and_a_new_goal_ends_the_old_one() -> None:
    arm = Arm()
    first = arm.send()
    where = arm.run(0.4)[-1]
    arm.control.cancel(first)
    assert first.status is Status.CANCELED
    assert np.abs(arm.run(0.5) - where).max() == 0
    second = arm.send()
    arm.run(0.1)
    third = arm.send()
    assert (second.status, second.code) == (Status.ABORTED, Code.INVALID_GOAL)
    arm.control.cancel(second)  # too late; must not touch the third
    assert third.status is Status.EXECUTING


def test_what_it_does_not_take_changes_nothing() -> None:
    arm = Arm()
    running = arm.send()
    good = TrajectoryGoal.of(MOVE, 0.0)
    nan = good.positions_rad.copy()
    nan[3, 2] = np.nan
    far = good.positions_rad + 7.0
    arm.run(3.0)
    running = arm.send()
    for bad in (
        replace(good, positions_rad=nan),
        replace(good, positions_rad=far),
        replace(good, times_s=good.times_s[::-1]),
        replace(good, times_s=good.times_s[:-1]),
        replace(good, begin_s=0.1),
    ):
        with pytest.raises(Rejected):
            arm.control.send(bad, arm.now_s)
    assert running.status is Status.EXECUTING


def test_a_controller_that_is_deactivated_aborts_holds_and_rejects() -> None:
    arm = Arm()
    running = arm.send()
    arm.run(0.5 * MOVE.duration_s)
    arm.control.switch(False)
    assert (running.status, running.code) == (Status.ABORTED, Code.INVALID_GOAL) == (Status.ABORTED, -1)
    assert np.ptp(arm.run(0.5), axis=0).max() == 0.0
    with pytest.raises(Rejected, match="not active"):
        arm.send()
    arm.control.switch(True)
    assert arm.send().status is Status.EXECUTING


def test_a_gripper_that_is_deactivated_aborts_holds_and_rejects() -> None:
    control = GripperController(0.06)
    running = control.send(0.0, 20)
    opening = drive_gripper(control, 0.06, 0.0, 0.2)
    control.switch(False)
    assert running.status is Status.ABORTED
    assert drive_gripper(control, opening, 0.0, 0.5) == pytest.approx(opening)
    with pytest.raises(Rejected, match="not active"):
        control.send(0.0, 20)


def drive_gripper(control: GripperController, opening_m: float, object_m: float, seconds: float) -> float:
    """Fingers that do as they are told but cannot pass an object; the opening in the end."""
    rate = 0.0
    for _ in range(round(seconds / DT)):
        after = max(control.update(DT, opening_m, rate), object_m)
        rate, opening_m = (after - opening_m) / DT, after
    return opening_m


def test_the_gripper_reaches_its_opening_or_stalls_on_what_is_between() -> None:
    control = GripperController(0.06)
    empty = control.send(0.0, 20)
    drive_gripper(control, 0.06, 0.0, 0.6)
    assert empty.reached_goal and not empty.stalled and empty.status is Status.SUCCEEDED
    held = control.send(0.0, 20)
    opening = drive_gripper(control, 0.06, 0.01, 0.8)
    assert held.stalled and not held.reached_goal and held.status is Status.SUCCEEDED
    assert opening == pytest.approx(0.01)


@given(st.floats(0, gripper.OPENING_MAX_M), st.floats(0, gripper.OPENING_MAX_M))
def test_the_fingers_never_move_faster_than_they_can(start_m: float, goal_m: float) -> None:
    control = GripperController(start_m)
    control.send(goal_m, 10)
    assert abs(control.update(DT, start_m, 0.0) - start_m) <= 0.15 * DT + 1e-12


def test_the_fingers_set_out_from_where_they_are_held_apart() -> None:
    control = GripperController(0.06)
    control.send(0.0, 20)
    drive_gripper(control, 0.06, 0.02, 1.0)
    control.send(0.05, 20)
    assert control.update(DT, 0.02, 0.0) == pytest.approx(0.02 + 0.15 * DT)


@pytest.mark.parametrize(("opening_m", "effort_n"), [(-0.01, 10), (0.2, 10), (float("nan"), 10), (0.01, -1), (0.01, 1e3)])
def test_the_gripper_refuses_what_it_does_not_have(opening_m: float, effort_n: float) -> None:
    with pytest.raises(Rejected):
        GripperController(0.06).send(opening_m, effort_n)


def test_motor_commands_take_effect_at_their_stamps_in_whatever_order_they_come() -> None:
    motor = Motor()
    motor.command(Mode.VELOCITY, 2.0, stamp_s=0.2)
    motor.command(Mode.VELOCITY, 1.0, stamp_s=0.1)
    motor.command(Mode.RELEASE, 0.0, stamp_s=0.3)
    assert [motor.update(t, 0.0) for t in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)] == [0, 1, 1, 2, 2, None]
    motor.command(Mode.POSITION, 1.0)
    assert motor.update(0.4, 0.9) > 0 > motor.update(0.4, 1.1)  # type: ignore[operator]
    with pytest.raises(BadData):
        motor.command(Mode.VELOCITY, float("nan"))


def test_lights_rise_steadily_and_refuse_as_a_whole() -> None:
    lights = Lights(("left", "right"), 0.0)
    with pytest.raises(BadData):
        lights.command({"left": 0.5, "right": 1.5})
    with pytest.raises(UnknownName, match="left, right"):
        lights.command({"left": 0.5, "top": 0.5})
    lights.update(1.0)
    assert lights.levels == {"left": 0.0, "right": 0.0}
    lights.command({"left": 0.8})
    seen = []
    for _ in range(30):
        lights.update(DT)
        seen.append(lights.levels["left"])
    assert np.all(np.diff(seen) >= 0) and seen[0] < 0.2 and seen[-1] == pytest.approx(0.8)
    assert lights.levels["right"] == 0.0
