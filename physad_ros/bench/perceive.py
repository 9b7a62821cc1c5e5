"""Teaching perception: pictures of the untouched rig, and how often categories are told right on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from rich.progress import track

from physad_ros.bench.specimens import drawn_seed
from physad_ros.core import places
from physad_ros.core.catalogue import load_category
from physad_ros.core.paths import share_dir
from physad_ros.dataset.video import decode_jpeg, encode_jpeg
from physad_ros.perception.prototypes import FILE, Perceiver

SIZE = (640, 360)
SETTLE_FRAMES = 12  # of the lights and of what was put down


@dataclass(frozen=True)
class Perception:
    """How the prototypes did on pictures they were not learnt from."""

    pictures: int
    right: int
    unsure: int
    wrong: int
    contradicted: int  # of these pictures, although each was named rightly
    misnamed: int  # times that a picture was named as another category
    caught: int  # of these, that it contradicted


def fit_perception(count: int = 60, seed: int = 0, jobs: int = -1) -> Perception:
    """Learn the prototypes of every category with a twin from ``count`` specimens each, check them on half as many others, save them."""
    from physad_ros.sim.twin import twins

    places.writable_file(share_dir() / "models" / FILE)
    learnt, tried = specimens(tuple(twins), count, seed)
    tasks = [*learnt, *tried]
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(picture)(*task) for task in tasks)
    pictures = dict(zip(tasks, track(work, "looking", total=len(tasks), transient=True)))
    perceiver = Perceiver.fit({name: [pictures[task] for task in learnt if task[0] == name] for name in twins})
    perceiver.save(share_dir() / "models" / FILE)
    told = [(task[0], perceiver.perceive(pictures[task])) for task in tried]
    known = [(name, p) for name, p in told if p.outcome == "known"]
    right = sum(p.category == name for name, p in known)
    doubts = [[perceiver.perceive(pictures[task], named=name).contradicts for name in (task[0], *(set(twins) - {task[0]}))] for task in tried]
    contradicted, caught = sum(of[0] for of in doubts), sum(sum(of[1:]) for of in doubts)
    return Perception(len(told), right, len(told) - len(known), len(known) - right, contradicted, len(told) * (len(twins) - 1), caught)


def specimens(names: Sequence[str], count: int, seed: int) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Category and seed of each specimen that is learnt from, and of each that is tried on."""
    learnt = [(name, drawn_seed(seed, f"{name}/perception/learnt", i)) for name in names for i in range(count)]
    tried = [(name, drawn_seed(seed, f"{name}/perception/tried", i)) for name in names for i in range(max(1, count // 2))]
    return learnt, tried


def picture(name: str, seed: int) -> NDArray[np.uint8]:
    """What the camera sees of a specimen before it is touched, as it sends it."""
    from physad_ros.sim.rig import STEPS_PER_FRAME, Rig
    from physad_ros.sim.specimen import random_specimen

    rig = Rig(SIZE, random_specimen(seed, name))
    try:
        rig.lights.command(load_category(name).lights)
        for _ in range(SETTLE_FRAMES * STEPS_PER_FRAME):
            rig.step()
        return decode_jpeg(encode_jpeg(rig.render().picture))
    finally:
        rig.close()
