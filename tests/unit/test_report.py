"""What an inspection leaves behind is whole, or its verdict does not stand."""

import errno
import json
from types import SimpleNamespace

import numpy as np
import pytest

from physad_ros.core.inspection import ClipCut, Inspection, Scored, State
from physad_ros.core.types import Outcome, Phase, Score, Timetable, Verdict
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.video import write_video
from physad_ros.nodes import report

FRAMES = 6
TABLE = Timetable("c1", "clip", "", "press", (Phase("press", 10.0, 10.1),), 10.0, 10.1, FRAMES)
NORMAL = Verdict(Outcome.NORMAL, "clip", 0.5, 1.0, "rules")
MEASURED = {"left": 0.31, "right": 0.79}


@pytest.fixture
def ended(tmp_path):
    """An inspection that went well, with the recorder's files."""
    write_video(tmp_path / "clip.mp4", [np.full((36, 64, 3), 40 * k, np.uint8) for k in range(FRAMES)], 60.0)
    stamps = tuple(10.0 + k / 60 for k in range(FRAMES))
    Manifest.of(TABLE, stamps_s=stamps, lights=MEASURED).write(tmp_path / "manifest.json")
    scored = Scored(Score(0.5, np.linspace(0, 1, FRAMES)), 1.0, "rules", FRAMES)
    now = Inspection(State.DONE, category="clip", timetable=TABLE, cut=ClipCut(str(tmp_path), FRAMES), scored=scored, verdict=NORMAL)
    return SimpleNamespace(
        now=now, folder=tmp_path, clip_id="c1", seed=7, timings_s={"verdict": 1.0}, frame_scores={}, leaves_clip=True
    )


def told(ended):
    return json.loads((ended.folder / "verdict.json").read_text())


def full(*_, **__):
    raise OSError(errno.ENOSPC, "no space left on device")


def test_the_report_of_a_good_inspection_stands(ended):
    assert report.write(ended, "mujoco", "") == (NORMAL, "")
    assert told(ended)["verdict"] == "NORMAL" and len(told(ended)["frame_scores"]) == FRAMES
    assert (ended.folder / "overview.png").stat().st_size > 1000


def test_the_manifest_gets_the_seed_and_keeps_what_was_measured(ended):
    report.write(ended, "mujoco", "")
    manifest = Manifest.read(ended.folder / "manifest.json")
    assert (manifest.seed, manifest.lights) == (7, MEASURED)


def test_without_the_recorder_s_files_nothing_is_normal(ended):
    verdict, reason = report.write(ended, "mujoco", "the clip's files cannot be written: no space")
    assert (verdict.outcome, verdict.reason) == (Outcome.INCONCLUSIVE, reason) and "no space" in reason
    assert (told(ended)["verdict"], told(ended)["reason"]) == ("INCONCLUSIVE", reason)
    assert verdict.score == NORMAL.score  # what was measured is told all the same


@pytest.mark.parametrize("what", ["write_overview", "read_video"])
def test_a_picture_that_cannot_be_written_spoils_the_verdict_everywhere(ended, monkeypatch, what):
    monkeypatch.setattr(report, what, full)
    verdict, reason = report.write(ended, "mujoco", "")
    assert verdict.outcome is Outcome.INCONCLUSIVE and "no space left" in verdict.reason == reason
    assert told(ended)["verdict"] == "INCONCLUSIVE"


def test_a_report_that_cannot_be_written_leaves_no_normal_on_disk(ended, monkeypatch):
    monkeypatch.setattr(report, "write_verdict", full)
    verdict, reason = report.write(ended, "mujoco", "")
    assert verdict.outcome is Outcome.INCONCLUSIVE and "no space left" in reason
    assert not (ended.folder / "verdict.json").exists() and not (ended.folder / "overview.png").exists()


def test_the_first_reason_stays(ended, monkeypatch):
    stalled = Verdict(Outcome.INCONCLUSIVE, "clip", reason="the camera has stalled")
    ended.now = SimpleNamespace(**{**vars(ended.now), "verdict": stalled})
    monkeypatch.setattr(report, "write_overview", full)
    verdict, reason = report.write(ended, "mujoco", "")
    assert verdict is stalled and "no space left" in reason  # who watches the node is told of it


@pytest.mark.parametrize("timetable", [None, TABLE], ids=["before the plan", "before the clip"])
def test_an_inspection_that_ended_early_has_a_picture_too(tmp_path, timetable):
    refused = Verdict(Outcome.INCONCLUSIVE, "", reason="there is nothing before the camera")
    now = Inspection(State.DONE, timetable=timetable, verdict=refused)
    ended = SimpleNamespace(
        now=now, folder=tmp_path / "c1", clip_id="c1", seed=7, timings_s={}, frame_scores={}, leaves_clip=False
    )
    assert report.write(ended, "mujoco", "") == (refused, "")
    assert {p.name for p in (tmp_path / "c1").iterdir()} == {"overview.png", "verdict.json"}
