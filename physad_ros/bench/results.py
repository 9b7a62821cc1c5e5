"""From the jobs' scores to a table's numbers: metrics a category and seed, their mean, spread over seeds and bootstrap intervals."""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.bench.facts import PER_FRAME, SCORES, Facts
from physad_ros.bench.job import Job
from physad_ros.bench.legacy import CUT, PUBLISHED, legacy_truth, legacy_value
from physad_ros.bench.metrics import (
    Truth,
    resamples,
    weighted_accuracy,
    weighted_auroc,
    weighted_average_precision,
    worst_case,
)
from physad_ros.core.errors import UnknownName
from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.detectors.base import detectors

PROTOCOLS = ("corrected", "legacy")
RESAMPLES = 1000
METRICS = {"auroc": weighted_auroc, "average_precision": weighted_average_precision, "accuracy": weighted_accuracy}


@dataclass(frozen=True)
class Outcome:
    """What came of one job, judged under one protocol."""

    facts: Facts
    clips: tuple[str, ...] = ()
    #: whether each clip is anomalous; as the public code reads it, under the legacy protocol
    truth: Truth = field(default_factory=lambda: np.zeros(0, bool))
    #: of the clips; one that is missing stands where it harms most
    scores: Floats = field(default_factory=lambda: np.zeros(0))
    decided: Truth = field(default_factory=lambda: np.zeros(0, bool))  # whether each is called anomalous; wrongly where it is not judged
    cut: float = float("nan")  # above it, it is
    findings: tuple[Any, ...] = ()  # of each clip
    unscored: Truth = field(default_factory=lambda: np.zeros(0, bool))  # whether a clip's score is missing
    answers: tuple[tuple[str, str], ...] = ()  # of each clip, description and explanation; empty of what is not asked
    undefined: bool = False  # the protocol says nothing of this method

    @property
    def judged(self) -> bool:
        """Whether there is something to measure."""
        return bool(len(self.clips)) and not self.undefined

    @classmethod
    def of(
        cls, facts: Facts, clips: tuple[str, ...], truth: Truth, raw: Floats, called: Truth, cut: float, findings: tuple[Any, ...] = (),
        answers: tuple[tuple[str, str], ...] = (),
    ) -> Outcome:  # fmt: skip
        """With what was not seen or not judged counted as wrong: it is never a success."""
        unscored = ~np.isfinite(raw)
        unjudged = unscored if np.isfinite(cut) else np.ones_like(unscored)
        scores = np.array(worst_case(truth.tolist(), raw.tolist()))
        return cls(facts, clips, truth, scores, np.where(unjudged, ~truth, called), cut, findings, unscored, answers)


@dataclass(frozen=True)
class Estimate:
    """A number of the table; NaN where there is none."""

    value: float  # mean over the seeds
    spread: float  # standard deviation over them
    low: float  # 95 % bootstrap interval over clips
    high: float


NOTHING = Estimate(*[float("nan")] * 4)


def outcome(job: Job, protocol: str) -> Outcome:
    """Read a job's folder; UnknownName for a protocol that is none."""
    if protocol not in PROTOCOLS:
        raise UnknownName("protocol", protocol, PROTOCOLS)
    folder = Path(job.folder)
    facts = Facts.read(folder)
    if facts is None or facts.digest != job.digest:
        return Outcome(Facts(job.digest, job.category, job.method, job.seed, job.preset, "not done yet"))
    if facts.fault:
        return Outcome(facts)
    rows = _rows(folder)
    clips, findings = tuple(r["clip"] for r in rows), tuple(json.loads(r["findings"]) for r in rows)
    answers = tuple((r.get("description", ""), r.get("explanation", "")) for r in rows)  # older files have none
    truth = np.array([r["anomalous"] for r in rows])
    scores = np.array([r["score"] for r in rows], float)
    if protocol == "corrected":
        return Outcome.of(facts, clips, truth, scores, scores > facts.threshold, facts.threshold, findings, answers)
    how = PUBLISHED.get(job.method)
    read = None if how is None else np.array(legacy_truth(clips, truth.tolist(), how))
    if how is None or read is None or read.all() or not read.any():  # with few normal clips the shift leaves one kind only
        return Outcome(facts, clips, findings=findings, undefined=True)
    with np.load(folder / PER_FRAME) as frames:
        values = np.array([legacy_value(frames[name], how) for name in clips])
    values[~np.isfinite(scores)] = np.nan  # the clip was not seen, whatever its frames say
    return Outcome.of(facts, clips, read, values, values >= CUT, CUT, findings, answers)


