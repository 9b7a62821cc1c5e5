"""The networks over windows of frames, small enough to be trained within a second."""

from dataclasses import replace

import moving_square

from physad_ros.detectors.base import detectors

SIZES = {"size": moving_square.SIZE, "stride": 1, "epoch": "clips", "annealed": True, "batch": 2}
CHANGES = {
    "memae": {"widths": (4, 8, 16, 16), "items": 20, "shrink": 0.05, "epochs": 16, "learning_rate": 2e-2},
    "mnad_p": {"width": 4, "epochs": 16, "learning_rate": 1e-2},
    "mnad_r": {"width": 4, "epochs": 16, "learning_rate": 1e-2},
    "mpn": {"width": 4, "epochs": 12, "learning_rate": 1e-2, "meta_epochs": 2},
}


def tiny(name, **changes):
    """A fresh one."""
    kind = detectors[name]
    return kind(replace(kind.presets["quick"], **{**SIZES, **CHANGES[name], **changes}))
