"""The benchmark's table as data: what the Markdown, the page and the terminal all print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.bench.jobs import Plan, Run
from physad_ros.bench.paper import table4
from physad_ros.bench.results import (
    METRICS,
    NOTHING,
    Estimate,
    Outcome,
    estimate,
    interval,
    mean_over_seeds,
    replicates,
)
from physad_ros.core.types import FPS, NORMAL_LABEL
from physad_ros.detectors.base import Setting, detectors

TOO_MANY = 3  # faults of one method that are told one by one


@dataclass(frozen=True)
class Method:
    """A method's line of the table."""

    name: str
    title: str
    setting: str
    auroc: Estimate
    average_precision: Estimate
    accuracy: Estimate
    categories: int  # that it has results for
    failed: int  # jobs without result
    by_category: dict[str, Estimate]  # AUROC
    paper: float | None  # the paper's average, on its own data
    paper_by_category: dict[str, float]
    false_alarms: int
    normals: int  # tested, over all seeds
    tested: int  # clips, over all seeds
    unscored: int  # of them; each counts as wrong
    uncalibrated: int  # jobs without a threshold, all of whose clips are called wrongly
    parameters: int
    fit_s: float  # medians over the jobs
    live_frames_per_s: float  # streamed frame by frame, as from a camera
    peak_mb: float  # the greatest

    @property
    def live(self) -> bool:
        """Whether it keeps up with the camera on one core."""
        return self.live_frames_per_s >= FPS


@dataclass(frozen=True)
class Ahead:
    """By how much one method is ahead of another in AUROC, or behind it, averaged over the categories that both have."""

    leader: str
    other: str
    categories: int  # that both have
    by: float
    low: float  # 95 % paired bootstrap
    high: float

    @property
    def how(self) -> str:
        """Where the leader stands, in words; level where three decimals do not tell them apart."""
        return "level with" if abs(self.by) < 0.0005 else "ahead of" if self.by > 0 else "behind"


@dataclass(frozen=True)
class Table:
    """All that is told of a run."""

    run: Run
    protocol: str
    methods: tuple[Method, ...]  # the best first
    categories: tuple[str, ...]
    ahead: Ahead | None  # `rules` and the best of the paper's kinds
    not_run: dict[str, str]
    faults: tuple[str, ...]
    clips: dict[str, tuple[int, int]]  # tested normal and defective clips of each category, of the first seed
    false_alarm_rate: tuple[float, float]  # least and greatest that the thresholds keep


def tabulate(run: Run, plan: Plan, outcomes: Sequence[Outcome], protocol: str) -> Table:
    """Measure what was scored."""
    drawn = replicates(outcomes)
    categories = tuple(dict.fromkeys(job.category for job in plan.jobs))
    names = dict.fromkeys(job.method for job in plan.jobs)
    methods = [_method(name, [o for o in outcomes if o.facts.method == name], categories, drawn) for name in names]
    methods.sort(key=lambda m: (math.isnan(m.auroc.value), -m.auroc.value if m.auroc.value == m.auroc.value else 0.0, m.name))
    rates = [o.facts.false_alarm_rate for o in outcomes if math.isfinite(o.facts.false_alarm_rate)]
    counts = {o.facts.category: _counted(o) for o in reversed(outcomes) if o.judged}
    return Table(
        run, protocol, tuple(methods), categories, _ahead(methods, categories, drawn), plan.not_run, _faults(outcomes),
        {c: counts[c] for c in categories if c in counts}, (min(rates), max(rates)) if rates else (math.nan, math.nan),
    )  # fmt: skip


def _method(name: str, mine: Sequence[Outcome], categories: Sequence[str], drawn: dict[tuple[str, str], dict[str, Any]]) -> Method:
    card, paper = detectors[name].card, table4()
    there = [c for c in categories if (name, c) in drawn]
    of = {metric: estimate([drawn[name, c][metric] for c in there]) for metric in METRICS}
    ended, judged = [o.facts for o in mine if o.clips], [o for o in mine if o.judged]
    return Method(
        name=name, title=card.title, setting=card.setting.value, categories=len(there), failed=sum(bool(o.facts.fault) for o in mine),
        auroc=of["auroc"], average_precision=of["average_precision"], accuracy=of["accuracy"],
        by_category={c: estimate([drawn[name, c]["auroc"]]) if c in there else NOTHING for c in categories},
        paper=paper.average.get(name), paper_by_category={c: paper.auroc[name, c] for c in categories if (name, c) in paper.auroc},
        false_alarms=sum(int((o.decided & ~o.truth).sum()) for o in judged), normals=sum(int((~o.truth).sum()) for o in judged),
        tested=sum(len(o.clips) for o in judged), unscored=sum(int(o.unscored.sum()) for o in judged),
        uncalibrated=sum(not math.isfinite(o.cut) for o in judged),
        parameters=max((f.parameters for f in ended), default=0), peak_mb=max((f.peak_mb for f in ended), default=math.nan),
        fit_s=_median([f.fit_s for f in ended]), live_frames_per_s=_median([f.live_frames_per_s for f in ended]),
    )  # fmt: skip


def _counted(o: Outcome) -> tuple[int, int]:
    """Normal and defective clips by their own labels, which the legacy protocol shifts for some methods."""
    normal = sum(Path(name).parent.name == NORMAL_LABEL for name in o.clips)
    return normal, len(o.clips) - normal


def _median(values: Sequence[float]) -> float:
    """Of what could be measured."""
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


def _ahead(methods: Sequence[Method], categories: Sequence[str], drawn: dict[tuple[str, str], dict[str, Any]]) -> Ahead | None:
    """`rules` against the learnt or asked method that it leads least; with none of those, against the others.

    What has results for few categories is no match: it may have the easy ones.
    """
    others = [m for m in methods if m.name != "rules" and m.categories]
    pool = [m for m in others if m.setting not in (Setting.BASELINE.value, Setting.RULES.value)] or others
    most = max((m.categories for m in pool), default=0)
    pairs = [_pair("rules", m.name, categories, drawn) for m in pool if 2 * m.categories > most]
    return min((p for p in pairs if p), key=lambda p: p.by, default=None)


def _pair(one: str, other: str, categories: Sequence[str], drawn: dict[tuple[str, str], dict[str, Any]]) -> Ahead | None:
    """Over the categories and seeds that both have; None where there are none."""
    both = [c for c in categories if (one, c) in drawn and (other, c) in drawn]
    if not both:
        return None
    apart = np.stack([drawn[one, c]["auroc"] - drawn[other, c]["auroc"] for c in both])  # (C, S, 1 + B); NaN where one of the two is
    means = mean_over_seeds(apart)
    means = means[np.isfinite(means[:, 0])]
    return Ahead(one, other, len(means), float(means[:, 0].mean()), *interval(means[:, 1:].mean(0))) if len(means) else None


def _faults(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    told = []
    for name in dict.fromkeys(o.facts.method for o in outcomes):
        mine = [o.facts for o in outcomes if o.facts.method == name and o.facts.fault]
        told += [f"{name} on {f.category}, seed {f.seed}: {f.fault}" for f in mine[:TOO_MANY]]
        if len(mine) > TOO_MANY:
            told.append(f"{name}: {len(mine) - TOO_MANY} more")
    return tuple(told)
