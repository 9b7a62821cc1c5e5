"""Motions: limits, straightness, roundness, duration, rest at both ends; and entering one midway."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Move
from physad_ros.motion import trajectory, ur5

WORK = ur5.nearest(
    np.array([[1.0, 0, 0, 0.5], [0, -1, 0, 0.0], [0, 0, -1, 0.15], [0, 0, 0, 1]]),
    ur5.HOME,
)
configurations = st.lists(st.floats(-1, 1), min_size=6, max_size=6).map(lambda u: np.array(u) * ur5.POSITION_MAX_RAD)
small = st.floats(-0.09, 0.09)
offsets = st.tuples(small, small, small).map(np.array).filter(lambda d: np.linalg.norm(d) > 1e-3)
quick = settings(max_examples=25, deadline=None)


def fine(move, period_s=0.002):
    t = np.arange(0.0, move.duration_s, period_s)
    return t, *trajectory.sample(move, t)


def assert_proper(move):
    """Limits seen from outside: the controller's own cubics at 500 Hz, and the waypoints' finite differences."""
    trajectory.check(move)
    _, positions, velocities = fine(move)
    assert (np.abs(positions) <= ur5.POSITION_MAX_RAD + 1e-6).all()
    assert (np.abs(velocities) <= 1.02 * ur5.VELOCITY_MAX_RAD_S).all()
    h = np.diff(move.times_s)[:, None]
    acceleration = np.diff(move.velocities_rad_s, axis=0) / h
    assert (np.abs(acceleration) <= 1.02 * ur5.ACCELERATION_MAX_RAD_S2).all()
    assert (np.abs(np.diff(acceleration, axis=0)) <= 1.02 * ur5.JERK_MAX_RAD_S3 * h[1:]).all()
    assert np.abs(move.velocities_rad_s[[0, -1]]).max() < 1e-9


@given(configurations, configurations, st.floats(0.1, 1.0))
@quick
def test_point_to_point_keeps_limits_and_ends(start, goal, speed):
    move = trajectory.to_joints("go", start, goal, speed=speed)
    assert_proper(move)
    assert np.allclose(move.positions_rad[0], start) and np.allclose(move.positions_rad[-1], goal)


@given(configurations, configurations)
@quick
def test_point_to_point_is_a_straight_line_in_joint_space(start, goal):
    assume(np.linalg.norm(goal - start) > 0.1)
    positions = trajectory.to_joints("go", start, goal).positions_rad
    unit = (goal - start) / np.linalg.norm(goal - start)
    beside = (positions - start) - np.outer((positions - start) @ unit, unit)
    assert np.abs(beside).max() < 1e-6


def test_full_speed_is_used():
    """Time-optimal: a long motion reaches the slowest joint's velocity limit."""
    goal = np.add(ur5.HOME, [2.0, 0.5, 0.5, 0.5, 0.5, 0.5])
    move = trajectory.to_joints("go", ur5.HOME, goal, speed=1.0)
    assert np.abs(move.velocities_rad_s).max() > 0.95 * min(ur5.VELOCITY_MAX_RAD_S[0], 3.0)


@given(offsets)
@quick
def test_line_is_straight_and_keeps_the_orientation(offset):
    move = trajectory.line("lower", WORK, offset)
    assert_proper(move)
    begin = ur5.forward_tcp(WORK)
    poses = ur5.forward_tcp(fine(move)[1])
    unit = offset / np.linalg.norm(offset)
    travelled = poses[:, :3, 3] - begin[:3, 3]
    beside = travelled - np.outer(travelled @ unit, unit)
    assert np.linalg.norm(beside, axis=1).max() < 1e-4
    assert np.abs(poses[:, :3, :3] - begin[:3, :3]).max() < 1e-3
    assert np.allclose(ur5.forward_tcp(move.positions_rad[-1])[:3, 3], begin[:3, 3] + offset, atol=1e-6)
    assert (np.diff(travelled @ unit) > -1e-6).all()


@given(st.floats(-1.5, 1.5).filter(lambda a: abs(a) > 0.05), st.floats(0.01, 0.1))
@quick
def test_arc_keeps_its_radius_and_turns_the_tool(angle, radius):
    begin = ur5.forward_tcp(WORK)
    centre = begin[:3, 3] - [radius, 0, 0.1]
    move = trajectory.arc("rotate", WORK, centre, np.array([0, 0, 2.0]), angle)
    assert_proper(move)
    poses = ur5.forward_tcp(fine(move)[1])
    levers = poses[:, :3, 3] - centre
    assert np.abs(np.hypot(levers[:, 0], levers[:, 1]) - radius).max() < 1e-4
    assert np.abs(levers[:, 2] - 0.1).max() < 1e-4
    last = ur5.forward_tcp(move.positions_rad[-1])
    lever = last[:3, 3] - centre
    assert np.isclose(np.arctan2(lever[1], lever[0]), angle, atol=1e-6)
    assert np.isclose(np.arctan2(last[1, 0], last[0, 0]), angle, atol=1e-6)


@given(offsets, st.floats(1.0, 3.0))
@quick
def test_duration_is_exact_and_the_path_is_the_same(offset, factor):
    natural = trajectory.line("pull", WORK, offset)
    given_s = natural.duration_s * factor
    move = trajectory.line("pull", WORK, offset, duration_s=given_s)
    assert move.duration_s == given_s
    assert_proper(move)
    assert np.allclose(move.positions_rad[-1], natural.positions_rad[-1])


def test_velocities_are_the_derivative_of_positions():
    move = trajectory.line("pull", WORK, np.array([0.09, 0, 0]))
    t, positions, velocities = fine(move, 1e-3)
    assert np.allclose(np.gradient(positions, t, axis=0)[2:-2], velocities[2:-2], atol=2e-3)


