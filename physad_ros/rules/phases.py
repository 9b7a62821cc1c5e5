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
from physad_ros.rules.deduce import Measured

PACE = 3  # times slower or faster than the normal course that a part of footage may be
STRETCH = 0.04  # added to the difference where the pace is e times the normal one: of ways that fit alike, the evenest
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
    normal = _middle(bank)
    step = load_category(bank.category).frames / FPS / len(normal) / PACE
    times = np.arange(stamps[0], stamps[-1] + step / 2, step)
    if len(times) < len(normal):
        seen, least = number(np.ptp(stamps), 2), number(step * len(normal), 2)
        raise BadData(f"the phases cannot be found: {bank.guide} is seen for {seen} s, and takes at least {least} s")
    edges = times[0] + step * _fit(_squared_up(normal), _squared_up(np.interp(times, stamps, course)))
    _covered(bank, stamps, course, edges)
    shares = [*(s.begin for s in bank.phases), bank.phases[-1].end]
    cuts = np.interp(shares, np.linspace(0, 1, len(edges)), edges).tolist()
    phases = tuple(Phase(s.name, *span) for s, span in zip(bank.phases, pairwise(cuts)))
    return replace(clip, timetable=replace(clip.timetable, phases=phases))


def _middle(bank: Bank) -> Floats:
    """(K,) the middle of the guide's envelope, interpolated where normal clips could not be measured."""
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


def _covered(bank: Bank, stamps_s: Floats, course: Floats, edges_s: Floats) -> None:
    """BadData if the guide moves mostly outside: what is left out is not judged, and must not pass as normal."""
    later = np.interp(stamps_s + MOVES_S / 2, stamps_s, course) - np.interp(stamps_s - MOVES_S / 2, stamps_s, course)
    moving = stamps_s[np.abs(later) > MOVES * np.ptp(course)]
    inside = (moving >= edges_s[0]) & (moving < edges_s[-1])
    if 2 * inside.sum() <= len(moving):
        raise BadData(f"the phases cannot be found: {bank.guide} moves mostly outside of what resembles the normal course "
                      f"({inside.sum()} of {len(moving)} frames within it)")
