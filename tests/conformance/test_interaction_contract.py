"""Every registered interaction, and every category's recipe, keeps the contract of a program."""

import dataclasses

import numpy as np
import pytest

from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData, Impossible, UnknownName
from physad_ros.core.types import FPS, Drive, Grip, Move
from physad_ros.interactions.arm import ArmInteraction, Grasp
from physad_ros.interactions.base import interactions, plan
from physad_ros.motion import collision, trajectory, ur5

CATEGORIES = sorted(categories())
RANDOM_STARTS = 12


def recipe_of(category):
    return interactions[category.recipe.interaction].of(category)


def with_recipe(category, **changes):
    parameters = {**category.recipe.parameters, **changes}
    return category.model_copy(update={"recipe": category.recipe.model_copy(update={"parameters": parameters})})


def planned(name, start_rad=ur5.HOME):
    category = load_category(name)
    return category, plan(category, category.objects[0].name, start_rad)


def free_starts(category, spread_rad, seed):
    """Random configurations within ``spread_rad`` of HOME in which the arm hits nothing."""
    random, world, found = np.random.default_rng(seed), recipe_of(category).world(category), []
    while len(found) < RANDOM_STARTS:
        q = np.clip(ur5.HOME + random.uniform(-1, 1, 6) * spread_rad, -ur5.POSITION_MAX_RAD, ur5.POSITION_MAX_RAD)
        if all(collision.first_hit(world, q[None], opening) is None for opening in (0.0, 0.04, 0.06)):
            found.append(q)
    return found


def assert_keeps_contract(category, program, start_rad):
    at, opening = np.asarray(start_rad), 0.0
    world = recipe_of(category).world(category)
    for step in program.steps:
        assert step.duration_s > 0 and step.phase
        if isinstance(step, Grip):
            opening = step.opening_m
        if not isinstance(step, Move):
            continue
        trajectory.check(step)
        assert np.allclose(step.positions_rad[0], at, atol=1e-6), f"{step.phase} does not begin where the arm stands"
        assert np.abs(step.velocities_rad_s[[0, -1]]).max() < 1e-6
        between = trajectory.sample(step, np.arange(0, step.duration_s, 0.008))[0]
        assert collision.first_hit(world, between, opening) is None, step.phase
        at = step.positions_rad[-1]
    assert np.allclose(at, ur5.HOME, atol=0.03), "the arm does not end parked"


def assert_window_is_filled(category, program):
    assert program.frames == category.frames
    ends = np.cumsum([step.duration_s for step in program.steps])
    bounds = np.concatenate([[0.0], ends])
    for edge in (program.window_begin_s, program.window_end_s):
        assert np.abs(bounds - edge).min() < 1e-6, "the window cuts a phase"
    assert np.isclose(program.window_end_s - program.window_begin_s, category.frames / FPS)
    assert program.window_begin_s > 0.4, "nothing would be recorded before the window"
    assert np.isclose(program.window_begin_s * FPS, round(program.window_begin_s * FPS), atol=1e-6)


def test_every_interaction_has_a_category():
    assert len(interactions) >= 4
    unused = set(interactions) - {load_category(c).recipe.interaction for c in CATEGORIES}
    assert not unused, f"no category's recipe names {', '.join(sorted(unused))}, so nothing here tests it; add one"


@pytest.mark.parametrize("name", sorted(interactions))
def test_recipe_is_a_frozen_dataclass_with_documentation(name):
    recipe = interactions[name]
    assert dataclasses.is_dataclass(recipe) and recipe.__dataclass_params__.frozen
    assert "Window:" in (recipe.__doc__ or "")


@pytest.mark.parametrize("name", CATEGORIES)
def test_program_from_home(name):
    category, program = planned(name)
    assert (program.category, program.interaction) == (name, category.recipe.interaction)
    assert_keeps_contract(category, program, ur5.HOME)
    assert_window_is_filled(category, program)


@pytest.mark.parametrize(("spread_rad", "share"), [(1.0, 1.0), (6.0, 0.0)])
@pytest.mark.parametrize("name", CATEGORIES)
def test_program_from_anywhere(name, spread_rad, share):
    """From about HOME always; from a contorted arm perhaps not, but then it is refused for a collision."""
    category, found = load_category(name), 0
    for start in free_starts(category, spread_rad, seed=7):
        try:
            program = plan(category, category.objects[0].name, start)
        except Impossible as refusal:
            assert "would hit" in str(refusal)
            continue
        found += 1
        assert_keeps_contract(category, program, start)
        assert_window_is_filled(category, program)
    assert found >= RANDOM_STARTS * share


