"""What each interaction does at the tool: it presses, turns and slides where the recipe says, in the object's frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physad_ros.core.catalogue import Category, categories, load_category
from physad_ros.core.errors import BadData, Impossible
from physad_ros.core.types import Drive, Grip, Move
from physad_ros.interactions.arm import CLEAR_M, park
from physad_ros.interactions.base import plan
from physad_ros.motion import trajectory, ur5

RECIPES = {
    "press": {"point_m": [-0.03, 0.0, 0.034], "depth_m": 0.016, "clearance_m": 0.02},
    "grab_rotate": {"axis_point_m": [0, 0, 0], "axis": [0, 0, 1], "grip_m": [0.03, 0, 0.15], "angle_rad": -1.2},
    "grab_slide": {"grip_m": [0.06, 0, 0.12], "direction": [2.0, 0, 0], "travel_m": 0.08},
    "drive": {"motor": "motor", "axis": [0.0, -1.0, 0.0], "velocity_rad_s": 12.0},
}
FRAMES = {"press": 120, "grab_rotate": 180, "grab_slide": 120, "drive": 180}


def category(interaction, *, frames=None, position_m=(0.5, 0.0, 0.0), yaw_rad=0.0, **changes):
    return Category.model_validate({
        "name": "thing",
        "title": "Thing",
        "frames": frames or FRAMES[interaction],
        "objects": [{"name": "thing_1"}],
        "defects": {"broken": "it is broken"},
        "fixture": {"position_m": position_m, "yaw_rad": yaw_rad},
        "camera": {"position_m": [0.5, -0.55, 0.1], "target_m": [0.5, 0, 0.1], "fovy_deg": 20},
        "recipe": {"interaction": interaction, "parameters": {**RECIPES[interaction], **changes}},
        "prior": "it works",
    })  # fmt: skip


def program(interaction, **changes):
    return plan(category(interaction, **changes), "thing_1", ur5.HOME)


def move(of, phase):
    return next(step for step in of.steps if isinstance(step, Move) and step.phase == phase)


def tcp(of, phase, n):
    return ur5.forward_tcp(move(of, phase).positions_rad[n])


placed = {"x": st.floats(0.42, 0.55), "y": st.floats(-0.05, 0.05), "yaw_rad": st.floats(-0.5, 0.5)}


def in_world(x, y, yaw_rad, at):
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([x + c * at[0] - s * at[1], y + s * at[0] + c * at[1], at[2]])


@given(**placed)
@settings(max_examples=8, deadline=None)
def test_press_ends_its_descent_on_the_point_and_its_push_below(x, y, yaw_rad):
    pressing = program("press", position_m=(x, y, 0.0), yaw_rad=yaw_rad)
    point = in_world(x, y, yaw_rad, (-0.03, 0, 0.034))
    assert np.allclose(tcp(pressing, "descend", 0)[:3, 3], np.add(point, [0, 0, 0.02]), atol=1e-5)
    assert np.allclose(tcp(pressing, "descend", -1)[:3, 3], point, atol=1e-5)
    assert np.allclose(tcp(pressing, "press", -1)[:3, 3], point - [0, 0, 0.016], atol=1e-5)
    assert np.allclose(tcp(pressing, "release", -1)[:3, 3], np.add(point, [0, 0, 0.02]), atol=1e-5)
    assert np.isclose(np.arctan2(*tcp(pressing, "press", -1)[[1, 0], 0]), yaw_rad, atol=1e-5)


def test_press_is_closed_guarded_and_leads_from_above():
    pressing = program("press", guard_n=25.0)
    assert next(s for s in pressing.steps if isinstance(s, Grip)).opening_m == 0
    assert move(pressing, "press").guard_n == move(pressing, "descend").guard_n == 25.0
    assert move(pressing, "release").guard_n is None
    assert np.allclose(tcp(pressing, "press", 0)[:3, 2], [0, 0, -1], atol=1e-6)


def test_press_repeats():
    pressing = program("press", frames=216, repeats=2)
    assert [p.name for p in pressing.phases].count("press") == 2


@given(**placed)
@settings(max_examples=8, deadline=None)
def test_rotation_carries_grip_and_tool_about_the_axis(x, y, yaw_rad):
    turning = program("grab_rotate", position_m=(x, y, 0.0), yaw_rad=yaw_rad)
    first, last = tcp(turning, "rotate", 0), tcp(turning, "rotate", -1)
    assert np.allclose(first[:3, 3], in_world(x, y, yaw_rad, (0.03, 0, 0.15)), atol=1e-5)
    turned = 0.03 * np.cos(-1.2), 0.03 * np.sin(-1.2), 0.15
    assert np.allclose(last[:3, 3], in_world(x, y, yaw_rad, turned), atol=1e-5)
    change = np.arctan2(*last[[1, 0], 0]) - np.arctan2(*first[[1, 0], 0])
    assert np.isclose(np.angle(np.exp(1j * (change + 1.2))), 0, atol=1e-5)
    assert np.allclose(tcp(turning, "return", -1), first, atol=1e-5)


def test_fingers_open_across_the_leaf_all_along_the_turn():
    turning = program("grab_rotate")
    poses = ur5.forward_tcp(move(turning, "rotate").positions_rad)
    leaf = poses[:, :2, 3] - [0.5, 0.0]  # from the axis to the grip, in the leaf's plane
    assert np.abs(np.einsum("ni,ni->n", leaf, poses[:, :2, 1])).max() < 1e-5


@given(**placed)
@settings(max_examples=8, deadline=None)
def test_slide_travels_along_its_direction_and_back(x, y, yaw_rad):
    sliding = program("grab_slide", position_m=(x, y, 0.0), yaw_rad=yaw_rad)
    assert np.allclose(tcp(sliding, "pull", 0)[:3, 3], in_world(x, y, yaw_rad, (0.06, 0, 0.12)), atol=1e-5)
    assert np.allclose(tcp(sliding, "pull", -1)[:3, 3], in_world(x, y, yaw_rad, (0.14, 0, 0.12)), atol=1e-5)
    assert np.allclose(tcp(sliding, "push", -1), tcp(sliding, "pull", 0), atol=1e-5)


@pytest.mark.parametrize("interaction", ["grab_rotate", "grab_slide"])
def test_grasp_closes_before_the_window_and_opens_after_it(interaction):
    taking = program(interaction, effort_n=15.0)
    grips = [(s, b) for s, b in zip(taking.steps, taking.begins_s, strict=True) if isinstance(s, Grip)]
    assert [(g.holds, g.phase) for g, _ in grips] == [(False, "approach"), (True, "grip"), (False, "release")]
    assert grips[1][0].effort_n == 15.0
    assert grips[1][1] + grips[1][0].duration_s <= taking.window_begin_s <= taking.window_end_s <= grips[2][1] + 1e-9


def test_drive_leaves_a_parked_arm_alone_and_parks_any_other():
    assert not [s for s in program("drive").steps if isinstance(s, Move)]
    away = plan(category("drive"), "thing_1", np.add(ur5.HOME, [0.5, 0, 0, 0, 0, 0]))
    assert np.allclose(move(away, "park").positions_rad[-1], ur5.HOME)


def test_drive_ramps_up_runs_and_ends_at_rest():
    drives = [s for s in program("drive").steps if isinstance(s, Drive)]
    assert [(d.phase, d.velocity_rad_s) for d in drives] == [("spin_up", 12.0), ("run", 12.0), ("spin_down", 0.0)]
    assert drives[0].ramp_s == drives[0].duration_s and drives[2].ramp_s == drives[2].duration_s


def test_a_press_into_the_table_is_refused():
    with pytest.raises(Impossible, match=r"press: the (left|right) finger would hit the table"):
        program("press", depth_m=0.05)


def test_an_obstacle_is_refused_unless_fingers_may_touch_it():
    box = {"centre_m": [-0.03, 0, 0.01], "size_m": [0.04, 0.04, 0.03]}
    with pytest.raises(Impossible, match=r"press: .* finger would hit the thing's obstacle 0"):
        program("press", obstacles=[box])
    assert program("press", obstacles=[{**box, "touch": True}])


def test_the_backdrop_is_refused():
    with pytest.raises(Impossible, match="backdrop"):
        program("press", position_m=(0.5, 0.33, 0.0))


def test_phases_that_the_limits_forbid_name_what_is_needed():
    with pytest.raises(Impossible, match=r"rotate: takes at least .* 0\.300 s are given"):
        program("grab_rotate", rotate_s=0.3, rest_s=1.2)


@pytest.mark.parametrize(
    ("interaction", "changes", "names"),
    [
        ("press", {"depth_m": -0.01}, "depth_m"),
        ("press", {"guard_n": float("nan")}, "guard_n"),
        ("press", {"point_m": [0, 0]}, "point_m"),
        ("grab_slide", {"direction": [0, 0, 0]}, "direction"),
        ("grab_slide", {"open_m": 0.2}, "open_m"),
        ("grab_rotate", {"angle_rad": 0}, "angle_rad"),
        ("drive", {"velocity_rad_s": 0.0}, "velocity_rad_s"),
    ],
)
def test_bad_parameters_are_named(interaction, changes, names):
    with pytest.raises(BadData, match=f"recipe {interaction}: {names}"):
        program(interaction, **changes)


def test_a_stopped_press_is_released_from_where_it_stopped():
    pressing = program("press")
    stopped = trajectory.sample(move(pressing, "press"), 0.2)[0]
    released = trajectory.entered_from(move(pressing, "release"), stopped)
    heights = ur5.forward_tcp(released.positions_rad)[:, 2, 3]
    assert heights.min() > ur5.forward_tcp(stopped)[2, 3] - 1e-3
    assert np.allclose(released.positions_rad[-1], move(pressing, "release").positions_rad[-1], atol=1e-6)


@pytest.mark.parametrize("interaction", ["press", "grab_rotate", "grab_slide"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_from_wherever_a_program_was_broken_off_the_arm_parks(interaction, share):
    moves = [step for step in program(interaction).steps if isinstance(step, Move)]
    left = moves[int(share * len(moves))].positions_rad[-1]
    parking = park(left, opening_m=0.0)
    if parking is None:  # it had not gone far
        assert np.abs(left - ur5.HOME).max() < 0.05
        return
    grip, *way = parking.steps
    assert isinstance(grip, Grip) and not grip.holds  # nothing is carried away
    assert np.allclose(way[0].positions_rad[0], left) and np.allclose(way[-1].positions_rad[-1], ur5.HOME, atol=1e-6)
    heights = [ur5.forward_tcp(q)[2, 3] for step in way for q in step.positions_rad]
    if heights[0] < CLEAR_M - 1e-3:  # straight up first
        up = [ur5.forward_tcp(q)[:2, 3] for q in way[0].positions_rad]
        assert np.abs(np.ptp(up, axis=0)).max() < 1e-3
    assert parking.frames == 0


def test_a_parked_arm_stays():
    assert park(ur5.HOME, opening_m=0.0) is None


@pytest.mark.parametrize("name", categories())
def test_types_of_a_category_are_planned_alike(name):
    """So a plan holds for a specimen whose type nobody has told."""
    category = load_category(name)
    first, *others = (plan(category, thing.name, ur5.HOME) for thing in category.objects)
    for other in others:
        for a, b in zip(first.steps, other.steps, strict=True):
            np.testing.assert_equal(vars(a), vars(b))