def test_too_short_a_duration_names_what_is_needed():
    with pytest.raises(Impossible, match=r"pull: takes at least .* 0\.050 s are given"):
        trajectory.line("pull", WORK, np.array([0.09, 0, 0]), duration_s=0.05)


def test_a_line_out_of_reach_is_refused():
    with pytest.raises(Impossible, match="reach"):
        trajectory.line("pull", WORK, np.array([0.8, 0, 0]))


def test_start_that_is_no_number_or_beyond_limits_is_refused():
    bad = ur5.HOME.copy()
    bad[2] = np.nan
    with pytest.raises(Impossible, match="not a number"):
        trajectory.to_joints("go", bad, ur5.HOME)
    bad[2] = 3.5
    with pytest.raises(Impossible, match=r"elbow_joint.* 3\.500 rad; the limit is 3\.142"):
        trajectory.to_joints("go", bad, ur5.HOME)


@pytest.mark.parametrize(("distance_rad", "factor", "what"), [(4.0, 0.9, "velocity"), (0.02, 0.9, "jerk")])
def test_check_refuses_a_motion_played_too_fast(distance_rad, factor, what):
    move = trajectory.to_joints("go", ur5.HOME, np.add(ur5.HOME, [distance_rad, 0, 0, 0, 0, 0]), speed=1.0)
    hurried = replace(move, times_s=move.times_s * factor, velocities_rad_s=move.velocities_rad_s / factor)
    with pytest.raises(Impossible, match=f"go: shoulder_pan_joint would need a {what} of .*; the limit is"):
        trajectory.check(hurried)


def test_check_sees_positions_that_velocities_hide():
    t, at = np.array([0.0, 0.1]), np.stack([ur5.HOME, np.add(ur5.HOME, [0.5, 0, 0, 0, 0, 0])])
    with pytest.raises(Impossible, match="velocity"):
        trajectory.check(Move("leap", t, at, np.zeros((2, 6))))


def test_sample_stands_before_and_after():
    move = trajectory.to_joints("go", ur5.HOME, WORK)
    for t, q in ((-1.0, ur5.HOME), (move.duration_s + 5, WORK)):
        positions, velocities = trajectory.sample(move, t)
        assert np.allclose(positions, q) and np.allclose(velocities, 0)


# -- entering a motion where the arm stands ---------------------------------------------------------------------------

MOVES = {
    "release": trajectory.line("release", WORK, np.array([0, 0, 0.036]), speed=1.0, duration_s=0.4),
    "push": trajectory.line("push", WORK, np.array([-0.09, 0, 0]), speed=1.0, duration_s=0.7),
    "return": trajectory.arc("return", WORK, ur5.forward_tcp(WORK)[:3, 3] - [0.03, 0, 0], np.array([0, 0, 1.0]), 1.2,
                             speed=1.0, duration_s=1.0),
    "home": trajectory.to_joints("home", WORK, ur5.HOME),
}  # fmt: skip


@given(st.sampled_from(sorted(MOVES)), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_entered_anywhere_on_the_path(name, share):
    move = MOVES[name]
    at = trajectory.sample(move, share * move.duration_s)[0]
    entered = trajectory.entered_from(move, at)
    assert entered.duration_s == move.duration_s and entered.phase == move.phase
    assert np.allclose(entered.positions_rad[0], at, atol=1e-9)
    assert np.allclose(entered.positions_rad[-1], move.positions_rad[-1], atol=1e-6)
    assert_proper(entered)
    # never back to what was left out, beyond the arm's own offset from the nearest waypoint
    direction = move.positions_rad[-1] - at
    steps = np.diff(entered.positions_rad, axis=0)
    assert (np.linalg.norm(direction) < 0.02) or (steps @ direction).min() > -1e-4


@given(st.floats(0.2, 0.8))
@quick
def test_entered_in_the_middle_holds_and_is_then_on_time(share):
    move = trajectory.line("push", WORK, np.array([-0.09, 0, 0]), duration_s=3.0)
    near = share * move.duration_s
    entered = trajectory.entered_from(move, trajectory.sample(move, near)[0])
    waits = np.linspace(0, near - 0.2, 20)
    assert np.abs(trajectory.sample(entered, waits)[0] - entered.positions_rad[0]).max() < 1e-3
    later = np.linspace(near + 0.2, move.duration_s, 20)
    assert np.abs(trajectory.sample(entered, later)[0] - trajectory.sample(move, later)[0]).max() < 2e-3


def test_entered_at_the_start_is_the_motion_itself():
    assert trajectory.entered_from(MOVES["home"], WORK) is MOVES["home"]


def test_entered_beside_the_path_leaves_in_parallel_and_ends_right():
    retreat = trajectory.line("retreat", WORK, np.array([0, 0, 0.08]), duration_s=1.0)
    beside = trajectory.line("", WORK, np.array([0.03, 0, 0])).positions_rad[-1]
    entered = trajectory.entered_from(retreat, beside)
    assert_proper(entered)
    assert np.allclose(entered.positions_rad[-1], retreat.positions_rad[-1], atol=1e-6)
    before_half = ur5.forward_tcp(trajectory.sample(entered, np.linspace(0, retreat.duration_s / 2, 20))[0])
    assert np.abs(before_half[:, 0, 3] - before_half[0, 0, 3]).max() < 5e-3


def test_entered_from_far_away_is_refused():
    with pytest.raises(Impossible, match="release: takes at least"):
        trajectory.entered_from(MOVES["release"], WORK - 1.0)


def test_entered_from_no_number_is_refused():
    with pytest.raises(Impossible, match="not a number"):
        trajectory.entered_from(MOVES["release"], np.full(6, np.nan))
