"""verdict.json: all that an inspection concludes, for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Percept, Timetable, Verdict
from physad_ros.dataset.files import write_json

REPORT = "verdict.json"


def write_verdict(
    file: Path,
    verdict: Verdict,
    *,
    clip_id: str,
    seed: int,
    rig: str,
    percept: Percept | None,
    timetable: Timetable | None,
    frames_received: int,
    timings_s: dict[str, float],
    frame_scores: list[float],
) -> None:
    """Write the report of one inspection, atomically."""
    write_json(file, {
        "clip_id": clip_id,
        "verdict": verdict.outcome.name,
        "reason": verdict.reason,
        "category": verdict.category,
        "confidence": None if percept is None else percept.confidence,
        "perception": None if percept is None else dataclasses.asdict(percept),
        "object": timetable.object if timetable else "",
        "interaction": timetable.interaction if timetable else "",
        "detector": verdict.detector,
        "score": verdict.score,
        "threshold": verdict.threshold,
        "findings": [dataclasses.asdict(f) for f in verdict.findings],
        "seed": seed,
        "rig": rig,
        "frames_expected": timetable.frames if timetable else 0,
        "frames_received": frames_received,
        "phases": [dataclasses.asdict(p) for p in timetable.phases] if timetable else [],
        "window_s": [timetable.window_begin_s, timetable.window_end_s] if timetable else [],
        "timings_s": timings_s,
        "frame_scores": frame_scores,
    })


def read_verdict(file: Path) -> dict[str, Any]:
    """A report as written; its score and threshold are NaN where there was none."""
    try:
        report: dict[str, Any] = json.loads(file.read_text())
        for name in ("score", "threshold"):
            report[name] = math.nan if report[name] is None else float(report[name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadData(f"{file}: {why(error)}") from error
    return report
