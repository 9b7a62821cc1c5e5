"""Clips straight from the simulator, without ROS and in many processes, into a Phys-AD tree."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, delayed
from rich.progress import track

from physad_ros.bench.specimens import drawn_seed
from physad_ros.core import places
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import PhysadError, WrongUse, why
from physad_ros.core.types import NORMAL_LABEL, Clip
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.tree import clip_path, write_clip
from physad_ros.dataset.video import decode_jpeg, encode_jpeg

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One clip to be made."""

    category: str
    split: str  # train or test
    label: str
    seed: int

    @property
    def clip_id(self) -> str:
        """Also the name of its files."""
        return f"{self.category}_{self.label}_{self.seed}"


def collect(
    root: Path,
    categories: Sequence[str] = (),
    *,
    normal: int = 100,
    defective: int = 0,
    seed: int = 0,
    height: int = 360,
    jobs: int = -1,
) -> Counter[str]:
    """Make ``normal`` training clips of each category and ``defective`` test clips of each of its labels.

    A clip that is on disk is not made again, so an interrupted campaign goes on, and a larger one with the same seed adds to it.

    Returns:
        How many were "made", "kept" (on disk before) and "failed".

    Raises:
        UnknownName: a category without simulated twin.
        WrongUse: nothing is asked for, or the tree cannot be written.
        BadData, Impossible: a category's interaction cannot be planned.
    """
    if not normal and not defective:
        raise WrongUse("no clip is asked for: neither normal ones for training nor defective ones for tests")
    asked = [load_category(name) for name in dict.fromkeys(categories)]
    places.writable_folder(root)
    from physad_ros.interactions.base import check
    from physad_ros.sim.twin import twins

    for category in asked:
        _ = twins[category.name]
    names = [category.name for category in asked] or list(twins)
    for name in names:
        check(load_category(name))
    todo = list(tasks(names, normal, defective, seed))
    left = [t for t in todo if not _path(root, t).with_suffix(".json").exists()]
    done = Counter(kept=len(todo) - len(left))
    if not left:
        return done
    work = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(make)(root, task, height) for task in left)
    for fault in track(work, "collecting", total=len(left)):
        done["failed" if fault else "made"] += 1
        if fault:
            log.warning(fault)
    return done


def tasks(categories: Sequence[str], normal: int, defective: int, seed: int) -> Iterator[Task]:
    """Every clip of a campaign. No two share a specimen's seed, whatever the counts."""
    for name in categories:
        wanted = [("train", NORMAL_LABEL, normal), *(("test", label, defective) for label in load_category(name).labels)]
        for split, label, count in wanted:
            yield from (Task(name, split, label, drawn_seed(seed, f"{name}/{split}/{label}", i)) for i in range(count))


def make(root: Path, task: Task, height: int) -> str:
    """Simulate, film and write one clip; what went wrong if it could not be played, else an empty string."""
    os.environ.setdefault("LP_NUM_THREADS", "1")  # of llvmpipe: one process a core draws faster than one picture on all of them
    from physad_ros.interactions.base import plan
    from physad_ros.sim.player import play
    from physad_ros.sim.rig import Rig
    from physad_ros.sim.specimen import random_specimen

    category = load_category(task.category)
    specimen = random_specimen(task.seed, task.category, defect=task.label)
    rig = Rig((2 * round(height * 8 / 9), height), specimen)
    try:
        rig.lights.command(category.lights)
        program = plan(category, specimen.object, rig.joint_state().positions_rad)
        clip = play(program, rig, clip_id=task.clip_id, label=task.label)
    except PhysadError as error:
        return f"{task.clip_id}: {why(error)}"
    finally:
        rig.close()
    _as_the_camera_sends_it(clip)
    manifest = Manifest.of(
        clip.timetable,
        label=task.label,
        severity=specimen.severity,
        seed=task.seed,
        rig="mujoco",
        stamps_s=tuple(clip.stamps_s.tolist()),
        size=rig.size,
        lights=dict(category.lights),
    )
    write_clip(root, clip, manifest, task.split)
    return ""


def _as_the_camera_sends_it(clip: Clip) -> None:
    """JPEG and back, in place. Live frames reach the detector as the camera's JPEGs; what is learnt here must look the same."""
    for frame in clip.frames:
        frame[:] = decode_jpeg(encode_jpeg(frame))


def _path(root: Path, task: Task) -> Path:
    return clip_path(root, task.category, task.split, task.label, task.clip_id)
