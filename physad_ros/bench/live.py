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

from physad_ros.bench import markdown
from physad_ros.bench.grid import grid
from physad_ros.bench.metrics import auroc, auroc_interval, average_precision, binomial_interval, worst_case
from physad_ros.bench.specimens import BAGS, Campaign
from physad_ros.core.catalogue import Category, load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.core.words import count
from physad_ros.dataset.files import plain
from physad_ros.dataset.reading import read_clip
from physad_ros.dataset.report import REPORT, read_verdict
from physad_ros.detectors.base import detectors
from physad_ros.rules.bank import Bank

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
    asked: int  # specimens that were inspected
    judged: int  # that got a verdict; the AUROC is over these, NaN where all of one kind got none
    auroc: float
    auroc_low: float
    auroc_high: float
    auroc_worst: float  # if those without a verdict were told wrong: defective ones scored lowest, normal ones highest
    average_precision: float


def evaluate(root: Path, console: Console, as_json: bool = False) -> None:
    """Print a campaign's results; BadData where it holds none."""
    campaign = Campaign.read(root)
    rows, judge = list(_rows(root, console)), campaign.detector
    results = [result for name in sorted({r.category for r in rows}) for result in _results(name, rows, judge)]
    alarms = {name: _alarms(name, rows, judge) for name in sorted({r.category for r in rows})}
    wanted = sum(1 for _ in campaign.specimens())
    if as_json:
        told = {"specimens": wanted, "inspected": len(rows), "results": [asdict(r) for r in results], "alarms": alarms}
        print(json.dumps(plain(told)))
        return
    console.print(f"{len(rows)} of the campaign's {count(wanted, 'specimen')} {'is' if len(rows) == 1 else 'are'} inspected")
    _show(results, alarms, rows, judge, console)


def _rows(root: Path, console: Console) -> Iterable[Row]:
    done = [s for s in Campaign.read(root).specimens() if (root / BAGS / s.clip_id / REPORT).exists()]
    if not done:
        raise BadData(f"{root}: nothing of this campaign is recorded yet; `physad record` does that")
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
    mine = [r for r in rows if r.category == name]
    normal = [r for r in mine if r.label == NORMAL_LABEL]
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in mine:
        if row.label != NORMAL_LABEL:
            groups[row.label].append(row)
            groups["all"].append(row)
    for label, defective in sorted(groups.items(), key=lambda item: (item[0] == "all", item[0])):
        if normal:
            yield from (_result(name, label, detector, normal, defective) for detector in dict.fromkeys((judge, *BASELINES)))


def _result(name: str, label: str, detector: str, normal: Sequence[Row], defective: Sequence[Row]) -> Result:
    asked = (*normal, *defective)
    truth = [r.label != NORMAL_LABEL for r in asked]
    scores = [math.nan if r.verdict == "INCONCLUSIVE" else r.scores[detector] for r in asked]
    judged = [bad for bad, score in zip(truth, scores) if not math.isnan(score)]
    known = [score for score in scores if not math.isnan(score)]
    value, low, high, precision = math.nan, 0.0, 1.0, math.nan
    if any(judged) and not all(judged):
        value, precision = auroc(judged, known), average_precision(judged, known)
        low, high = auroc_interval(value, judged.count(False), judged.count(True))
    worst = auroc(truth, worst_case(truth, scores))
    return Result(name, label, detector, len(asked), len(judged), value, low, high, worst, precision)


