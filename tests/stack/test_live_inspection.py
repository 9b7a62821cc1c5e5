"""Whole inspections over the live graph: one of each category, from perception to the files that it leaves."""

import hashlib
import json

import mujoco
import numpy as np
import pytest
from live_graph import inspecting

from physad_msgs.msg import Interaction, Verdict
from physad_msgs.srv import RevealSpecimen
from physad_ros.core.catalogue import load_category
from physad_ros.core.inspection import State
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import read_clip
from physad_ros.dataset.report import Report
from physad_ros.detectors.base import detectors
from physad_ros.nodes import rig_truth
from physad_ros.rules.bank import Bank
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
    assert manifest.simulator == report["versions"]["simulator"] == f"MuJoCo {mujoco.__version__}"


def test_what_lay_there_is_told_after_the_verdict_and_agrees_with_it(inspected, live):
    category, verdict = inspected
    report = Report.read(live.folder(verdict) / "verdict.json")
    defect = next(iter(load_category(category).defects))
    assert (report.truth.category, report.truth.defect, report.truth.severity, report.truth.seed) == (category, defect, 1.0, 11)
    assert defect in report.defects == tuple(verdict.defects)
    assert report.compared.endswith("The verdict is right.")


def test_what_was_measured_and_by_what_is_told(inspected, live):
    category, verdict = inspected
    report = Report.read(live.folder(verdict) / "verdict.json")
    bank = load_category(category).folder / "rules.yaml"
    assert report.versions.detector == {"rules.yaml": hashlib.sha256(bank.read_bytes()).hexdigest()}
    assert len(report.measured) == len(Bank.read(bank.parent).rules)
    broken = {(m.phase, m.quantity) for m in report.measured if m.margin < 0}
    assert {(f.phase, f.quantity) for f in report.findings} <= broken


def test_nobody_learns_the_truth_before_the_verdict_is_told(live, monkeypatch):
    """Whoever asks for it meanwhile waits, and of all nodes only the inspector can ask."""
    monkeypatch.setattr(rig_truth, "HEARD_S", 60.0)
    live.operator.place("clip", "", NORMAL_LABEL, -1.0, 3)
    handle = live.begin(seed=3)
    live.wait(lambda: live.state() is State.INTERACTING)
    clip_id = live["inspector"]._course.clip_id
    told = []
    client = live.make(live.probe.create_client, RevealSpecimen, "/mujoco_rig/reveal")
    live.wait(client.service_is_ready)
    client.call_async(RevealSpecimen.Request(clip_id=clip_id)).add_done_callback(
        lambda answer: told.append((answer.result(), [v.clip_id for v in live.verdicts]))
    )
    live.result(handle.get_result_async(), 60.0)
    live.wait(lambda: told)
    (answer, concluded), = told
    assert answer.success and answer.category == "clip" and clip_id in concluded
    asking = {name for name in live.nodes if any("reveal" in c.srv_name for c in live[name].clients)}
    assert asking == {"inspector"}


def test_the_truth_is_refused_where_there_is_no_verdict(live, monkeypatch):
    monkeypatch.setattr(rig_truth, "HEARD_S", 0.2)
    answer = live.call(RevealSpecimen, "/mujoco_rig/reveal", RevealSpecimen.Request(clip_id="never"))
    assert (answer.success, answer.category, answer.defect) == (False, "", "") and "never" in answer.message


def test_a_specimen_that_was_put_down_later_is_not_what_was_judged(live):
    live.operator.place("clip", "", NORMAL_LABEL, -1.0, 3)
    handle = live.begin(seed=3)
    live.wait(lambda: live.state() is State.JUDGING)
    live.operator.place("clip", "", NORMAL_LABEL, -1.0, 4)
    verdict = live.result(handle.get_result_async(), 60.0).result.verdict
    report = Report.read(live.folder(verdict) / "verdict.json")
    assert (report.category, report.truth, report.compared) == ("clip", None, "")


def test_a_wrong_name_is_no_defect_unless_it_is_trusted(live):
    live.operator.place("clip", "", NORMAL_LABEL, -1.0, 3)
    plans = live.collect(Interaction, "/interaction/plan")
    verdict = live.inspect(category="slide", seed=3)
    assert (verdict.verdict, plans) == (Verdict.INCONCLUSIVE, [])  # the arm was asked for nothing
    assert "shows clip, not slide" in verdict.reason
    report = Report.read(live.folder(verdict) / "verdict.json")
    assert report.perception.contradicts and report.compared.endswith("There is no verdict to compare.")
    trusted = live.operator.inspect("", "slide", "", 3, live.out, trust_category=True, part="P-7", serial="0012")
    assert plans and plans[0].category == "slide"
    report = Report.read(live.folder(trusted) / "verdict.json")
    assert (report.part, report.serial, report.truth.category) == ("P-7", "0012", "clip")


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
