"""Every detector: fits normals, scores as it streams, saves and reads back, refuses what it cannot use."""

from dataclasses import replace

import numpy as np
import pytest

from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Phase, Signals, Timetable
from physad_ros.detectors.base import Setting, detectors
from physad_ros.detectors.storage import fingerprint

FRAMES, HEIGHT, WIDTH = 120, 90, 160
SPANS = (("descend", 0.0, 0.4), ("press", 0.4, 0.8), ("hold", 0.8, 1.2), ("release", 1.2, 1.6), ("rest", 1.6, 2.0))


def clip(seed, stays=0.0):
    """A block that a pale finger pushes down; ``stays`` is the share that does not come back."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 6, (FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    offset = int(rng.integers(0, 3))
    for i, frame in enumerate(frames):
        down = float(np.clip(min((i - 24) / 24, (96 - i) / 24), 0, 1))
        pushed = round(14 * (down if i < 72 else max(down, stays)))
        frame[50 + pushed : 70 + pushed, 50 + offset : 110] = (170, 90, 20)
        frame[: 20 + round(20 * down), 70:84] = (225, 225, 225)
    table = Timetable(f"c{seed}", "clip", "clip_1", "press", tuple(Phase(*s) for s in SPANS), 0.0, 2.0, FRAMES)
    return Clip(table, frames, np.arange(FRAMES) / 60, Signals.none(), None)


def labelled():
    """A few defective clips, which methods of the setting WEAK learn from."""
    return [replace(clip(30 + i, stays=1.0), label="unable_rebound") for i in range(3)]


@pytest.fixture(scope="module", params=sorted(detectors))
def fitted(request):
    if reason := detectors[request.param].unavailable():
        pytest.skip(f"{request.param}: {reason}")
    detector = detectors[request.param].preset("quick")
    normal = [clip(i) for i in range(15)]
    detector.fit([*normal, *labelled()] if detector.card.setting is Setting.WEAK else normal)
    return detector


def test_there_are_detectors():
    assert {"rules", "intensity", "frame_difference"} <= set(detectors)


def test_a_score_has_one_number_a_frame_and_is_the_same_again(fitted):
    one, other = fitted.score(clip(50)), fitted.score(clip(50))
    assert np.isfinite(one.value) and one.per_frame.shape == (FRAMES,) and np.isfinite(one.per_frame).all()
    assert one.value == other.value and np.array_equal(one.per_frame, other.per_frame)
    assert [f.rule for f in one.findings] == [f.rule for f in other.findings]


def test_streaming_is_scoring(fitted):
    c = clip(51)
    stream = fitted.stream(c.timetable)
    pushed = [stream.push(f, float(s)) for f, s in zip(c.frames, c.stamps_s)]
    assert np.isfinite(pushed).all()
    assert stream.finish(c.signals).value == fitted.score(c).value


def test_saved_and_read_it_scores_the_same_and_keeps_its_threshold(fitted, tmp_path):
    fitted.calibrate(1.5, 0.05, 20)
    fitted.save(tmp_path)
    named = next(name for name in detectors if detectors[name] is type(fitted))
    assert set(fingerprint(tmp_path, named)) == {file.name for file in tmp_path.rglob("*")} != set()  # a report tells all of them
    again = type(fitted).load(tmp_path)
    assert again.threshold == 1.5
    assert again.score(clip(52)).value == pytest.approx(fitted.score(clip(52)).value, rel=1e-6, abs=1e-6)


def test_what_is_not_there_or_broken_is_refused(fitted, tmp_path):
    with pytest.raises(BadData, match="fit"):
        type(fitted).load(tmp_path)
    with pytest.raises(BadData):
        fitted.stream(clip(0).timetable).finish(Signals.none())


@pytest.mark.parametrize("name", sorted(n for n in detectors if detectors[n].card.setting is Setting.WEAK))
def test_what_learns_from_labels_says_when_there_are_none(name):
    if reason := detectors[name].unavailable():
        pytest.skip(f"{name}: {reason}")
    with pytest.raises(BadData, match="defective"):
        detectors[name].preset("quick").fit([clip(0), clip(1)])


@pytest.mark.parametrize("category", categories())
def test_every_category_has_its_bank(category):
    detector = detectors["rules"].load(load_category(category).folder)
    assert np.isfinite(detector.threshold) and detector.bank.category == category
    assert {r.phase for r in detector.bank.rules} <= {s.name for s in detector.bank.phases}
