"""A program cut into goals is still the program: every step once, at its time, along the same path."""

import itertools

import numpy as np
import pytest

from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.types import Grip, Move
from physad_ros.interactions.base import plan
from physad_ros.motion.segments import grouped, joined, moves_of, reversed_move
from physad_ros.motion.trajectory import sample
from physad_ros.motion.ur5 import HOME

BEGIN_S = 7.5


@pytest.fixture(scope="module", params=categories())
def program(request):
    category = load_category(request.param)
    return plan(category, category.objects[0].name, HOME)


def test_every_step_is_in_one_group_at_its_time(program):
    flat = [pair for group in grouped(program, BEGIN_S) for pair in group]
    assert [id(step) for step, _ in flat] == [id(step) for step in program.steps]
    assert [begin for _, begin in flat] == pytest.approx([BEGIN_S + b for b in program.begins_s])


def test_a_grip_is_alone_in_its_group(program):
    for group in grouped(program, BEGIN_S):
        assert len(group) == 1 or not any(isinstance(step, Grip) for step, _ in group)


def test_the_joined_motion_is_each_of_its_motions_at_its_time_and_rests_between_them(program):
    for group in grouped(program, BEGIN_S):
        moves = moves_of(group)
        if not moves:
            continue
        one = joined(moves)
        assert (np.diff(one.times_s) > 0).all()
        for move, begin in moves:
            t = np.linspace(0.0, move.duration_s, 50)
            positions, velocities = sample(one, t + begin - moves[0][1])
            np.testing.assert_allclose(positions, sample(move, t)[0], atol=1e-6)
            np.testing.assert_allclose(velocities, sample(move, t)[1], atol=1e-3)
        for (move, begin), (_, after) in itertools.pairwise(moves):
            middle = (begin + move.duration_s + after) / 2 - moves[0][1]
            np.testing.assert_allclose(sample(one, middle)[0], move.positions_rad[-1], atol=1e-6)


def test_a_reversed_motion_runs_the_same_path_backwards(program):
    move = next((s for s in program.steps if isinstance(s, Move)), None)
    if move is None:
        pytest.skip("no motion in this program")
    back = reversed_move(move)
    t = np.linspace(0.0, move.duration_s, 30)
    np.testing.assert_allclose(sample(back, t)[0], sample(move, move.duration_s - t)[0], atol=1e-6)
    np.testing.assert_allclose(sample(back, t)[1], -sample(move, move.duration_s - t)[1], atol=1e-5)
