"""Fitting a detector on the training clips of a Phys-AD tree, and calibrating its threshold on normals that it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from physad_ros.core.catalogue import load_category
from physad_ros.core.decision import conformal_threshold
from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip
from physad_ros.dataset.tree import ClipRef, load_clip, scan
from physad_ros.detectors.base import Detector, detectors


class ClipsOnDisk(Sequence[Clip]):
    """Clips that are read when they are asked for: a hundred at 360 lines would fill the memory."""

    def __init__(self, refs: Sequence[ClipRef], height: int, title: str):
        self._refs, self._height, self._title = refs, height, title

    def __len__(self) -> int:
        return len(self._refs)

    def __getitem__(self, at: Any) -> Any:
        return load_clip(self._refs[at], self._height)

    def __iter__(self) -> Iterator[Clip]:
        for ref in track(self._refs, self._title, transient=True):
            yield load_clip(ref, self._height)


@dataclass(frozen=True)
class Fit:
    """What came of fitting one category."""

    category: str
    fitted: int  # clips
    held_out: int
    threshold: float


def fit(
    root: Path,
    categories: Sequence[str] = (),
    detector: str = "rules",
    out: Path | None = None,
    *,
    false_alarm_rate: float = 0.05,
    held_out: float = 0.4,
    seed: int = 0,
    console: Console | None = None,
) -> list[Fit]:
    """Fit a detector for each category and save it beside the category (or below ``out``).

    Args:
        root: of a Phys-AD tree; only its training clips are read.
        held_out: share of them that calibrates the threshold and is not fitted on.

    Raises:
        BadData: no clips, or too few for the false-alarm rate.
    """
    refs = [r for r in scan(root) if r.split == "train" and (not categories or r.category in categories)]
    names = sorted({r.category for r in refs})
    if missing := set(categories) - set(names):
        raise BadData(f"{root}: no training clips of {', '.join(sorted(missing))}")
    done = []
    for name in names:
        made, result = fit_category([r for r in refs if r.category == name], detector, false_alarm_rate, held_out, seed)
        folder = out / name if out else load_category(name).folder
        folder.mkdir(parents=True, exist_ok=True)
        made.save(folder)
        done.append(result)
        if console:
            console.print(f"{name}: {detector} on {result.fitted} clips, threshold {result.threshold:.3f} from {result.held_out} others")
    return done


def fit_category(
    refs: Sequence[ClipRef], detector: str, false_alarm_rate: float, held_out: float, seed: int
) -> tuple[Detector, Fit]:
    """One category's detector, fitted and calibrated."""
    order = np.random.default_rng(seed).permutation(len(refs))
    apart = round(held_out * len(refs))
    made = detectors[detector]()
    title = refs[0].category
    made.fit(ClipsOnDisk([refs[i] for i in order[apart:]], made.height, f"fitting {title}"), seed)
    others = ClipsOnDisk([refs[i] for i in order[:apart]], made.height, f"calibrating {title}")
    scores = [made.score(clip).value for clip in others]
    threshold = conformal_threshold(scores, false_alarm_rate)
    made.calibrate(threshold, false_alarm_rate, apart)
    return made, Fit(title, len(refs) - apart, apart, made.threshold)
