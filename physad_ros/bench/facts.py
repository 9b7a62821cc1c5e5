"""What a job of the benchmark leaves in its folder beside the trained model, and what is known of it once it has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FACTS, SCORES, PER_FRAME = "facts.json", "scores.parquet", "per_frame.npz"
JOBS = "jobs"  # folder of a run that holds those of its jobs
LOG = "log.txt"  # what a failed job printed


@dataclass(frozen=True)
class Facts:
    """What is known of a job that ended. Times are of one core, decoding of videos left out where scoring is timed."""

    digest: str
    category: str
    method: str
    seed: int
    preset: str
    fault: str = ""  # why there are no scores
    uncalibrated: str = ""  # why there is no threshold
    fitted: int = 0  # clips
    held_out: int = 0
    false_alarm_rate: float = float("nan")  # that the threshold keeps
    threshold: float = float("nan")
    parameters: int = 0
    fit_s: float = float("nan")
    score_s: float = float("nan")  # a clip, on average
    whole_clip_frames_per_s: float = float("nan")  # with the features that the method had on disk already
    live_frames_per_s: float = float("nan")  # streamed frame by frame, as from a camera, with the final score
    peak_mb: float = float("nan")

    @classmethod
    def read(cls, folder: Path) -> Facts | None:
        """Those of a job's folder; None where it never ended."""
        try:
            found: dict[str, Any] = json.loads((folder / FACTS).read_text())
            names = {f.name for f in fields(cls)}  # an older version's file may hold others
            known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in found.items() if k in names}
            return cls(**known)
        except (OSError, ValueError, TypeError, AttributeError):
            return None
