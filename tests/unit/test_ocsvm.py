"""The one-class machine: it is scikit-learn's, it scores as it says, and features other than its own are told apart."""

import numpy as np
import pytest

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Phase, Timetable
from physad_ros.detectors.ocsvm import OcSvm, OcSvmConfig

FRAMES = 40


class Brightness:
    """Features of a snippet that a test can reason about."""

    name = "brightness"
    frames = 8

    def __call__(self, frames):
        return np.array([frames.mean(), frames.std()])


def clip(seed, bright=60, flickers=False):
    rng = np.random.default_rng(seed)
    frames = rng.integers(bright, bright + 20, (FRAMES, 24, 32, 3)).astype(np.uint8)
    if flickers:
        frames[20::2, 4:16, 8:24] = 220
    table = Timetable(f"c{seed}", "clip", "clip_1", "press", (Phase("press", 0.0, FRAMES / 60),), 0.0, FRAMES / 60, FRAMES)
    return Clip(table, frames, np.arange(FRAMES) / 60)


def test_it_decides_as_the_library_does():
    from sklearn.svm import OneClassSVM

    detector = OcSvm(OcSvmConfig(gamma=0.7), Brightness())
    normals = [clip(i, bright=50 + i) for i in range(8)]
    detector.fit(normals)
    machine = detector.machine
    snippets = np.array([Brightness()(c.frames[at : at + 8]) for c in normals for at in range(0, FRAMES, 8)])
    scaled = (snippets - machine.mean) / machine.deviation
    library = OneClassSVM(kernel="rbf", gamma=0.7, nu=0.1).fit(scaled)
    assert np.allclose([machine.outside(s) for s in snippets], -library.decision_function(scaled), atol=1e-9)


def test_scaled_features_lie_a_mean_squared_distance_of_two_apart():
    detector = OcSvm(features=Brightness())
    normals = [clip(i, bright=40 + 5 * i) for i in range(8)]
    detector.fit(normals)
    snippets = np.array([Brightness()(c.frames[at : at + 8]) for c in normals for at in range(0, FRAMES, 8)])
    scaled = (snippets - detector.machine.mean) / detector.machine.deviation
    assert ((scaled[:, None] - scaled[None]) ** 2).sum(-1).mean() == pytest.approx(2)


@pytest.mark.parametrize("preset", ["paper", "quick"])
def test_it_finds_what_flickers(preset):
    detector = OcSvm.preset(preset)
    detector.fit([clip(i) for i in range(10)])
    normal = [detector.score(clip(i)).value for i in range(50, 56)]
    odd = detector.score(clip(60, flickers=True))
    assert odd.value > max(normal) and odd.per_frame[:16].max() < odd.per_frame[16:].max()


def test_as_released_the_first_snippet_alone_counts_and_only_its_label():
    detector = OcSvm.preset("released")
    detector.fit([clip(i) for i in range(10)])
    scores = {detector.score(clip(i)).value for i in range(50, 60)}
    assert scores <= {0.0, 1.0} and detector.score(clip(70, flickers=True)).value in scores
    assert detector.score(clip(71, bright=200)).value == 1.0


def test_a_clip_shorter_than_a_snippet_is_scored_by_what_there_is():
    detector = OcSvm(features=Brightness())
    detector.fit([clip(i) for i in range(6)])
    c = clip(50)
    assert len(detector.score(Clip(c.timetable, c.frames[:5], c.stamps_s[:5])).per_frame) == 5


def test_what_was_learnt_on_other_features_is_refused(tmp_path):
    detector = OcSvm(features=Brightness())
    detector.fit([clip(i) for i in range(6)])
    detector.save(tmp_path)
    assert OcSvm.load(tmp_path, Brightness()).score(clip(50)).value == pytest.approx(detector.score(clip(50)).value)
    with pytest.raises(BadData, match="brightness"):
        OcSvm.load(tmp_path)
