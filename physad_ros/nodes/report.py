"""What an inspection leaves behind: verdict.json and overview.png beside the recorder's files, written in a worker thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from physad_ros.core.errors import PhysadError
from physad_ros.core.types import Timetable, Verdict
from physad_ros.dataset.finishing import MANIFEST, VIDEO
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.overview import write_overview
from physad_ros.dataset.report import REPORT, write_verdict
from physad_ros.dataset.video import Frame, read_video

if TYPE_CHECKING:
    from physad_ros.nodes.steering import Steering

OVERVIEW = "overview.png"
SHOWN_HEIGHT = 360
CLIP_S = 30.0  # that the recorder may take for the clip's files


def write(ended: Steering, rig: str) -> str:
    """Write the report of an inspection that has ended; why that could not be done, or nothing."""
    now = ended.now
    assert now.verdict is not None
    try:
        provisional = [value for _, value in sorted(ended.frame_scores.items())]
        scores = now.scored.score.per_frame.tolist() if now.scored else provisional
        write_verdict(
            ended.folder / REPORT,
            now.verdict,
            clip_id=ended.clip_id,
            seed=ended.seed,
            rig=rig,
            percept=now.percept,
            timetable=now.timetable,
            frames_received=now.cut.frames_received if now.cut else 0,
            timings_s=ended.timings_s,
            frame_scores=scores,
        )
        if now.cut is not None and not now.cut.fault and now.timetable is not None:
            manifest = _manifest(ended.folder)
            known = {"seed": ended.seed, "lights": now.request.lights if now.request else {}}
            manifest.model_copy(update=known).write(ended.folder / MANIFEST)
            _draw(ended.folder, now.verdict, now.timetable, manifest, scores)
    except (PhysadError, OSError) as error:
        return f"the report could not be written: {error}"
    return ""


def _draw(folder: Path, verdict: Verdict, timetable: Timetable, manifest: Manifest, scores: list[float]) -> None:
    frames: Sequence[Frame] = list(read_video(folder / VIDEO, SHOWN_HEIGHT)[0]) if manifest.frames_received else []
    curve = np.array(scores if len(scores) == len(manifest.stamps_s) else [])  # frames that were lost have no score
    write_overview(folder / OVERVIEW, verdict, timetable, frames, np.array(manifest.stamps_s), curve)


def _manifest(folder: Path) -> Manifest:
    """The recorder's manifest, once it is there; BadData if it does not come."""
    end = time.monotonic() + CLIP_S
    while not (folder / MANIFEST).exists() and time.monotonic() < end:
        time.sleep(0.01)
    return Manifest.read(folder / MANIFEST)