def rows(outcomes: Sequence[Outcome], protocol: str) -> list[dict[str, Any]]:
    """One flat row a job, as the results files hold them."""
    made = []
    for o in outcomes:
        ones = np.ones((1, len(o.scores)))
        metrics = {name: float(of(o.truth, o.scores, o.decided, ones)[0]) if o.judged else None for name, of in METRICS.items()}
        counts = {
            "tested": len(o.clips), "anomalous": int(o.truth.sum()),
            "false_alarms": int((o.decided & ~o.truth).sum()), "missed": int((~o.decided & o.truth).sum()), "unscored": int(o.unscored.sum()),
        }
        setting = detectors[o.facts.method].card.setting.value
        head = {"method": o.facts.method, "setting": setting, "category": o.facts.category, "seed": o.facts.seed, "protocol": protocol}
        facts = {k: v for k, v in asdict(o.facts).items() if k not in head}
        made.append({**head, **metrics, **(counts if o.judged else dict.fromkeys(counts)), **facts})
    return made


def replicates(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], dict[str, Floats]]:
    """Every metric of each method and category, of the clips as they are and of RESAMPLES draws of them: (seeds, 1 + RESAMPLES).

    All methods and seeds of a category get the same draws, so that their differences are paired. A seed without result is NaN.
    The draws serve means and differences, of which no formula tells the error; `auroc_interval` serves one measured AUROC, also of 1.
    """
    made: dict[tuple[str, str], dict[str, Floats]] = {}
    seeds = sorted({o.facts.seed for o in outcomes})
    for category in sorted({o.facts.category for o in outcomes if o.judged}):
        mine = [o for o in outcomes if o.judged and o.facts.category == category]
        clips = sorted({name for o in mine for name in o.clips})
        normal = np.array([Path(name).parent.name == NORMAL_LABEL for name in clips])
        weights = resamples(normal, RESAMPLES, zlib.crc32(category.encode()))
        at = {name: i for i, name in enumerate(clips)}
        for o in mine:
            of = made.setdefault((o.facts.method, category), {name: np.full((len(seeds), 1 + RESAMPLES), np.nan) for name in METRICS})
            drawn = weights[:, [at[name] for name in o.clips]]
            for name, metric in METRICS.items():
                of[name][seeds.index(o.facts.seed)] = metric(o.truth, o.scores, o.decided, drawn)
    return made


def mean_over_seeds(drawn: Floats) -> Floats:
    """Replicates (…, seeds, 1 + B) as (…, 1 + B); seeds without result do not count."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a draw that no seed can be measured on stays NaN
        return np.asarray(np.nanmean(drawn, axis=-2))


def estimate(categories: Sequence[Floats]) -> Estimate:
    """Of a metric's replicates, (seeds, 1 + B) for each category, averaged over the categories."""
    if not categories:
        return NOTHING
    drawn = np.stack(categories)  # (C, S, 1 + B)
    means = mean_over_seeds(drawn).mean(0)  # (1 + B,)
    plain = drawn[:, :, 0].mean(0)  # (S,), of the seeds that every category has
    plain = plain[np.isfinite(plain)]
    spread = float(np.std(plain, ddof=1)) if len(plain) > 1 else float("nan")
    return Estimate(float(means[0]), spread, *interval(means[1:]))


def interval(draws: Floats) -> tuple[float, float]:
    """95 % percentile interval (B,)."""
    finite = draws[np.isfinite(draws)]
    if not len(finite):
        return float("nan"), float("nan")
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def _rows(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as parquet

    found: list[dict[str, Any]] = parquet.read_table(folder / SCORES).to_pylist()
    return found
