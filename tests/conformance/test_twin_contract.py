"""What every simulated twin must keep to, whoever added it."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.types import NORMAL_LABEL, Clip
from physad_ros.interactions.base import plan
from physad_ros.sim import scene
from physad_ros.sim.player import play
from physad_ros.sim.rig import Rig
from physad_ros.sim.specimen import Specimen
from physad_ros.sim.twin import twins

NAMES = list(twins)
EVERY = [(name, label) for name in NAMES for label in load_category(name).labels]
SIZE = (64, 36)


def specimen(name: str, label: str, seed: int, which: int = 0) -> Specimen:
    objects = load_category(name).objects
    return Specimen(name, objects[which % len(objects)].name, label, 0.0 if label == NORMAL_LABEL else 0.7, seed)


def played(of: Specimen) -> tuple[Clip, list[dict[str, float]], Rig]:
    """The category's interaction, unfilmed: clip, truth at each frame, and the rig afterwards."""
    rig, truth = Rig(SIZE, of), []
    program = plan(load_category(of.category), of.object, rig.joint_state().positions_rad)
    clip = play(program, rig, look=False, on_frame=lambda stamp_s, picture: truth.append(rig.truth()))
    return clip, truth, rig


def test_each_category_has_its_twin() -> None:
    assert NAMES and set(NAMES) <= set(categories())


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_its_names_apart_from_the_rigs(name: str) -> None:
    """Every joint and body beside the rig's own begins with the category's name or is a motor of the rig."""
    empty, full = (scene.build(s, SIZE, name).model for s in (None, specimen(name, NORMAL_LABEL, 0)))
    for count, access in (("njnt", "joint"), ("nbody", "body")):
        names = [{getattr(m, access)(i).name for i in range(getattr(m, count))} for m in (empty, full)]
        added = names[1] - names[0]
        assert added
        assert all(n.startswith(name) or n.startswith(tuple(scene.SERVOS)) for n in added), added


@pytest.mark.parametrize(("name", "label"), EVERY)
def test_it_lies_still_until_it_is_touched(name: str, label: str) -> None:
    for which in range(len(load_category(name).objects)):
        rig = Rig(SIZE, specimen(name, label, which, which))
        first: dict[str, float] = {}
        for step in range(480):
            rig.step()
            if step == 240:
                first = rig.truth()
        moved = {key: abs(value - first[key]) for key, value in rig.truth().items()}
        assert moved and all(change < 2e-3 for change in moved.values()), moved


@pytest.mark.parametrize(("name", "label"), EVERY)
def test_its_interaction_plays_on_it_and_follows_from_the_seed(name: str, label: str) -> None:
    (clip, truth, rig), (clip2, truth2, _) = (played(specimen(name, label, 4)) for _ in range(2))
    assert truth == truth2
    assert np.array_equal(clip.signals.wrench, clip2.signals.wrench)
    assert np.isfinite([list(t.values()) for t in truth]).all()
    assert len(truth) == load_category(name).frames
    assert all(w.number == 0 for w in rig.data.warning), [mujoco.mju_warningText(i, 0) for i in range(len(rig.data.warning))]


@pytest.mark.parametrize("name", NAMES)
def test_specimens_differ_and_a_defect_changes_what_happens(name: str) -> None:
    def course(label: str, seed: int) -> np.ndarray:
        return np.array([list(t.values()) for t in played(specimen(name, label, seed))[1]])

    normal = course(NORMAL_LABEL, 1)
    assert np.abs(normal - course(NORMAL_LABEL, 2)).max() > 1e-4
    for label in load_category(name).defects:
        assert np.abs(normal - course(label, 1)).max() > 1e-2, label
