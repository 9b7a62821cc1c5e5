"""Phases of a clip that comes without them, as footage does: by aligning its course with the category's normal one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from physad_ros.core.errors import BadData
from physad_ros.core.types import Floats, Phase, Timetable
from physad_ros.rules.bank import Bank, Share
from physad_ros.rules.deduce import Measured


def shares(timetable: Timetable) -> tuple[Share, ...]:
    """A timetable's phases in shares of its window."""
    begin, length = timetable.window_begin_s, timetable.window_end_s - timetable.window_begin_s
    return tuple(
        Share(name=p.name, begin=round((p.begin_s - begin) / length, 4), end=round((p.end_s - begin) / length, 4))
        for p in timetable.window_phases
    )


def aligned(bank: Bank, clip: Measured) -> Measured:
    """The clip with the bank's phases where its guiding course fits the normal one best; what lies before and after is left out.

    Subsequence dynamic time warping (Müller, Information Retrieval for Music and Motion, 2007, section 4.4): footage may show the
    interaction several times, or begin in its middle.

    Raises:
        BadData: the guiding course could not be measured, or never moves.
    """
    envelope = bank.envelopes[bank.guide]
    normal = np.array([np.nan if low is None or high is None else (low + high) / 2 for low, high in zip(envelope.low, envelope.high)])
    course = clip.courses[bank.guide]
    at = np.flatnonzero(np.isfinite(course))
    if len(at) < len(bank.phases) or np.ptp(course[at]) <= 0:
        raise BadData(f"the phases cannot be found: {bank.guide} does not move in this clip")
    known = np.isfinite(normal)
    path = _warp(_squared_up(normal[known]), _squared_up(course[at]))
    knots = (np.flatnonzero(known)[path[:, 0]] + 0.5) / len(normal)
    stamps = clip.stamps_s[at[path[:, 1]]]
    period = 1 / clip.timetable.fps
    edges = [float(np.interp(s.begin, knots, stamps)) for s in bank.phases] + [float(stamps[-1]) + period]
    phases = tuple(Phase(s.name, edges[i], max(edges[i + 1], edges[i] + period)) for i, s in enumerate(bank.phases))
    return replace(clip, timetable=replace(clip.timetable, phases=phases))


def _squared_up(course: Floats) -> Floats:
    """Between 0 and 1: footage has a scale of its own."""
    return np.asarray((course - course.min()) / np.ptp(course))


def _warp(query: Floats, target: Floats) -> np.ndarray:
    """(P, 2) indices into query and target along the cheapest path through all of the query and any part of the target."""
    cost = np.abs(query[:, None] - target[None, :])
    total = np.full((len(query) + 1, len(target) + 1), np.inf)
    total[0, :] = 0.0
    for i in range(1, len(query) + 1):
        for j in range(1, len(target) + 1):
            total[i, j] = cost[i - 1, j - 1] + min(total[i - 1, j - 1], total[i - 1, j], total[i, j - 1])
    i, j = len(query), int(np.argmin(total[-1, 1:])) + 1
    path = []
    while i > 0:
        path.append((i - 1, j - 1))
        steps = [(total[i - 1, j - 1], i - 1, j - 1), (total[i - 1, j], i - 1, j), (total[i, j - 1], i, j - 1)]
        _, i, j = min(s for s in steps if s[1] == 0 or s[2] > 0)
    return np.array(path[::-1])
