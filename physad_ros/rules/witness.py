"""Which frames show best what was measured, and where in them it is to be seen."""

from __future__ import annotations

import numpy as np

from physad_ros.core.types import Course, Mark, Phase, Score
from physad_ros.rules.deduce import Measured
from physad_ros.rules.measurement import Measurement

LATE = 0.9  # of a phase: it has done by then what it does, and the next one has not begun


def marks(score: Score, clip: Measured, measurement: Measurement) -> tuple[Mark, ...]:
    """Of every quantity, in each phase that was measured, what shows it in the frame that tells the most."""
    size = np.array(measurement.sight.size, dtype=float)
    found = []
    for course in score.courses:
        for phase in clip.timetable.window_phases:
            at = _telling(course, clip, phase)
            if at is None:
                continue
            normal = _swing(score, clip, course.quantity, phase) or (float(course.low[at]), float(course.high[at]))
            for line in measurement.lines(course.quantity, at, normal):
                found.append(Mark(course.quantity, float(clip.stamps_s[at]), line.normal, line.closed, line.points_px / size))
    return tuple(found)


def _telling(course: Course, clip: Measured, phase: Phase) -> int | None:
    """The frame in which a course lies the farthest outside of what is normal, or one late in the phase where it keeps to it."""
    known = np.isfinite(course.values) & (clip.stamps_s >= phase.begin_s - 1e-6) & (clip.stamps_s < phase.end_s - 1e-6)
    at = np.flatnonzero(known)
    if not len(at):
        return None
    half = (course.high - course.low)[at] / 2
    outside = np.abs(course.values - (course.low + course.high) / 2)[at] / half
    worst = int(np.argmax(np.where(np.isfinite(outside), outside, 0.0)))
    return int(at[worst] if outside[worst] > 1 else at[round(LATE * (len(at) - 1))])


def _swing(score: Score, clip: Measured, quantity: str, phase: Phase) -> tuple[float, float] | None:
    """Between what a quantity would swing about its middle, if its swing is all that the rules know of it in this phase."""
    known = [m for m in score.measured if (m.quantity, m.phase) == (quantity, phase.name)]
    if not known or {m.statistic for m in known} != {"swing"}:
        return None
    low, high = np.nanpercentile(clip.on(phase, quantity), (5, 95))
    return float((low + high - known[0].high) / 2), float((low + high + known[0].high) / 2)
