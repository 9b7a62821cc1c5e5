"""Fitting a detector on the training clips of a Phys-AD tree, and calibrating its threshold on normals that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from physad_ros.bench.clips import ClipsOnDisk
from physad_ros.bench.protocol import set_apart
from physad_ros.core import places
from physad_ros.core.catalogue import load_category
from physad_ros.core.decision import conformal_threshold
from physad_ros.core.errors import BadData, UnknownName, WrongUse
from physad_ros.core.words import count, listed, number
from physad_ros.dataset.tree import ClipRef, scan
from physad_ros.detectors.base import PRESETS, Detector, Setting, detectors


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
    preset: str = "quick",
    false_alarm_rate: float = 0.05,
    held_out: float = 0.4,
    seed: int = 0,
    console: Console | None = None,
) -> list[Fit]:
    """Fit a detector for each category and save it beside the category (or below ``out``).

    Args:
        root: of a Phys-AD tree; only its training clips are read.
        preset: of the detector's configuration, where it has presets.
        held_out: share of them that calibrates the threshold and is not fitted on.

    Raises:
        WrongUse: the detector cannot be fitted here, or not on normal clips alone.
        BadData: no clips, or too few for the false-alarm rate.
    """
    kind = detectors[detector]
    if preset not in (kind.presets or PRESETS):
        raise UnknownName("preset", preset, kind.presets or PRESETS)
    if not 0 < false_alarm_rate < 1:
        raise WrongUse(f"the false-alarm rate must lie between 0 and 1, not at {number(false_alarm_rate)}")
    if reason := kind.unavailable(preset):
        raise WrongUse(f"the detector {detector} cannot be fitted here: {reason}")
    if kind.card.setting is Setting.WEAK:
        raise WrongUse(f"the detector {detector} learns from labelled defective clips too, which `physad bench --method {detector}` gives it")
    places.folder(root)
    refs = [r for r in scan(root) if r.split == "train"]
    if missing := set(categories) - (there := {r.category for r in refs}):
        raise BadData(f"{root}: no training clips of {listed(missing)}; there are some of {listed(there)}")
    refs = [r for r in refs if not categories or r.category in categories]
    names = sorted({r.category for r in refs})
    if not names:
        raise BadData(f"{root}: no training clips, which lie in <category>/train")
    folders = {name: out / name if out else load_category(name).folder for name in names}
    for folder in folders.values():
        places.writable_folder(folder)
    for name in names:
        held = round(held_out * sum(r.category == name for r in refs))
        conformal_threshold([0.0] * held, false_alarm_rate)  # raises where so few cannot promise it
    done = []
    for name, folder in folders.items():
        made, result = fit_category([r for r in refs if r.category == name], detector, preset, false_alarm_rate, held_out, seed)
        folder.mkdir(parents=True, exist_ok=True)
        made.save(folder)
        done.append(result)
        if console:
            others = count(result.held_out, "other")
            console.print(f"{name}: {detector} on {count(result.fitted, 'clip')}, threshold {number(result.threshold)} from {others}")
    return done


def fit_category(
    refs: Sequence[ClipRef], detector: str, preset: str, false_alarm_rate: float, held_out: float, seed: int
) -> tuple[Detector, Fit]:
    """One category's detector, fitted and calibrated."""
    fitted, held_out_refs = set_apart(refs, held_out, seed)
    made = detectors[detector].preset(preset)
    title = refs[0].category
    made.fit(ClipsOnDisk(fitted, made.height, f"fitting {title}"), seed)
    others = ClipsOnDisk(held_out_refs, made.height, f"calibrating {title}")
    scores = [made.score(clip).value for clip in others]
    threshold = conformal_threshold(scores, false_alarm_rate)
    made.calibrate(threshold, false_alarm_rate, len(others))
    return made, Fit(title, len(fitted), len(others), made.threshold)
