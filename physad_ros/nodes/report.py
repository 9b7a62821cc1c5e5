"""What an inspection leaves behind: overview.png and verdict.json beside the recorder's files, written in a worker thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from physad_ros.core.errors import why
from physad_ros.core.types import Outcome, Verdict
from physad_ros.dataset.finishing import MANIFEST, VIDEO
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.overview import write_overview
from physad_ros.dataset.report import REPORT, write_verdict
from physad_ros.dataset.video import Frame, read_video

if TYPE_CHECKING:
    from physad_ros.nodes.steering import Steering

OVERVIEW = "overview.png"
SHOWN_HEIGHT = 360


def write(ended: Steering, rig: str, fault: str) -> tuple[Verdict, str]:
    """Write the report of an inspection that has ended.

    Args:
        fault: why the recorder's files of the clip are not there; empty if they are, or if none were to be.

    Returns:
        The verdict that stands: INCONCLUSIVE where clip or report are not whole, for whatever reason. And that reason, or nothing.
    """
    assert ended.now.verdict is not None
    verdict, reason = _spoilt(ended.now.verdict, fault), fault
    try:
        _illustrate(ended, verdict, whole=not fault)
    except Exception as error:
        reason = reason or _why(error)
        verdict = _spoilt(verdict, reason)
    try:
        _tell(ended, verdict, rig)
    except Exception as error:
        reason = reason or _why(error)
        verdict = _spoilt(verdict, reason)
        with contextlib.suppress(OSError):  # a picture of a verdict that does not stand
            (ended.folder / OVERVIEW).unlink(missing_ok=True)
    return verdict, reason


def _why(error: Exception) -> str:
    return f"the report could not be written: {why(error)}"


def _spoilt(verdict: Verdict, reason: str) -> Verdict:
    if not reason or verdict.outcome is Outcome.INCONCLUSIVE:
        return verdict
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=reason)


def _illustrate(ended: Steering, verdict: Verdict, whole: bool) -> None:
    """The picture, of what frames there are; the manifest gets what the recorder could not know."""
    frames: Sequence[Frame] = []
    stamps, curve = np.empty(0), np.empty(0)
    if whole and ended.leaves_clip:
        manifest = Manifest.read(ended.folder / MANIFEST)
        manifest.model_copy(update={"seed": ended.seed}).write(ended.folder / MANIFEST)
        if manifest.frames_received:
            frames = list(read_video(ended.folder / VIDEO, SHOWN_HEIGHT)[0])
        stamps, scores = np.array(manifest.stamps_s), _scores(ended)
        curve = np.array(scores if len(scores) == len(stamps) else [])  # frames that were lost have no score
    write_overview(ended.folder / OVERVIEW, verdict, ended.now.timetable, frames, stamps, curve)


def _tell(ended: Steering, verdict: Verdict, rig: str) -> None:
    now = ended.now
    write_verdict(
        ended.folder / REPORT,
        verdict,
        clip_id=ended.clip_id,
        seed=ended.seed,
        rig=rig,
        percept=now.percept,
        timetable=now.timetable,
        frames_received=now.cut.frames_received if now.cut else 0,
        timings_s=ended.timings_s,
        frame_scores=_scores(ended),
    )


def _scores(ended: Steering) -> list[float]:
    """Of the frames: as judged, or as they were told while the clip ran."""
    provisional = [value for _, value in sorted(ended.frame_scores.items())]
    return [float(v) for v in ended.now.scored.score.per_frame] if ended.now.scored else provisional
