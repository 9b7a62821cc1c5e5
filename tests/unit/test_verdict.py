"""verdict.json: what an inspection tells beyond the verdict itself, and that older files still read."""

import hashlib
import json
import platform
import re
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from physad_ros.core import versions
from physad_ros.core.decision import defects_shown
from physad_ros.core.errors import BadData
from physad_ros.core.types import Finding, MeasuredValue, Outcome, Percept, Phase, Timetable, Truth, Verdict
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.report import MeasuredEntry, Report, Versions, compared
from physad_ros.detectors.storage import fingerprint

TABLE = Timetable("c1", "fan", "fan_2", "drive", (Phase("run", 5.0, 6.0),), 5.0, 6.0, 60)
STUCK = Truth("fan", "fan_2", "stuck", 0.6321, 7)
WHOLE = Truth("fan", "fan_2", "anomaly_free", 0.0, 7)


def finding(quantity, phase, violation, value=0.0):
    return Finding(f"{quantity}.mean.{phase}", phase, quantity, value, 1.0, 2.0, "rad/s", violation, 5.0, 5.5, "it did not turn")


def report(outcome=Outcome.ANOMALOUS, category="fan", findings=(), **known):
    verdict = Verdict(outcome, category, 4.0, 1.0, "rules", tuple(findings))
    return Report.of(verdict, TABLE, None, **{
        "clip_id": "c1", "seed": 7, "rig": "mujoco", "frames_received": 60, "timings_s": {}, "frame_scores": [0.0, np.nan], **known
    })


def test_all_that_is_told_reads_back(tmp_path):
    at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone(timedelta(hours=2)))
    measured = MeasuredEntry.of(MeasuredValue("run", "turning_rate", "mean", "rad/s", 1.25, 1.0, 2.0, 0.5))
    blind = MeasuredEntry.of(MeasuredValue("run", "shake", "most", "mm", float("nan"), 0.0, 1.0, 3.0))
    whole = report(
        findings=[finding("turning_rate", "run", 3.0, float("nan"))], time=at, part="P-7", serial="0012", truth=STUCK, defects=("stuck",),
        measured=(measured, blind), versions=Versions.now("mujoco", {"rules.yaml": "ab"}),
    )
    whole.write(tmp_path / "verdict.json")
    again = Report.read(tmp_path / "verdict.json")
    assert (again.time, again.part, again.serial, again.truth, again.defects) == (at, "P-7", "0012", STUCK, ("stuck",))
    assert again.versions == whole.versions and again.measured[0] == measured and measured.margin == 0.5
    assert np.isnan(again.findings[0].value) and np.isnan(again.measured[1].value) and np.isnan(again.frame_scores[1])
    plain = json.loads((tmp_path / "verdict.json").read_text())  # as other programs read it
    assert (plain["time"], plain["truth"]["defect"], plain["versions"]["detector"]) == ("2026-05-04T03:02:01+02:00", "stuck", {"rules.yaml": "ab"})


def test_a_time_without_a_zone_is_none():
    with pytest.raises(ValueError, match="time"):
        report(time=datetime(2026, 5, 4))


def test_a_verdict_of_before_reads_and_names_nobody_s_truth(tmp_path):
    file = tmp_path / "verdict.json"
    report(findings=[finding("turning_rate", "run", 3.0)]).write(file)
    old = json.loads(file.read_text())
    for name in ("version", "time", "part", "serial", "defects", "measured", "truth", "versions"):
        del old[name]
    old["perception"] = {"outcome": "known", "category": "fan", "confidence": 0.9, "attributes": [], "region": [0, 0, 1, 1]}
    file.write_text(json.dumps(old))
    read = Report.read(file)
    assert read.perception == Percept("known", "fan", 0.9, (), (0, 0, 1, 1)) and read.findings[0].quantity == "turning_rate"
    assert (read.time, read.truth, read.versions, read.measured, compared(tmp_path)) == (None, None, None, (), "")


def test_a_verdict_that_cannot_be_used_names_its_field(tmp_path):
    (tmp_path / "verdict.json").write_text('{"clip_id": "x"}')
    with pytest.raises(BadData, match="category"):
        Report.read(tmp_path / "verdict.json")
    assert compared(tmp_path) == compared(tmp_path / "none") == ""


