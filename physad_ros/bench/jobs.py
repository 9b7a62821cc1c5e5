"""What a run of the benchmark consists of: the splits of a tree, and a job for each method, category and seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from physad_ros.bench.digest import digest
from physad_ros.bench.facts import JOBS
from physad_ros.bench.job import Job
from physad_ros.bench.protocol import Protocol, Split
from physad_ros.core import places
from physad_ros.core.errors import BadData, UnknownName, WrongUse
from physad_ros.dataset.tree import scan
from physad_ros.detectors.base import PRESETS, Setting, detectors, lacking

SPLITS = "splits"  # below a run's folder


@dataclass(frozen=True)
class Run:
    """What is asked for. Empty categories and methods: all there are."""

    root: Path
    out: Path
    categories: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    seeds: int = 3
    preset: str = "quick"
    protocol: Protocol = field(default_factory=Protocol)

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise UnknownName("preset", self.preset, PRESETS)
        if self.seeds < 1:
            raise WrongUse(f"at least one seed is needed, not {self.seeds}")
        for name in self.methods:
            _ = detectors[name]


@dataclass(frozen=True)
class Plan:
    """The jobs of a run, and the methods that cannot be run with the reason."""

    jobs: tuple[Job, ...]
    splits: tuple[Split, ...]
    not_run: dict[str, str]


def plan(run: Run) -> Plan:
    """Split the tree, note the splits on disk, and lay out every job.

    Raises:
        BadData: a category cannot be split.
    """
    if reason := lacking(("pyarrow", "jinja2")):
        raise WrongUse(reason)
    places.writable_folder(run.out, "out")
    names, not_run = _methods(run)
    if not names:
        raise WrongUse("; ".join(f"{name}: {reason}" for name, reason in not_run.items()))
    jobs, splits = [], []
    for category in _categories(run):
        refs = scan(run.root, category)
        for seed in range(run.seeds):
            split = Split.draw(run.root, refs, run.protocol, seed)
            file = split.write(run.out / SPLITS)
            splits.append(split)
            jobs += [_job(run, split, file, name) for name in names]
    return Plan(tuple(jobs), tuple(splits), not_run)


def _methods(run: Run) -> tuple[list[str], dict[str, str]]:
    names, not_run = [], {}
    for name in dict.fromkeys(run.methods or detectors):
        kind = detectors[name]
        reason = kind.unavailable(run.preset)
        if not reason and kind.card.setting is Setting.WEAK and not run.protocol.shots:
            reason = "weakly supervised, and --shots 0 leaves it no labelled clip"
        if reason:
            not_run[name] = reason
        else:
            names.append(name)
    return names, not_run


def _categories(run: Run) -> list[str]:
    places.folder(run.root, "folder of a Phys-AD tree (`physad collect` makes one)")
    found = sorted({r.category for r in scan(run.root)})
    for name in run.categories:
        if name not in found:
            raise BadData(f"{run.root}: no clips of {name}; there are clips of {', '.join(found)}")
    return list(dict.fromkeys(run.categories)) or found


def _job(run: Run, split: Split, file: Path, method: str) -> Job:
    rate = run.protocol.false_alarm_rate
    return Job(
        str(run.root), str(job_folder(run.out, method, split.seed, split.category)), str(file), split.category, method, split.seed,
        run.preset, rate, digest(detectors[method], run.preset, split, run.root, rate),
    )  # fmt: skip


def job_folder(out: Path, method: str, seed: int, category: str) -> Path:
    """Where a job's result lies. Those of a method and seed lie as models do: one folder a category."""
    return out / JOBS / method / f"seed_{seed}" / category