def _alarms(name: str, rows: Sequence[Row], judge: str) -> dict[str, Any]:
    """False alarms with their interval beside the calibrated rate, and whether the findings name what is wrong."""
    category: Category = load_category(name)
    mine = [r for r in rows if r.category == name]
    normal = [r for r in mine if r.label == NORMAL_LABEL]
    defective = [r for r in mine if r.label != NORMAL_LABEL]
    judged = [r for r in normal if r.verdict != "INCONCLUSIVE"]
    false = sum(r.verdict == "ANOMALOUS" for r in judged)
    caught = [r for r in defective if r.verdict == "ANOMALOUS"]
    named = sum(not set(category.signs.get(r.label, ())).isdisjoint(r.findings) for r in caught)
    worst = sum(bool(r.findings) and r.findings[0] in category.signs.get(r.label, ()) for r in caught)
    low, high = binomial_interval(false, len(judged)) if judged else (0.0, 1.0)
    rate = Bank.read(category.folder).false_alarm_rate if judge == "rules" else None  # the others do not keep theirs
    calibrated = math.nan if rate is None else rate
    return {
        "false_alarms": false, "judged_normals": len(judged), "normals": len(normal), "rate_low": low, "rate_high": high,
        "calibrated": calibrated, "calibrated_inside": low <= calibrated <= high,
        "inconclusive": sum(r.verdict == "INCONCLUSIVE" for r in mine),
        "caught": len(caught), "defective": len(defective), "named": named, "named_by_worst": worst,
    }


def _no_auroc(rows: Sequence[Row]) -> str:
    """Why there is none: it is the chance that a defective specimen scores above a normal one."""
    kinds = {r.label == NORMAL_LABEL for r in rows}
    lacking = "defective" if kinds == {True} else "normal" if kinds == {False} else "category with both a normal and a defective"
    return f"no AUROC: the campaign has no {lacking} specimen that was inspected"


def _show(results: Sequence[Result], alarms: dict[str, dict[str, Any]], rows: Sequence[Row], judge: str, console: Console) -> None:
    headings = [name.replace("_", " ") for name in BASELINES]  # a narrow column can be broken at the blank
    table = grid("category", "defect", "judged", "AUROC", "95 %", "at worst", *headings, names=2, title=f"AUROC of {judge}, live, and of baselines")
    keyed = {(r.category, r.label, r.detector): r for r in results}
    for (name, label, detector), r in keyed.items():
        if detector == judge:
            others = (markdown.number(keyed[name, label, b].auroc) for b in BASELINES)
            interval = f"{r.auroc_low:.2f} to {r.auroc_high:.2f}" if math.isfinite(r.auroc) else markdown.DASH
            table.add_row(name, label, f"{r.judged} of {r.asked}", markdown.number(r.auroc), interval, f"{r.auroc_worst:.3f}", *others,
                          end_section=label == "all")
    console.print(table if keyed else _no_auroc(rows))
    for detector in dict.fromkeys((judge, *BASELINES)) if keyed else ():
        over_all = [r for r in results if r.detector == detector and r.label == "all"]
        known = [r.auroc for r in over_all if math.isfinite(r.auroc)]
        mean = f"{np.mean(known):.3f}" if known else "no AUROC, too few got a verdict"
        mean += f" (of {len(known)}; in the others too few got a verdict)" if 0 < len(known) < len(over_all) else ""
        console.print(f"mean over categories, {detector}: {mean}; at worst {np.mean([r.auroc_worst for r in over_all]):.3f}")
    if keyed:
        console.print("at worst: if every specimen without a verdict were told wrong")
    table = grid("category", "false alarms", "rate, 95 %", "calibrated", "defects caught", "named by a finding", "by the worst", "no verdict")
    for name, a in alarms.items():
        interval = f"{a['rate_low']:.2f} to {a['rate_high']:.2f}" if a["judged_normals"] else markdown.DASH
        calibrated = f"{a['calibrated']:.2f}, {'inside' if a['calibrated_inside'] else 'outside'}" if np.isfinite(a["calibrated"]) else "unknown"
        table.add_row(name, f"{a['false_alarms']} of {a['judged_normals']}", interval, calibrated, f"{a['caught']} of {a['defective']}",
                      str(a["named"]), str(a["named_by_worst"]), f"{a['inconclusive']} of {sum(r.category == name for r in rows)}")
    console.print(table)
    late = np.array([r.verdict_after_last_frame_s for r in rows if np.isfinite(r.verdict_after_last_frame_s)])
    if len(late):
        console.print(f"verdict after the last frame: median {1e3 * np.median(late):.0f} ms, 99 % {1e3 * np.percentile(late, 99):.0f} ms")
