"""Deduction, f(V | P) = r: from the courses of normal clips, the quantities that are stable, with their intervals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physad_ros.core.catalogue import Category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Floats, Phase, Timetable
from physad_ros.core.words import count
from physad_ros.rules.bank import Envelope, Rule
from physad_ros.rules.measurement import STATISTICS, Quantity, Statistic

KNOTS = 40  # of an envelope
WIDEN = 0.5  # of the spread of normals, to each side
STABLE = 0.6  # of the range a quantity runs through: an interval wider than that says nothing
FLOORS = 10  # times what the camera resolves: the least range, for quantities that hardly move in normal clips
LEAST_CLIPS = 10
ROUNDING = 1e-3  # of a knot


@dataclass(frozen=True)
class Measured:
    """The courses of one clip and when they were taken."""

    timetable: Timetable
    stamps_s: Floats  # (T,)
    courses: dict[str, Floats]  # (T,) each

    def on(self, phase: Phase, quantity: str) -> Floats:
        """The part of a course within a phase."""
        within = (self.stamps_s >= phase.begin_s - 1e-6) & (self.stamps_s < phase.end_s - 1e-6)
        return self.courses[quantity][within]

    def summed(self, phase: Phase, quantity: str, statistic: Statistic) -> float:
        """A quantity on a phase in one number; NaN where most of it could not be measured."""
        course = self.on(phase, quantity)
        known = course[np.isfinite(course)]
        return STATISTICS[statistic](known) if len(known) >= max(1, len(course) // 2) else float("nan")


def deduce(category: Category, quantities: dict[str, Quantity], clips: Sequence[Measured]) -> tuple[Rule, ...]:
    """The rules that normal clips keep to.

    A rule is kept if every clip could be measured and the interval (the 5 to 95 % range, widened by WIDEN of itself to each side, and
    never narrower than what the camera resolves) is narrower than STABLE of the range the quantity runs through in a clip.

    Raises:
        BadData: too few clips, of phases that differ, or nothing stable in them.
    """
    if len(clips) < LEAST_CLIPS:
        raise BadData(f"{category.name}: rules cannot be deduced from {count(len(clips), 'normal clip')}; at least {LEAST_CLIPS} are needed")
    names = [tuple(p.name for p in clip.timetable.window_phases) for clip in clips]
    if len(set(names)) > 1:
        told = "; ".join(sorted({" ".join(phases) for phases in names}))
        raise BadData(f"{category.name}: the clips' phases differ: {told}")
    rules = []
    for quantity, about in quantities.items():
        ranges = [np.ptp(c.courses[quantity][np.isfinite(c.courses[quantity])]) for c in clips]
        runs_through = max(float(np.median(ranges)), FLOORS * about.floor)
        for at, phase in enumerate(names[0]):
            for statistic, tells in about.tells.items():
                values = np.array([c.summed(c.timetable.window_phases[at], quantity, statistic) for c in clips])
                if not np.isfinite(values).all():
                    continue
                low, high = _interval(values, about.floor)
                if high - low < STABLE * runs_through:
                    bounded_below = low > 0 or (about.signed and statistic != "swing")
                    normal = "between {low} and {high}" if bounded_below else "at most {high}"
                    sentence = f"during {phase.replace('_', ' ')}, {tells}; normal is {normal}"
                    rules.append(Rule(phase=phase, quantity=quantity, statistic=statistic, low=low, high=high,
                                      unit=about.unit, sentence=sentence))
    if not rules:
        raise BadData(f"{category.name}: nothing that was measured is stable in these clips")
    return tuple(rules)


def _interval(values: Floats, floor: float) -> tuple[float, float]:
    low, high = np.percentile(values, (5, 95))
    middle, half = (low + high) / 2, max((high - low) * (0.5 + WIDEN), floor)
    return round(float(middle - half), 4), round(float(middle + half), 4)


def envelopes(quantities: dict[str, Quantity], clips: Sequence[Measured]) -> dict[str, Envelope]:
    """Between what each quantity runs in normal clips, a knot's neighbours included, so that a course may be a little early or late."""
    made = {}
    for quantity, about in quantities.items():
        rows = np.array([at_knots(c.timetable, c.stamps_s, c.courses[quantity]) for c in clips])  # (N, KNOTS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a knot that no clip could measure is None below
            low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
            low = np.nanmin(_with_neighbours(low), axis=0)
            high = np.nanmax(_with_neighbours(high), axis=0)
        middle, half = (low + high) / 2, np.maximum((high - low) * (0.5 + WIDEN / 2), about.floor)
        made[quantity] = Envelope(low=_known(middle - half), high=_known(middle + half))
    return made


def _with_neighbours(knots: Floats) -> Floats:
    """(3, K) each knot's predecessor, itself and its successor; the first and the last have one neighbour only."""
    padded = np.pad(knots, 1, constant_values=np.nan)
    return np.stack([padded[:-2], knots, padded[2:]])


def median_course(quantity: str, clips: Sequence[Measured]) -> tuple[float, ...]:
    """(frames of a clip,) of a quantity over normal clips, at equal steps from the window's begin to its end."""
    rows = []
    for clip in clips:
        known = np.isfinite(clip.courses[quantity])
        if known.any():
            edges = np.linspace(clip.timetable.window_begin_s, clip.timetable.window_end_s, clips[0].timetable.frames + 1)
            rows.append(means_between(clip.stamps_s[known], clip.courses[quantity][known], edges))
    if not rows:
        raise BadData(f"{quantity} could be measured in none of these clips")
    return tuple(round(float(v), 4) for v in np.median(rows, axis=0))


def means_between(stamps_s: Floats, course: Floats, edges_s: Floats) -> Floats:
    """(..., K) means of a course between edges (..., K + 1); each value stands until the next, the first and the last for ever."""
    ends = np.append(stamps_s, stamps_s[-1] + 1e3) - stamps_s[0]
    sums = np.concatenate([[0.0], np.cumsum(course * np.diff(ends))])
    since = edges_s - stamps_s[0]
    within = np.interp(since, ends, sums) + np.minimum(since, 0) * course[0]
    return np.asarray(np.diff(within, axis=-1) / np.diff(edges_s, axis=-1))


def at_knots(timetable: Timetable, stamps_s: Floats, course: Floats) -> Floats:
    """(KNOTS,) means of a course over equal shares of the window; NaN where unmeasured."""
    share = (stamps_s - timetable.window_begin_s) / (timetable.window_end_s - timetable.window_begin_s)
    # a frame that is stamped with a knot's begin belongs to it, whatever stamps are rounded to
    knot = np.clip((share * KNOTS + ROUNDING).astype(int), 0, KNOTS - 1)
    known = np.isfinite(course)
    sums = np.bincount(knot[known], course[known], KNOTS)
    counts = np.bincount(knot[known], minlength=KNOTS)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _known(values: Floats) -> tuple[float | None, ...]:
    return tuple(round(float(v), 4) if np.isfinite(v) else None for v in values)
