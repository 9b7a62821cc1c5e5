"""Phases of a clip that comes without them, as footage does: by aligning its course with the category's normal one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import FPS, Floats, Phase, Timetable
from physad_ros.core.words import number
from physad_ros.rules.bank import Bank, Share
from physad_ros.rules.deduce import KNOTS, Measured, means_between

PACE = 3  # times slower or faster than the normal course that a part of footage may be
STRETCH = 0.04  # added to the difference where the pace is e times the normal one: of ways that fit alike, the evenest
ALIKE = 0.02  # of the guide's range: ways of which the mean differences from the normal course are no further apart fit alike
MOVES_S, MOVES = 0.1, 0.05  # the guide moves where it changes within that time by that share of its range


def shares(timetable: Timetable) -> tuple[Share, ...]:
    """A timetable's phases in shares of its window."""
    begin, length = timetable.window_begin_s, timetable.window_end_s - timetable.window_begin_s
    return tuple(
        Share(name=p.name, begin=round((p.begin_s - begin) / length, 4), end=round((p.end_s - begin) / length, 4))
        for p in timetable.window_phases
    )


def aligned(bank: Bank, clip: Measured) -> Measured:
    """The clip with the bank's phases where its guiding course fits the normal one best; what lies before and after is left out.

    Footage may show the interaction several times, or begin in its middle, and at a pace of its own.

    Raises:
        BadData: the guiding course could not be measured, never moves, is too short, or moves mostly where nothing would be judged.
    """
    at = np.flatnonzero(np.isfinite(clip.courses[bank.guide]))
    stamps, course = clip.stamps_s[at], clip.courses[bank.guide][at]
    if len(at) < len(bank.phases) or np.ptp(course) <= 0:
        raise BadData(f"the phases cannot be found: {bank.guide} does not move in this clip")
    normal = _squared_up(_normal(bank))
    usual = load_category(bank.category).frames / FPS
    knots = means_between(np.arange(len(normal)) / len(normal), normal, np.linspace(0, 1, KNOTS + 1))
    step = usual / KNOTS / PACE
    # what lies before and after is filmed too, if not measured
    filmed = float(clip.stamps_s[0]), float(clip.stamps_s[-1]) + 1 / clip.timetable.fps
    times = np.arange(filmed[0], filmed[1] - step / 2, step)
    if len(times) < KNOTS:
        seen, least = number(float(np.ptp(clip.stamps_s)), 2), number(usual / PACE, 2)
        raise BadData(f"the phases cannot be found: {bank.guide} is seen for {seen} s, and takes at least {least} s")
    squared = _squared_up(course)
    at_any_pace = filmed[0] + step * _fit(knots, np.interp(times, stamps, squared))
    at_any_pace = np.interp(np.linspace(0, 1, len(normal) + 1), np.linspace(0, 1, KNOTS + 1), at_any_pace)
    ways = [at_any_pace, *_at_one_pace(normal, stamps, squared, filmed, usual)]
    differs = [float(np.abs(means_between(stamps, squared, edges) - normal).mean()) for edges in ways]
    alike = [way for way, differ in zip(ways, differs) if differ <= min(differs) + ALIKE]
    edges = _covering(bank, stamps, course, [*alike[::-1], at_any_pace])  # of those that fit alike, the plainest
    shares = [*(s.begin for s in bank.phases), bank.phases[-1].end]
    cuts = np.interp(shares, np.linspace(0, 1, len(edges)), edges).tolist()
    phases = tuple(Phase(s.name, *span) for s, span in zip(bank.phases, pairwise(cuts)))
    return replace(clip, timetable=replace(clip.timetable, phases=phases))


def _normal(bank: Bank) -> Floats:
    """(K,) the guide's normal course."""
    if bank.course is not None:
        return np.array(bank.course)
    envelope = bank.envelopes[bank.guide]
    middle = np.array([np.nan if low is None or high is None else (low + high) / 2 for low, high in zip(envelope.low, envelope.high)])
    known = np.flatnonzero(np.isfinite(middle))
    return np.interp(np.arange(len(middle)), known, middle[known])


