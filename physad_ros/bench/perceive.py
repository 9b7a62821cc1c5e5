"""Teaching perception: pictures of the untouched rig, and how often categories are told right on others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from rich.progress import track

from physad_ros.core.catalogue import categories, load_category
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


def fit_perception(count: int = 60, seed: int = 0, jobs: int = -1) -> Perception:
    """Learn every category's prototypes from ``count`` specimens each, check them on half as many others, and save them."""
    chosen = tuple(categories())
    tried = max(1, count // 2)
    tasks = [(name, seed + i) for name in chosen for i in range(count + tried)]
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(picture)(*task) for task in tasks)
    pictures = dict(zip(tasks, track(work, "looking", total=len(tasks), transient=True)))
    perceiver = Perceiver.fit({n: [pictures[n, seed + i] for i in range(count)] for n in chosen})
    perceiver.save(share_dir() / "models" / FILE)
    told = [(name, perceiver.perceive(pictures[name, seed + count + i])) for name in chosen for i in range(tried)]
    known = [(name, p) for name, p in told if p.outcome == "known"]
    right = sum(p.category == name for name, p in known)
    return Perception(len(told), right, len(told) - len(known), len(known) - right)


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
