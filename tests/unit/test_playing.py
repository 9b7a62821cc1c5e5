"""What both players of a program hold to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import Impossible
from physad_ros.core.types import Box, Drive, Grip, Move, World
from physad_ros.interactions.arm import park
from physad_ros.interactions.base import plan
from physad_ros.motion import collision, gripper, playing, trajectory, ur5
from physad_ros.motion.segments import reversed_move

ARMED = ("clip", "hinge", "slide")


def program(name):
    category = load_category(name)
    return plan(category, category.objects[0].name, ur5.HOME)


@pytest.mark.parametrize("name", ARMED)
def test_a_program_knows_what_it_was_checked_against(name):
    made = program(name)
    assert {b.name for b in collision.rig((0.5, -0.5, 0.1)).boxes} < {b.name for b in made.world.boxes}
    low = next(m for m in made.steps if isinstance(m, Move) and m.phase == "lower").positions_rad[-1]
    assert park(low, 0.06).world.boxes


@pytest.mark.parametrize("name", ARMED)
def test_from_wherever_a_program_is_broken_off_its_way_back_is_free(name):
    """With the fingers as the recipe had them, which is how they are before the arm moves."""
    made, opening_m, played = program(name), gripper.OPENING_MAX_M, []
    for step in made.steps:
        if isinstance(step, Grip):
            opening_m = opening_m if step.holds else step.opening_m
        if not isinstance(step, Move):
            continue
        played.append(step)
        for share in (0.3, 0.8, 1.0):
            at = trajectory.sample(step, share * step.duration_s)[0]
            for move in reversed(played):
                back = playing.entered(reversed_move(move), at, opening_m, made.world)
                at = back.positions_rad[-1]
            np.testing.assert_allclose(at, played[0].positions_rad[0], atol=1e-6)


def test_a_motion_that_is_entered_from_elsewhere_is_checked():
    made = program("clip")
    release = next(m for m in made.steps if isinstance(m, Move) and m.phase == "release")
    stopped = trajectory.sample(release, 0.1)[0]
    assert playing.entered(release, stopped, 0.0, made.world).duration_s == release.duration_s
    x, y, z = ur5.forward_tcp(release.positions_rad[-1])[:3, 3]
    shelf = Box("shelf", (x, y, z + 0.02), (0.2, 0.2, 0.01))
    with pytest.raises(Impossible, match="shelf"):
        playing.entered(release, stopped, 0.0, World((*made.world.boxes, shelf)))


def test_a_guard_counts_the_change_of_force():
    move = replace(next(m for m in program("clip").steps if isinstance(m, Move)), guard_n=5.0)
    before = np.array([1.0, 2.0, 30.0])
    assert not playing.pushes(move, before + np.array([0, 3.0, 3.9]), before) and playing.pushes(move, before + np.array([0, 3.0, 4.1]), before)
    assert not playing.pushes(replace(move, guard_n=None), before + 1e3, before)


@pytest.mark.parametrize(("holds", "opening_m", "missed", "misplaced"), [
    (True, 0.001, True, False), (True, 0.01, False, False), (False, 0.001, False, False), (False, 0.01, False, True),
])
def test_a_grip_holds_something_or_stands_where_it_was_sent(holds, opening_m, missed, misplaced):
    grip = Grip("grip", 0.6, 0.0, 20.0, holds)
    assert (bool(playing.missed(grip, opening_m)), bool(playing.misplaced(grip, opening_m))) == (missed, misplaced)


@given(st.floats(0, 2), st.floats(-20, 20), st.floats(-20, 20))
def test_a_ramp_rises_evenly_from_its_begin_and_ends_where_it_should(ramp_s, before, after):
    commands = playing.ramp(Drive("run", 3.0, "motor", after, ramp_s), 100.0, before)
    stamps, values = np.array(commands).T
    assert stamps[0] == 100.0 and stamps[-1] <= 100.0 + ramp_s and values[-1] == pytest.approx(after)
    assert np.allclose(np.diff(values, prepend=before), (after - before) / len(values))