def _squared_up(course: Floats) -> Floats:
    """Between 0 and 1: footage has a scale of its own."""
    return np.asarray((course - course.min()) / np.ptp(course))


def _fit(normal: Floats, course: Floats) -> NDArray[np.int64]:
    """(K + 1,) between which samples of a course each knot of the normal one lies.

    Each knot takes from one sample to PACE squared; the mean difference, knots counting alike, is the least (segmentation by dynamic
    programming, Bellman, Communications of the ACM, 1961). So nothing between the ends is skipped, and no phase shrinks to a moment.
    """
    sums = np.cumsum(np.abs(normal[:, None] - course), axis=1)
    sums = np.concatenate([np.zeros((len(normal), 1)), sums], axis=1)  # (K, T + 1)
    best = np.zeros(len(course) + 1)  # of the knots so far, by where they end; they may begin anywhere
    takes = []
    for row in sums:
        longer = np.full((PACE**2 + 1, len(row)), np.inf)
        for n in range(1, min(PACE**2, len(course)) + 1):
            longer[n, n:] = best[:-n] + (row[n:] - row[:-n]) / n + STRETCH * abs(log(n / PACE))
        takes.append(np.argmin(longer, axis=0))
        best = longer.min(axis=0)
    edges = [int(np.argmin(best))]
    for take in takes[::-1]:
        edges.append(edges[-1] - int(take[edges[-1]]))
    return np.array(edges[::-1])


def _at_one_pace(normal: Floats, stamps_s: Floats, course: Floats, filmed: tuple[float, float], usual_s: float) -> list[Floats]:
    """Edges (K + 1,) of the knots at one pace throughout: where they fit best, and, of a film as long as the window is, all of it.

    Where the course is flat an edge can only be told by what lies around it, and so only as long as nobody changes the pace.
    """
    places = np.linspace(0, 1, len(normal) + 1)
    period = float(np.median(np.diff(stamps_s)))

    def fit(paces: Floats, begins_s: Floats) -> tuple[float, float, float]:
        """Cost, begin and length of the best; infinite where the film is too short for all."""
        best = (np.inf, filmed[0], usual_s)
        for pace in paces:
            length = usual_s / pace
            begins = begins_s[(begins_s >= filmed[0]) & (begins_s + length <= filmed[1] + 1e-6)]
            if not len(begins):
                continue
            costs = np.abs(means_between(stamps_s, course, begins[:, None] + length * places) - normal).mean(axis=1) + STRETCH * abs(log(pace))
            at = int(np.argmin(costs))
            best = min(best, (float(costs[at]), float(begins[at]), length))
        return best

    cost, begin, length = fit(PACE ** np.linspace(-1, 1, 111), np.arange(*filmed, period))
    if cost == np.inf:
        return []
    _, begin, length = min((cost, begin, length), fit(usual_s / length * np.linspace(0.98, 1.02, 41), begin + period * np.linspace(-3, 3, 49)))
    ways = [begin + length * places]
    if abs(filmed[1] - filmed[0] - usual_s) < period:
        ways.append(filmed[0] + usual_s * places)
    return ways


def _covering(bank: Bank, stamps_s: Floats, course: Floats, ways: list[Floats]) -> Floats:
    """The first of several alignments within which most of the guide's moving lies: what is left out is not judged, and must not pass as normal.

    Raises:
        BadData: there is none.
    """
    later = np.interp(stamps_s + MOVES_S / 2, stamps_s, course) - np.interp(stamps_s - MOVES_S / 2, stamps_s, course)
    moving = stamps_s[np.abs(later) > MOVES * np.ptp(course)]
    if not len(moving):
        raise BadData(f"the phases cannot be found: {bank.guide} moves too slowly in this clip to be told from a drift")
    inside = [int(((moving >= edges[0]) & (moving < edges[-1])).sum()) for edges in ways]
    for edges, count in zip(ways, inside):
        if 2 * count > len(moving):
            return edges
    raise BadData(f"the phases cannot be found: {bank.guide} moves mostly outside of what resembles the normal course "
                  f"({max(inside)} of {len(moving)} frames within it)")