@pytest.mark.parametrize("name", CATEGORIES)
def test_program_from_wherever_an_earlier_one_was_stopped(name):
    category, program = planned(name)
    for step in (s for s in program.steps if isinstance(s, Move)):
        for start in trajectory.sample(step, np.linspace(0, step.duration_s, 3))[0]:
            again = plan(category, category.objects[0].name, start)
            assert_keeps_contract(category, again, start)
            assert_window_is_filled(category, again)


@pytest.mark.parametrize("name", CATEGORIES)
def test_window_is_the_same_from_everywhere(name):
    """What is recorded does not depend on where the arm came from."""
    category, program = planned(name)
    other = plan(category, category.objects[0].name, np.add(ur5.HOME, [0.4, -0.1, 0.2, 0.1, 0.1, -0.5]))
    a, b = (
        [s for s, t in zip(p.steps, p.begins_s, strict=True) if p.window_begin_s - 1e-9 <= t < p.window_end_s - 1e-9]
        for p in (program, other)
    )
    assert [s.phase for s in a] == [s.phase for s in b] and a
    for one, two in zip(a, b, strict=True):
        if isinstance(one, Move):
            assert np.allclose(one.positions_rad, two.positions_rad, atol=1e-6)


@pytest.mark.parametrize("name", CATEGORIES)
def test_planning_is_deterministic(name):
    (_, one), (_, two) = planned(name), planned(name)
    assert (one.window_begin_s, one.phases) == (two.window_begin_s, two.phases)
    for a, b in zip(one.steps, two.steps, strict=True):
        for field in dataclasses.fields(a):
            assert np.array_equal(getattr(a, field.name), getattr(b, field.name)), (a.phase, field.name)


@pytest.mark.parametrize("name", CATEGORIES)
def test_something_happens_in_the_window_and_is_guarded(name):
    category, program = planned(name)
    inside = [
        step
        for step, begin in zip(program.steps, program.begins_s, strict=True)
        if program.window_begin_s - 1e-9 <= begin < program.window_end_s - 1e-9
    ]
    if isinstance(recipe_of(category), ArmInteraction):
        assert any(isinstance(step, Move) and step.guard_n for step in inside)
    else:
        assert any(isinstance(step, Drive) and step.velocity_rad_s for step in inside)
    if isinstance(recipe_of(category), Grasp):
        assert any(isinstance(step, Grip) and step.holds for step in program.steps)


@pytest.mark.parametrize("name", CATEGORIES)
def test_bad_starts_are_refused(name):
    category = load_category(name)
    for bad in (np.full(6, np.nan), np.array([0, 0, np.inf, 0, 0, 0]), np.zeros(5)):
        with pytest.raises(Impossible, match="finite angles"):
            plan(category, category.objects[0].name, bad)
    with pytest.raises(Impossible, match="collision"):
        plan(category, category.objects[0].name, np.array([0.0, 0.5, 0.5, 0, 0, 0]))


@pytest.mark.parametrize("name", CATEGORIES)
def test_a_window_unlike_the_phases_is_refused(name):
    category = load_category(name)
    for frames in (category.frames + 1, category.frames - 1):
        with pytest.raises(Impossible, match="window"):
            plan(category.model_copy(update={"frames": frames}), category.objects[0].name, ur5.HOME)


@pytest.mark.parametrize("name", CATEGORIES)
def test_out_of_reach_is_refused(name):
    category = load_category(name)
    if not isinstance(recipe_of(category), ArmInteraction):
        pytest.skip("the arm does not go to the object")
    far = category.model_copy(update={"fixture": category.fixture.model_copy(update={"position_m": (1.4, 0.0, 0.0)})})
    with pytest.raises(Impossible, match="reach"):
        plan(far, category.objects[0].name, ur5.HOME)


@pytest.mark.parametrize("name", CATEGORIES)
def test_unknown_parameter_object_and_kind_are_named(name):
    category = load_category(name)
    with pytest.raises(BadData, match=r"no parameter 'spede'; known: .*obstacles"):
        plan(with_recipe(category, spede=1.0), category.objects[0].name, ur5.HOME)
    with pytest.raises(BadData, match="obstacles"):
        plan(with_recipe(category, obstacles=3), category.objects[0].name, ur5.HOME)
    with pytest.raises(UnknownName, match="known"):
        plan(category, "nothing_9", ur5.HOME)
