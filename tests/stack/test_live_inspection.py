"""Whole inspections over the live graph: one of each category, from perception to the files that it leaves."""

import json

import numpy as np
import pytest
from live_graph import inspecting

from physad_msgs.msg import Verdict
from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import read_clip
from physad_ros.detectors.base import detectors
from physad_ros.sim.twin import twins

CATEGORIES = sorted(twins)
FILES = {"verdict.json", "overview.png", "clip.mp4", "manifest.json", "signals.npz", "bag"}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    out = tmp_path_factory.mktemp("inspections")
    with inspecting(category=CATEGORIES[0], defect=NORMAL_LABEL, seed=1, out=str(out), height=360) as graph:
        yield graph


@pytest.fixture(scope="module", params=CATEGORIES)
def inspected(request, live):
    """A defective specimen of each category, its category to be perceived; inspected once for all tests here."""
    defect = next(iter(load_category(request.param).defects))
    live.operator.place(request.param, "", defect, 1.0, 11)
    return request.param, live.inspect(seed=11)


def test_it_is_perceived_seen_whole_and_judged(inspected):
    category, verdict = inspected
    assert (verdict.category, verdict.reason) == (category, "")
    assert 0.0 < verdict.category_confidence <= 1.0
    assert verdict.frames_received == verdict.frames_expected == load_category(category).frames
    assert verdict.verdict == Verdict.ANOMALOUS
    assert verdict.findings and all(f.sentence and f.violation > 0 for f in verdict.findings)


def test_it_leaves_its_files(inspected, live):
    _, verdict = inspected
    assert {p.name for p in live.folder(verdict).iterdir()} == FILES
    report = json.loads((live.folder(verdict) / "verdict.json").read_text())
    assert report["verdict"] == "ANOMALOUS"
    assert report["score"] == pytest.approx(verdict.score)
    assert [f["sentence"] for f in report["findings"]] == [f.sentence for f in verdict.findings]
    assert len(report["frame_scores"]) == verdict.frames_expected
    manifest = Manifest.read(live.folder(verdict) / "manifest.json")
    assert (manifest.seed, manifest.rig, manifest.frames_received) == (11, "mujoco", verdict.frames_received)


def test_the_bag_scored_again_gives_the_live_verdict(inspected, live):
    category, verdict = inspected
    detector = detectors[verdict.detector].load(load_category(category).folder)
    clip = read_clip(live.folder(verdict) / "bag", detector.height)
    score = detector.score(clip)
    assert score.value == pytest.approx(verdict.score, rel=1e-9)
    assert [f.rule for f in score.findings] == [f.rule for f in verdict.findings]
    report = json.loads((live.folder(verdict) / "verdict.json").read_text())
    np.testing.assert_allclose(score.per_frame, report["frame_scores"], rtol=1e-9)
    stream = detector.stream(clip.timetable)
    pushed = [stream.push(frame, float(stamp)) for frame, stamp in zip(clip.frames, clip.stamps_s)]
    np.testing.assert_allclose(pushed, live.frame_scores(verdict), rtol=1e-9)  # as they were published, one by one


def test_the_verdict_comes_soon_after_the_last_frame(inspected, live):
    _, verdict = inspected
    report = json.loads((live.folder(verdict) / "verdict.json").read_text())
    assert report["timings_s"]["verdict_after_last_frame"] < 1.5  # 0.2 s on an idle machine, which this one may not be


def test_a_second_request_meanwhile_is_refused(live):
    from physad_ros.core.errors import PhysadError

    handle = live.begin(seed=1)
    with pytest.raises(PhysadError, match="busy"):
        live.operator.inspect("", "", "", 1, live.out)
    handle.cancel_goal_async()
    live.wait(lambda: live["inspector"]._course is None, 30.0)


def test_an_unknown_category_is_told_with_the_known_ones(live):
    verdict = live.inspect(category="spoon")
    assert verdict.verdict == Verdict.INCONCLUSIVE
    assert "clip" in verdict.reason and "spoon" in verdict.reason
