"""Who is fitted on, who calibrates, who is tested: seeded splits of a Phys-AD tree, the same for every method of a run."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.core import words
from physad_ros.core.decision import conformal_threshold
from physad_ros.core.errors import BadData, WrongUse, why
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.files import write_json
from physad_ros.dataset.tree import ClipRef
from physad_ros.detectors.base import Detector

LEAVE_OUT = "or leave the category out by naming the others with --category"
SHOTS = (2, 3, 4)  # labelled clips of a defect in the paper's weakly supervised setting


@dataclass(frozen=True)
class Protocol:
    """What a run holds fixed."""

    held_out: float = 0.4  # share of the training normals that calibrates and is not fitted on
    shots: int = 3  # labelled clips of each defect for the weakly supervised, out of every method's test set; 0: those methods are not run
    false_alarm_rate: float = 0.05  # of the thresholds

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise WrongUse(f"the share of normals held out must lie between 0 and 1, not at {words.number(self.held_out)}")
        if self.shots and self.shots not in SHOTS:
            raise WrongUse(f"shots must be {min(SHOTS)} to {max(SHOTS)}, or 0 to leave the weakly supervised methods out, not {self.shots}")
        if not 0 < self.false_alarm_rate < 1:
            raise WrongUse(f"the false-alarm rate must lie between 0 and 1, not at {words.number(self.false_alarm_rate)}")


@dataclass(frozen=True)
class Split:
    """One category's clips for one seed, as paths below the tree's root. No clip is in two of the four."""

    category: str
    seed: int
    fit: tuple[str, ...]  # normals
    calibrate: tuple[str, ...]  # other normals
    shots: tuple[str, ...]  # defective clips of which the weakly supervised know the label
    test: tuple[str, ...]  # never fitted, tuned or normalised on

    @classmethod
    def draw(cls, root: Path, refs: Sequence[ClipRef], protocol: Protocol, seed: int) -> Split:
        """Split the clips of one category.

        Raises:
            BadData: no training clips, or no normal or no defective clip to test on; the message says of what.
        """
        category = refs[0].category
        fitted, held_out = set_apart([r for r in refs if r.split == "train"], protocol.held_out, seed)
        shots, tested = _shots([r for r in refs if r.split == "test"], protocol.shots, seed)
        if not fitted or not held_out:
            raise BadData(f"{category}: {words.count(len(fitted) + len(held_out), 'training clip')} cannot be split; at least 2 are needed "
                          f"in {category}/train, {LEAVE_OUT}")
        if {r.label == NORMAL_LABEL for r in tested} != {True, False}:
            raise BadData(f"{category}: both normal and defective test clips are needed, in {category}/test/{NORMAL_LABEL} and beside it, "
                          f"{LEAVE_OUT}")
        return cls(category, seed, *(tuple(_name(root, r) for r in part) for part in (fitted, held_out, shots, tested)))

    def write(self, folder: Path) -> Path:
        """Note it as <category>_<seed>.json; returns the file."""
        file = folder / f"{self.category}_{self.seed}.json"
        write_json(file, asdict(self))
        return file

    @classmethod
    def read(cls, file: Path) -> Split:
        """BadData where there is none, or none that can be used."""
        try:
            found: dict[str, Any] = json.loads(file.read_text())
            parts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
            return cls(**parts)
        except (OSError, ValueError, TypeError) as error:
            raise BadData(f"{file}: {why(error)}") from error


def ref(root: Path, name: str) -> ClipRef:
    """The clip that a split names."""
    path = root / name
    train = path.parent.name == "train"
    category = path.parent.parent if train else path.parent.parent.parent
    return ClipRef(path, category.name, "train" if train else "test", NORMAL_LABEL if train else path.parent.name)


def set_apart(refs: Sequence[ClipRef], share: float, seed: int) -> tuple[list[ClipRef], list[ClipRef]]:
    """Clips to fit on, and a share drawn apart from them."""
    order = np.random.default_rng(seed).permutation(len(refs))
    apart = round(share * len(refs))
    return [refs[i] for i in order[apart:]], [refs[i] for i in order[:apart]]


def calibrate(detector: Detector, scores: Sequence[float], false_alarm_rate: float) -> float:
    """Give a detector its threshold from the scores of held-out normals; one that is not a number counts as a false alarm.

    Returns:
        The false-alarm rate that it keeps: n normals cannot promise less than 1 / (n + 1).

    Raises:
        BadData: too many of the normals got no score, or the detector refuses the threshold.
    """
    rate = max(false_alarm_rate, 1 / (len(scores) + 1))
    known = [score for score in scores if math.isfinite(score)]
    above = math.nextafter(max(known, default=0.0), math.inf)
    threshold = conformal_threshold([score if math.isfinite(score) else above for score in scores], rate)
    if threshold == above:
        normals = words.count(len(scores), "held-out normal clip")
        raise BadData(f"{len(scores) - len(known)} of {normals} got no score; no threshold keeps a false-alarm rate of {words.number(rate)}")
    detector.calibrate(threshold, rate, len(scores))
    return rate


def _shots(refs: Sequence[ClipRef], count: int, seed: int) -> tuple[list[ClipRef], list[ClipRef]]:
    """``count`` clips of each defect, and the others with the normal ones, in order of path."""
    drawn: set[Path] = set()
    for label in sorted({r.label for r in refs} - {NORMAL_LABEL}):
        mine = [r for r in refs if r.label == label]
        if len(mine) <= count:
            raise BadData(f"{mine[0].category}: {words.count(len(mine), 'test clip')} of {label}; {count} are taken out for the weakly supervised "
                          f"and none would be left; take fewer with --shots, or none with --shots 0")
        rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
        drawn |= {mine[i].path for i in rng.choice(len(mine), count, replace=False)}
    return [r for r in refs if r.path in drawn], [r for r in refs if r.path not in drawn]


def _name(root: Path, clip: ClipRef) -> str:
    return clip.path.relative_to(root).as_posix()
