"""What the simulated camera shows follows from the seed and from the lights, and comes at exactly 60 Hz."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import UnknownName
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.sim.readings import Frame
from physad_ros.sim.rig import STEPS_PER_FRAME, Rig
from physad_ros.sim.scene import Eye
from physad_ros.sim.specimen import random_specimen
from physad_ros.sim.twin import twins

SIZE = (128, 72)
Make = Callable[..., Rig]


@pytest.fixture
def rigs() -> Iterator[Make]:
    """Makes rigs and gives their OpenGL contexts back."""
    made: list[Rig] = []

    def make(seed: int, category: str = "clip", size: tuple[int, int] = SIZE, empty: bool = False) -> Rig:
        specimen = None if empty else random_specimen(seed, category, defect=NORMAL_LABEL)
        made.append(Rig(size, specimen, category))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


def film(rig: Rig, frames: int) -> list[Frame]:
    taken = []
    while len(taken) < frames:
        if rig.frame_due:
            taken.append(rig.render())
        rig.step()
    return taken


def picture(rig: Rig) -> NDArray[np.uint8]:
    return film(rig, 1)[0].picture


def test_stamps_are_exactly_sixty_a_second(rigs: Make) -> None:
    stamps = [frame.stamp_ns for frame in film(rigs(0, empty=True, size=(32, 18)), 61)]
    assert stamps[0] == 0 and stamps[60] == 1_000_000_000
    assert all(abs(stamp - k * 1e9 / 60) <= 0.5 for k, stamp in enumerate(stamps))


def test_a_frame_cannot_be_had_between_exposures(rigs: Make) -> None:
    rig = rigs(0, empty=True)
    rig.step()
    assert not rig.frame_due
    with pytest.raises(ValueError, match="no frame is due"):
        rig.render()


def test_the_same_seed_gives_the_same_frames_and_another_seed_others(rigs: Make) -> None:
    first, again, other = (film(rigs(seed), 3) for seed in (5, 5, 6))
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(first, again))
    assert np.abs(first[0].picture.astype(int) - other[0].picture).mean() > 0.5


@pytest.mark.parametrize("channel", ["left", "right"])
def test_each_light_brightens_the_picture_steadily(rigs: Make, channel: str) -> None:
    rig = rigs(3)
    means = []
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        rig.lights.command({"left": 0.0, "right": 0.0, channel: level})
        for _ in range(3 * STEPS_PER_FRAME):
            rig.step()
        assert rig.light_state()[channel] == pytest.approx(level)
        means.append(picture(rig).mean())
    assert np.all(np.diff(means) > 0.05)


def test_the_lights_come_from_their_sides(rigs: Make) -> None:
    seen = {}
    for side, other in (("left", "right"), ("right", "left")):
        rig = rigs(2, "fan", (160, 90))
        rig.lights.command({side: 1.0, other: 0.0})
        for _ in range(3 * STEPS_PER_FRAME):
            rig.step()
        seen[side] = picture(rig).astype(int)
    assert np.abs(seen["left"] - seen["right"]).max() > 40


def test_the_object_stands_out_against_a_dark_surrounding(rigs: Make) -> None:
    for category in twins:
        with_object, without = (picture(rigs(1, category, empty=empty)).max(axis=2) for empty in (False, True))
        assert with_object.max() > 100
        assert np.median(without) < 30
        assert (with_object > 60).mean() > (without > 60).mean() + 0.01


@pytest.mark.parametrize("size", [(1920, 1080), (256, 256), (65, 35)])
def test_it_draws_in_any_size(rigs: Make, size: tuple[int, int]) -> None:
    taken = picture(rigs(1, size=size))
    assert taken.shape == (size[1], size[0], 3) and taken.dtype == np.uint8
    assert taken.max() > 100


def test_nothing_in_sight_is_left_out(rigs: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for category in twins:
        rig = rigs(1, category)
        rig.render()
        eye = Eye(rig.scene)
        culled = eye.see().astype(int)
        hidden = (rig.model.geom_group != rig.scene.groups).mean()
        rig.model.geom_group[:] = rig.scene.groups
        monkeypatch.setattr(eye, "_leave_out_what_is_beside", lambda camera: None)
        assert np.abs(culled - eye.see()).max() == 0
        assert hidden > 0.3  # and much is left out
        eye.close()


def test_a_frozen_camera_repeats_itself_and_a_sound_one_never_does(rigs: Make) -> None:
    rig = rigs(1)
    sound = film(rig, 4)
    rig.frozen_camera = True
    frozen = film(rig, 3)
    assert not any(np.array_equal(a.picture, b.picture) for a, b in pairwise(sound))
    assert all(np.array_equal(frame.picture, sound[-1].picture) for frame in frozen)
    assert np.all(np.diff([frame.stamp_ns for frame in sound + frozen]) > 0)


def test_a_stalled_camera_sends_nothing_and_comes_back_in_step(rigs: Make) -> None:
    rig = rigs(1, empty=True)
    rig.stalled_camera = True
    due = []
    for _ in range(60):
        due.append(rig.frame_due)
        rig.step()
    assert not any(due)
    rig.stalled_camera = False
    assert film(rig, 1)[0].stamp_ns == round(8 * 1e9 / 60)


def test_a_random_specimen_is_what_was_asked_for() -> None:
    labels = set()
    for seed in range(200):
        specimen = random_specimen(seed)
        category = load_category(specimen.category)
        assert specimen == random_specimen(seed)
        assert specimen.defect in category.labels and specimen.object in {o.name for o in category.objects}
        assert (specimen.severity == 0) == (specimen.defect == NORMAL_LABEL)
        labels.add((specimen.category, specimen.defect))
    assert labels == {(name, label) for name in twins for label in load_category(name).labels}
    asked = random_specimen(7, "fan", "fan_2", "stuck", 0.3)
    assert (asked.category, asked.object, asked.defect, asked.severity) == ("fan", "fan_2", "stuck", 0.3)
    for wrong in (("fna", None, None), ("fan", "fan_99", None), ("fan", None, "unable_press")):
        with pytest.raises(UnknownName, match="known"):
            random_specimen(0, *wrong)


def test_streams_of_one_seed_are_independent() -> None:
    specimen = random_specimen(1, "fan")
    a, b, again = specimen.rng("a").random(100), specimen.rng("b").random(100), specimen.rng("a").random(100)
    assert np.array_equal(a, again)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.4
