"""A recorded campaign in numbers: how well its live verdicts tell defective specimens from normal ones, beside trivial baselines."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from physad_ros.bench.metrics import auroc, average_precision, binomial_interval, bootstrap
from physad_ros.bench.specimens import BAGS, Campaign
from physad_ros.core.catalogue import Category, load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.reading import read_clip
from physad_ros.dataset.report import REPORT, read_verdict
from physad_ros.detectors.base import detectors

BASELINES = ("frame_difference", "intensity")


@dataclass(frozen=True)
class Row:
    """One inspection of a campaign."""

    category: str
    label: str
    detector: str
    verdict: str
    scores: dict[str, float]  # by detector; NaN where there is none
    findings: tuple[str, ...]  # as quantity@phase, the worst first
    verdict_after_last_frame_s: float


@dataclass(frozen=True)
class Result:
    """One detector on one defect against the category's normals; ``label`` "all": on all its defects."""

    category: str
    label: str
    detector: str
    auroc: float
    auroc_low: float
    auroc_high: float
    average_precision: float
    clips: int


def evaluate(root: Path, console: Console, as_json: bool = False) -> None:
    """Print a campaign's results; BadData where it holds none."""
    rows = list(_rows(root, console))
    judge = Campaign.read(root).detector
    results = [result for name in sorted({r.category for r in rows}) for result in _results(name, rows, judge)]
    alarms = {name: _alarms(name, rows) for name in sorted({r.category for r in rows})}
    if as_json:
        print(json.dumps({"results": [asdict(r) for r in results], "alarms": alarms}))
        return
    _show(results, alarms, rows, judge, console)


def _rows(root: Path, console: Console) -> Iterable[Row]:
    done = [s for s in Campaign.read(root).specimens() if (root / BAGS / s.clip_id / REPORT).exists()]
    if not done:
        raise BadData(f"{root}: nothing of this campaign is recorded yet; `physad record` does")
    for specimen in track(done, "scoring the bags by the baselines", console=console, transient=True):
        folder = root / BAGS / specimen.clip_id
        report = read_verdict(folder / REPORT)
        scores = {name: math.nan for name in BASELINES} | {report["detector"]: float(report["score"])}
        if report["verdict"] != "INCONCLUSIVE":
            for name in BASELINES:
                baseline = detectors[name].load(load_category(specimen.category).folder)
                scores[name] = baseline.score(read_clip(folder / "bag", baseline.height)).value
        findings = tuple(f"{f['quantity']}@{f['phase']}" for f in report["findings"])
        late = report["timings_s"].get("verdict_after_last_frame")
        late_s = math.nan if late is None else float(late)
        yield Row(specimen.category, specimen.label, report["detector"], report["verdict"], scores, findings, late_s)


def _results(name: str, rows: Sequence[Row], judge: str) -> Iterable[Result]:
    """Over the specimens that got a verdict; `_alarms` counts those that got none."""
    mine = [r for r in rows if r.category == name and r.verdict != "INCONCLUSIVE"]
    normal = [r for r in mine if r.label == NORMAL_LABEL]
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in mine:
        if row.label != NORMAL_LABEL:
            groups[row.label].append(row)
            groups["all"].append(row)
    for label, defective in sorted(groups.items(), key=lambda item: (item[0] == "all", item[0])):
        if not normal:
            continue
        truth = [False] * len(normal) + [True] * len(defective)
        for detector in dict.fromkeys((judge, *BASELINES)):
            values = [r.scores[detector] for r in (*normal, *defective)]
            low, high = bootstrap(auroc, truth, values)
            yield Result(name, label, detector, auroc(truth, values), low, high, average_precision(truth, values), len(truth))


def _alarms(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    """False alarms with their interval, and whether the findings name what is wrong."""
    category: Category = load_category(name)
    mine = [r for r in rows if r.category == name]
    judged = [r for r in mine if r.label == NORMAL_LABEL and r.verdict != "INCONCLUSIVE"]
    false = sum(r.verdict == "ANOMALOUS" for r in judged)
    caught = [r for r in mine if r.label != NORMAL_LABEL and r.verdict == "ANOMALOUS"]
    named = sum(not set(category.signs.get(r.label, ())).isdisjoint(r.findings) for r in caught)
    worst = sum(bool(r.findings) and r.findings[0] in category.signs.get(r.label, ()) for r in caught)
    low, high = binomial_interval(false, len(judged)) if judged else (0.0, 1.0)
    defective = [r for r in mine if r.label != NORMAL_LABEL]
    return {
        "false_alarms": false, "normals": len(judged), "rate_low": low, "rate_high": high,
        "inconclusive": sum(r.verdict == "INCONCLUSIVE" for r in mine),
        "caught": len(caught), "defective": len(defective), "named": named, "named_by_worst": worst,
    }


def _show(results: Sequence[Result], alarms: dict[str, dict[str, Any]], rows: Sequence[Row], judge: str, console: Console) -> None:
    table = Table("category", "defect", f"{judge} AUROC", "95 %", *(f"{b} AUROC" for b in BASELINES), title="live, video only")
    keyed = {(r.category, r.label, r.detector): r for r in results}
    for (name, label, detector), r in keyed.items():
        if detector == judge:
            others = (f"{keyed[name, label, b].auroc:.3f}" for b in BASELINES)
            table.add_row(name, label, f"{r.auroc:.3f}", f"{r.auroc_low:.3f} to {r.auroc_high:.3f}", *others, end_section=label == "all")
    console.print(table)
    for detector in dict.fromkeys((judge, *BASELINES)):
        values = [r.auroc for r in results if r.detector == detector and r.label == "all"]
        console.print(f"mean over categories, {detector}: {np.mean(values):.3f}")
    table = Table("category", "false alarms", "rate, 95 %", "defects caught", "named by a finding", "by the worst", "inconclusive")
    for name, a in alarms.items():
        interval = f"{a['rate_low']:.2f} to {a['rate_high']:.2f}"
        table.add_row(name, f"{a['false_alarms']} of {a['normals']}", interval, f"{a['caught']} of {a['defective']}",
                      str(a["named"]), str(a["named_by_worst"]), str(a["inconclusive"]))
    console.print(table)
    late = np.array([r.verdict_after_last_frame_s for r in rows if np.isfinite(r.verdict_after_last_frame_s)])
    if len(late):
        console.print(f"verdict after the last frame: median {1e3 * np.median(late):.0f} ms, 99 % {1e3 * np.percentile(late, 99):.0f} ms")
