"""What a person starts: footage through the recorder and detector, a campaign that is interrupted and resumed, the camera's bench."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from physad_ros.core.catalogue import load_category
from physad_ros.core.types import FPS
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import messages
from physad_ros.dataset.topics import IMAGE
from physad_ros.dataset.video import write_video

REAL = Path(__file__).parents[3] / "shared" / "phys-ad"  # real clips, where they are


@pytest.fixture
def physad(tmp_path, another_domain):
    """Start `physad …` in a process, in a ROS domain of its own; one after another."""
    started = []

    def start(*words):
        environment = {**os.environ, "ROS_DOMAIN_ID": another_domain, "COLUMNS": "200"}
        process = subprocess.Popen([sys.executable, "-m", "physad_ros.cli", *map(str, words)], env=environment, cwd=tmp_path,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        process.stdout.close()


def ended(process, within_s=120):
    """Status and output."""
    said, _ = process.communicate(timeout=within_s)
    return process.returncode, said


def moving(frames, size=(360, 640)):
    """A bright bar that moves, with sensor noise: no two pictures are the same."""
    rng = np.random.default_rng(0)
    for i in range(frames):
        picture = rng.integers(0, 20, (*size, 3), np.uint8)
        picture[100:260, 100 + 2 * i : 140 + 2 * i] = 200
        yield picture


def test_footage_goes_through_the_same_recorder_and_detector(physad, tmp_path):
    frames = load_category("clip").frames
    write_video(tmp_path / "film.mp4", moving(frames + 30), FPS)
    words = ("inspect", "--source", "file", "--file", "film.mp4", "--category", "clip", "--out", "out")
    status, said = ended(physad(*words, "--detector", "intensity"))
    assert status in (0, 3) and f"{frames} of {frames} frames" in said, said
    (folder,) = (tmp_path / "out").iterdir()
    assert len(list(messages(folder / "bag", (IMAGE,)))) == Manifest.read(folder / "manifest.json").frames_received == frames
    assert json.loads((folder / "verdict.json").read_text())["rig"] == "footage"
    status, said = ended(physad(*words))  # what moves as no clip does is not judged as one
    assert status == 4 and "the phases cannot be found" in said, said


def test_footage_that_is_too_short_is_refused(physad, tmp_path):
    write_video(tmp_path / "film.mp4", moving(20), FPS)
    status, said = ended(physad("inspect", "--source", "file", "--file", "film.mp4", "--category", "clip", "--out", "out"))
    assert status == 4 and "the video has 20 frames" in said, said


@pytest.mark.skipif(not REAL.exists(), reason="the real clips are not here")
def test_on_real_footage_the_missing_rebound_shows(physad, tmp_path):
    findings = {}
    for name in ("clip_n", "clip_abn"):
        status, said = ended(physad("inspect", "--source", "file", "--file", REAL / f"{name}.mp4", "--category", "clip", "--out", name))
        assert status in (0, 3) and "120 of 120 frames" in said, said
        (report,) = (tmp_path / name).glob("*/verdict.json")
        findings[name] = {f["rule"]: f for f in json.loads(report.read_text())["findings"]}
    rebound = "remainder.end.rest"
    assert rebound in findings["clip_abn"] and rebound not in findings["clip_n"]


def test_a_campaign_that_is_interrupted_goes_on_from_there(physad, tmp_path):
    words = ("record", "tree", "--category", "clip", "--count", "1", "--seed", "40")
    labels = load_category("clip").labels
    first = physad(*words)
    for line in first.stdout:
        if line.startswith("1/"):
            break
    time.sleep(1.0)  # into the second
    first.send_signal(signal.SIGINT)
    status, said = ended(first)
    assert status == 130 and "interrupted" in said, said
    done = [p.parent.name for p in (tmp_path / "tree" / "bags").glob("*/verdict.json")]
    assert 1 <= len(done) < len(labels)
    kept = {name: (tmp_path / "tree" / "bags" / name / "verdict.json").stat().st_mtime_ns for name in done}
    # one that is on disk but was killed before it entered the tree enters now
    for entered in (tmp_path / "tree" / "clip").rglob(f"{done[0]}.*"):
        entered.unlink()
    status, said = ended(physad(*words))
    assert status == 0 and f"{len(done)} of {len(labels)} are on disk" in said, said
    assert all((tmp_path / "tree" / "bags" / n / "verdict.json").stat().st_mtime_ns == at for n, at in kept.items())
    for label in labels:
        assert len(list((tmp_path / "tree" / "clip" / "test" / label).glob("*.mp4"))) == 1
    status, said = ended(physad("record", "tree", "--category", "clip", "--count", "2", "--seed", "40"))
    assert status == 2 and "another campaign" in said, said
    status, said = ended(physad("evaluate", "tree", "--json"))
    told = json.loads(said.splitlines()[-1])
    assert status == 0 and told["alarms"]["clip"]["defective"] == len(labels) - 1


def test_the_camera_s_bench_ends_in_one_json_object(physad):
    status, said = ended(physad("bench-camera", "--frames", "60"), 180)
    assert status == 0, said
    told = json.loads(said.splitlines()[-1])
    keys = {"sent", "recorded", "scored", "lost", "latency_ms_p50", "latency_ms_p99"}
    assert set(told) == keys | {"default_transports"} and keys <= set(told["default_transports"])
    assert told["sent"] == 60 and told["lost"] == 60 - min(told["recorded"], told["scored"])
    assert told["latency_ms_p50"] <= told["latency_ms_p99"]
