"""Before any test imports MuJoCo: the package says which OpenGL it draws with, and MuJoCo looks only once. And a toy data set."""

import signal

import hypothesis
import numpy as np
import pytest

import physad_ros.sim  # noqa: F401
from physad_ros.core.types import NORMAL_LABEL, Clip, Phase, Timetable
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.tree import clip_path, write_clip
from physad_ros.dataset.video import write_video

# how long an example takes says more of what else the machine does than of the code
hypothesis.settings.register_profile("physad", deadline=None)
hypothesis.settings.load_profile("physad")

# what a shell starts in the background has Ctrl-C ignored, and so would the programs that tests start and interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)

TOY_FRAMES = 16
TOY_PHASES = (Phase("rise", 0.0, 0.1), Phase("fall", 0.1, TOY_FRAMES / 60))


@pytest.fixture(scope="session")
def toy_tree(tmp_path_factory):
    """A Phys-AD tree of two made-up categories whose defects are too bright (`glare`) or too dark (`dull`), less so in `pale`.

    The clips of `bold` have manifests, those of `pale` do not, as the released data set.
    """
    root = tmp_path_factory.mktemp("toys")
    rng = np.random.default_rng(0)
    wanted = {("train", NORMAL_LABEL): 12, ("test", NORMAL_LABEL): 5, ("test", "glare"): 5, ("test", "dull"): 5}
    for category, reach in (("bold", 60), ("pale", 12)):
        for (split, label), count in wanted.items():
            shift = reach * {"glare": 1, "dull": -1}.get(label, 0)
            for i in range(count):
                frames = rng.normal(120 + shift + rng.normal(0, 6), 8, (TOY_FRAMES, 48, 64, 3)).clip(0, 255).astype(np.uint8)
                _write(root, category, split, label, f"{category}_{split}_{label}_{i}", frames)
    return root


def _write(root, category, split, label, clip_id, frames):
    if category == "pale":
        write_video(clip_path(root, category, split, label, clip_id), frames, 60.0, 20)
        return
    table = Timetable(clip_id, category, "", "", TOY_PHASES, 0.0, TOY_FRAMES / 60, TOY_FRAMES)
    clip = Clip(table, frames, np.arange(TOY_FRAMES) / 60, label=label)
    write_clip(root, clip, Manifest.of(table, label=label), split)
