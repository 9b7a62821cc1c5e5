"""What an inspection leaves behind: overview.png and verdict.json beside the recorder's files, written in a worker thread."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from physad_ros.core.decision import defects_shown
from physad_ros.core.errors import why
from physad_ros.core.types import Outcome, Score, Verdict
from physad_ros.dataset.finishing import MANIFEST, VIDEO
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.overview import write_overview
from physad_ros.dataset.report import REPORT, MeasuredEntry, Report, Versions
from physad_ros.dataset.video import read_frames

if TYPE_CHECKING:
    from physad_ros.nodes.steering import Steering

OVERVIEW = "overview.png"
SHOWN_HEIGHT = 1080  # of which parts are enlarged


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
    now, stamps = ended.now, np.empty(0)
    if whole and ended.leaves_clip:
        manifest = Manifest.read(ended.folder / MANIFEST)
        manifest.model_copy(update={"seed": ended.seed}).write(ended.folder / MANIFEST)
        stamps = np.array(manifest.stamps_s if manifest.frames_received else ())
    write_overview(
        ended.folder / OVERVIEW, verdict, now.timetable, stamps, lambda numbers: read_frames(ended.folder / VIDEO, numbers, SHOWN_HEIGHT),
        now.scored.score if now.scored else Score(verdict.score, np.array(_scores(ended))), percept=now.percept, steps=ended.timings_s,
        sign=" or ".join(defects_shown(verdict)), truth=f"on the twin: {ended.truth}" if ended.truth else "",
    )


def _tell(ended: Steering, verdict: Verdict, rig: str) -> None:
    now = ended.now
    Report.of(
        verdict,
        now.timetable,
        now.percept,
        clip_id=ended.clip_id,
        time=ended.concluded,
        part=now.request.part if now.request else "",
        serial=now.request.serial if now.request else "",
        defects=defects_shown(verdict),
        measured=tuple(MeasuredEntry.of(m) for m in now.scored.score.measured) if now.scored else (),
        truth=ended.truth,
        seed=ended.seed,
        rig=rig,
        versions=Versions.now(rig, now.scored.model if now.scored else {}),
        frames_received=now.cut.frames_received if now.cut else 0,
        timings_s=ended.timings_s,
        frame_scores=_scores(ended),
    ).write(ended.folder / REPORT)


def _scores(ended: Steering) -> list[float]:
    """Of the frames: as judged, or as they were told while the clip ran."""
    provisional = [value for _, value in sorted(ended.frame_scores.items())]
    return [float(v) for v in ended.now.scored.score.per_frame] if ended.now.scored else provisional
