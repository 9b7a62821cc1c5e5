"""The one-class machine: it is scikit-learn's, it scores as it says, and what was learnt on other features is told apart."""

import json

import numpy as np
import pytest

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Phase, Timetable
from physad_ros.detectors.ocsvm import Machine, OcSvm, OcSvmConfig
from physad_ros.features.base import SNIPPET

FRAMES = 3 * SNIPPET + 8


def clip(seed, flickers=False):
    """A textured square that drifts; it may begin to flicker after the first snippet."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(60, 80, (FRAMES, 90, 160, 3), np.uint8)
    at = int(rng.integers(0, 3))
    for i, frame in enumerate(frames):
        frame[30:60, 40 + at + i // 2 : 70 + at + i // 2] = 150
    if flickers:
        frames[SNIPPET::2, 10:40, 100:140] = 220
    table = Timetable(f"c{seed}", "clip", "clip_1", "press", (Phase("press", 0.0, FRAMES / 60),), 0.0, FRAMES / 60, FRAMES)
    return Clip(table, frames, np.arange(FRAMES) / 60)


def snippets(clips=6, numbers=9, seed=0):
    """Vectors of clips whose numbers differ in scale, as those of different quantities do."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(3, 1, (5, numbers)) * 10.0 ** np.arange(-1, 2).repeat(numbers // 3)).astype(np.float32) for _ in range(clips)]


@pytest.fixture(scope="module")
def fitted():
    detector = OcSvm.preset("quick")
    detector.fit([clip(i) for i in range(8)])
    return detector


def test_as_published_it_is_the_librarys_machine_on_features_as_they_are():
    from sklearn.svm import OneClassSVM

    bags, other = snippets(), np.concatenate(snippets(seed=1))
    machine = Machine.of(bags, OcSvm.presets["paper"])
    library = OneClassSVM(kernel="rbf", gamma=0.1, nu=0.1).fit(np.concatenate(bags))
    np.testing.assert_allclose(machine.outside(other), -library.decision_function(other), atol=1e-6)
    assert np.array_equal(machine.outside(other) > 0, library.predict(other) == -1)


def test_its_scale_is_the_librarys_on_standardised_features():
    from sklearn.svm import OneClassSVM

    bags, other = snippets(), np.concatenate(snippets(seed=1))
    machine = Machine.of(bags, OcSvmConfig(standardise=True, gamma="scale"))
    library = OneClassSVM(kernel="rbf", gamma="scale", nu=0.1).fit(machine.scaling(np.concatenate(bags)).astype(float))
    np.testing.assert_allclose(machine.outside(other), -library.decision_function(machine.scaling(other)), atol=1e-6)


def test_about_a_tenth_of_the_training_snippets_lie_outside():
    bags = snippets(clips=40)
    outside = Machine.of(bags, OcSvm.presets["quick"]).outside(np.concatenate(bags)) > 0
    assert outside.mean() == pytest.approx(0.1, abs=0.02)


def test_it_finds_what_flickers_and_says_when(fitted):
    normal = [fitted.score(clip(i)).value for i in range(50, 54)]
    odd = fitted.score(clip(60, flickers=True))
    assert odd.value > max(normal)
    assert odd.per_frame[:SNIPPET].max() < odd.per_frame[SNIPPET:].min()


def test_a_clips_value_is_no_label_but_the_mean_of_its_snippets(fitted):
    scores = [fitted.score(clip(i)) for i in range(50, 54)]
    assert len({s.value for s in scores}) == 4
    assert all(s.value == pytest.approx(s.per_frame[: 3 * SNIPPET].mean()) for s in scores)


def test_the_published_machine_needs_a_checkpoint_and_says_which(monkeypatch):
    monkeypatch.delenv("PHYSAD_I3D_CHECKPOINT", raising=False)
    assert OcSvm.unavailable() == "" and OcSvm().config == OcSvm.presets["paper"]
    assert "PHYSAD_I3D_CHECKPOINT" in OcSvm.unavailable("paper")
    with pytest.raises(BadData, match="i3d has no checkpoint: set PHYSAD_I3D_CHECKPOINT"):
        OcSvm().fit([clip(0)])


def test_without_clips_or_with_one_shorter_than_a_snippet_it_is_refused():
    with pytest.raises(BadData, match="needs a clip"):
        OcSvm.preset("quick").fit([])
    short = clip(1)
    with pytest.raises(BadData, match="fewer than one snippet"):
        OcSvm.preset("quick").fit([Clip(short.timetable, short.frames[:9], short.stamps_s[:9])])


def test_before_it_is_fitted_it_scores_nothing(tmp_path):
    for use in (lambda d: d.score(clip(0)), lambda d: d.stream(clip(0).timetable), lambda d: d.save(tmp_path)):
        with pytest.raises(BadData, match="not fitted"):
            use(OcSvm.preset("quick"))


def test_what_was_learnt_on_other_features_is_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    file = tmp_path / "ocsvm.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({**facts, "features": "motion 0"}))
    with pytest.raises(BadData, match="another checkpoint or version"):
        OcSvm.load(tmp_path)
