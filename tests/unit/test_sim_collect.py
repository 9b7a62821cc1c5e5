"""Clips made without ROS: the same clip for the same seed, whole on disk, never made twice."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from physad_ros.bench.collect import Task, collect, make, tasks
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import UnknownName
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.tree import ClipRef, load_clip, scan

HEIGHT = 72


def test_no_two_clips_share_a_seed_and_a_larger_campaign_adds_to_a_smaller_one() -> None:
    small, large = (list(tasks(["clip", "fan"], n, n, seed=1)) for n in (3, 5))
    assert set(small) < set(large)
    assert len({t.seed for t in large}) == len(large)
    assert {t.label for t in large if t.split == "train"} == {NORMAL_LABEL}
    for name in ("clip", "fan"):
        assert {t.label for t in large if t.category == name and t.split == "test"} == set(load_category(name).labels)
    assert not {t.seed for t in small} & {t.seed for t in tasks(["clip", "fan"], 3, 3, seed=2)}


def test_a_clip_is_whole_on_disk_and_follows_from_its_seed(tmp_path: Path) -> None:
    task = Task("clip", "test", "unable_rebound", 11)
    for name in ("one", "two"):
        assert make(tmp_path / name, task, HEIGHT) == ""
    (ref,) = scan(tmp_path / "one")
    assert (ref.category, ref.split, ref.label) == ("clip", "test", "unable_rebound")
    clip, again = load_clip(ref), load_clip(ClipRef(tmp_path / "two" / ref.path.relative_to(tmp_path / "one"), "clip", "test", ref.label))
    category = load_category("clip")
    assert clip.frames.shape == (category.frames, HEIGHT, 128, 3)
    assert np.array_equal(clip.signals.wrench, again.signals.wrench)
    assert np.abs(clip.frames.astype(int) - again.frames).mean() < 0.2  # x264 is not exact with pictures as small as these
    assert np.diff(clip.stamps_s) == pytest.approx(1 / 60, abs=1e-6)
    assert clip.timetable.window_begin_s == pytest.approx(clip.stamps_s[0], abs=1e-6)
    inside = clip.signals.wrench_stamps_s
    assert len(inside) == 2 * category.frames
    assert clip.timetable.window_begin_s - 1e-6 <= inside[0] and inside[-1] < clip.timetable.window_end_s
    assert clip.timetable.window_phases[0].name == "descend"


def test_what_is_on_disk_is_not_made_again(tmp_path: Path) -> None:
    (task,) = tasks(["clip"], 1, 0, seed=3)
    assert make(tmp_path, task, HEIGHT) == ""
    video = tmp_path / "clip" / "train" / f"{task.clip_id}.mp4"
    assert Manifest.read(video.with_suffix(".json")).simulator == f"MuJoCo {mujoco.__version__}"
    before = video.stat().st_mtime_ns
    assert collect(tmp_path, ["clip"], normal=1, seed=3, height=HEIGHT, jobs=1) == {"kept": 1}
    assert video.stat().st_mtime_ns == before
    video.with_suffix(".json").unlink()  # as after an interruption: not whole
    assert collect(tmp_path, ["clip"], normal=1, seed=3, height=HEIGHT, jobs=1)["made"] == 1


def test_an_unknown_category_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="clip, fan"):
        collect(tmp_path, ["clip", "fna"], normal=1)
    assert not list(tmp_path.iterdir())
