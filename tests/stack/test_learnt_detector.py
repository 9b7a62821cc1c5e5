"""A network that was trained elsewhere judges live, by its name and the folder of its run."""

import json
from pathlib import Path

import numpy as np
import pytest
from live_graph import inspecting

from physad_msgs.msg import Verdict
from physad_ros.bench.jobs import job_folder
from physad_ros.bringup import StackArguments, ready
from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL, Clip, Timetable
from physad_ros.dataset.reading import read_clip
from physad_ros.detectors.base import detectors
from physad_ros.detectors.mnad import MNADConfig

NAME, CATEGORY = "mnad_r", "fan"


def trained(folder):
    """A small network that has seen next to nothing, as a run of `physad bench` leaves it: what it says does not matter here."""
    detector = detectors[NAME](MNADConfig(size=32, width=4, window=1, batch=2, epochs=1))
    frames = np.random.default_rng(0).integers(0, 255, (8, 36, 64, 3), np.uint8)
    clip = Clip(Timetable("toy", CATEGORY, "", "", (), 0.0, 8 / 60, 8), frames, np.arange(8) / 60)
    detector.fit([clip, clip])
    detector.calibrate(0.0, 0.05, 1)
    detector.save(job_folder(folder, NAME, 0, CATEGORY))
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return ready(StackArguments(detector=NAME, models=str(trained(tmp_path_factory.mktemp("run"))), category=CATEGORY)).models


@pytest.fixture(scope="module")
def live(tmp_path_factory, models):
    out = tmp_path_factory.mktemp("inspections")
    arguments = dict(category=CATEGORY, defect=NORMAL_LABEL, seed=3, out=str(out), height=360, detector=NAME, models=models)
    with inspecting(**arguments) as graph:
        yield graph


def test_it_judges_every_frame_and_the_bag_gives_the_same_score(live, models):
    verdict = live.inspect(CATEGORY, seed=3)
    assert (verdict.detector, verdict.reason) == (NAME, "")
    assert verdict.verdict in (Verdict.NORMAL, Verdict.ANOMALOUS) and np.isfinite(verdict.score)
    assert verdict.frames_received == verdict.frames_expected == load_category(CATEGORY).frames
    report = json.loads((live.folder(verdict) / "verdict.json").read_text())
    detector = detectors[NAME].load(Path(models) / CATEGORY)
    score = detector.score(read_clip(live.folder(verdict) / "bag", detector.height))
    assert score.value == pytest.approx(verdict.score, rel=1e-6)
    np.testing.assert_allclose(score.per_frame, report["frame_scores"], rtol=1e-6)