def test_a_manifest_of_before_reads():
    manifest = json.loads(Manifest.of(TABLE, simulator="MuJoCo 9").model_dump_json())
    assert manifest.pop("simulator") == "MuJoCo 9"
    assert Manifest.model_validate_json(json.dumps(manifest)).simulator == ""


@pytest.mark.parametrize(("outcome", "truth", "words"), [
    (Outcome.ANOMALOUS, STUCK, "On the twin: fan_2, stuck, severity 0.63. The verdict is right."),
    (Outcome.NORMAL, WHOLE, "On the twin: fan_2, without a defect. The verdict is right."),
    (Outcome.ANOMALOUS, WHOLE, "On the twin: fan_2, without a defect. The verdict is wrong: a false alarm."),
    (Outcome.NORMAL, STUCK, "On the twin: fan_2, stuck, severity 0.63. The verdict is wrong: the defect was missed."),
    (Outcome.INCONCLUSIVE, STUCK, "On the twin: fan_2, stuck, severity 0.63. There is no verdict to compare."),
    (Outcome.ANOMALOUS, Truth("clip", "clip_1", "anomaly_free", 0.0, 7),
     "On the twin: clip_1, without a defect. The verdict does not count: it was judged as fan."),
    (Outcome.ANOMALOUS, None, ""),
])
def test_verdict_and_truth_are_compared_in_plain_words(outcome, truth, words, tmp_path):
    told = report(outcome, truth=truth)
    told.write(tmp_path / "verdict.json")
    assert told.compared == compared(tmp_path) == words


@pytest.mark.parametrize(("defects", "words"), [
    (("stuck", "uneven"), "is right."), (("vibrate",), "is right, but it names another defect."), ((), "is right."),
])
def test_another_defect_than_the_one_that_is_named_is_told(defects, words):
    assert report(truth=STUCK, defects=defects).compared.endswith(words)


@pytest.mark.parametrize(("findings", "defects"), [
    ([finding("shake_sideways", "run", 3.0)], ("vibrate",)),
    ([finding("turning_rate", "run", 3.0)], ("stuck", "uneven")),  # both show so
    ([finding("turning_rate", "run", 3.0), finding("shake_sideways", "run", 2.0)], ("stuck", "uneven")),
    ([finding("shake_sideways", "spin_down", 9.0), finding("shake_sideways", "run", 2.0)], ("vibrate",)),  # the first is no sign
    ([finding("shake_sideways", "run", 2.0), finding("turning_rate", "run", 3.0)], ("stuck", "uneven")),  # the worst, wherever it stands
    ([finding("turning_rate", "spin_down", 3.0)], ()),
    ([], ()),
])
def test_the_defect_is_named_by_the_worst_known_sign(findings, defects):
    assert defects_shown(Verdict(Outcome.ANOMALOUS, "fan", 4.0, 1.0, "rules", tuple(findings))) == defects


def test_what_is_not_anomalous_has_no_defect():
    shown = (finding("turning_rate", "run", 3.0),)
    assert defects_shown(Verdict(Outcome.INCONCLUSIVE, "fan", findings=shown)) == defects_shown(Verdict(Outcome.NORMAL, "fan", findings=shown)) == ()


def test_a_detector_s_files_have_the_sums_that_sha256sum_says(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules: []\n")
    (tmp_path / "rules_of_thumb.json").write_text("{}")
    (tmp_path / "intensity.json").write_text("{}")
    assert fingerprint(tmp_path, "rules") == {"rules.yaml": hashlib.sha256(b"rules: []\n").hexdigest()}
    assert fingerprint(tmp_path, "intensity") == {"intensity.json": hashlib.sha256(b"{}").hexdigest()}
    assert fingerprint(tmp_path, "patchcore") == {}


def test_versions_are_those_at_work():
    import mujoco

    assert versions.simulator("mujoco") == f"MuJoCo {mujoco.__version__}"
    assert versions.simulator("ur5") == versions.simulator("footage") == ""
    assert re.fullmatch(r"\d+\.\d+\.\d+", versions.physad()) and versions.python() == platform.python_version()
    assert versions.installed("no-such-package") == ""


def test_a_sourced_ros_goes_before_the_wheels(monkeypatch):
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    assert versions.ros() == "jazzy"
