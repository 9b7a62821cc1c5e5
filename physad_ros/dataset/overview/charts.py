"""Over time: the course of a quantity beside what is normal, and the score beside its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from physad_ros.core.telling import told_unit
from physad_ros.core.types import Course, Floats, Phase, Timetable, Verdict
from physad_ros.dataset.overview.facts import words
from physad_ros.dataset.overview.page import BLUE, COLOURS, GREEN, GREY, INK, RED, TINTS, literal

LINEAR = 6.0  # times the threshold up to which scores are drawn to a linear scale


def phases(axis: Axes, spans: Sequence[Phase], zero: float, named: bool) -> None:
    """Tinted spans, with their names above."""
    for i, phase in enumerate(spans):
        begin, end = phase.begin_s - zero, phase.end_s - zero
        axis.axvspan(begin, end, color=TINTS[i % 2], linewidth=0, zorder=0)
        if named:
            axis.text((begin + end) / 2, 1.02, literal(words(phase.name)), ha="center", va="bottom", fontsize=12, color=GREY,
                      transform=axis.get_xaxis_transform())


def unseen(axis: Axes, timetable: Timetable, stamps_s: Floats) -> None:
    """Hatch where the window was not seen."""
    zero, step = timetable.window_begin_s, 1 / timetable.fps
    edges = np.concatenate([[-step], stamps_s - zero, [timetable.window_end_s - zero]])
    for before, after in pairwise(edges):
        if after - before > 1.6 * step:
            axis.axvspan(before + step, after, facecolor="white", edgecolor="#8a8d91", hatch="////", linewidth=0, zorder=1)


def course(axis: Axes, about: Course, times_s: Floats) -> None:
    """What was measured, red where it lies outside of what normal clips run through."""
    _, factor = told_unit(about.unit)
    times_s, values, low, high = _gaps(times_s, factor * about.values, factor * about.low, factor * about.high)
    axis.fill_between(times_s, low, high, color=GREEN, alpha=0.25, linewidth=0, zorder=2)
    axis.plot(times_s, values, color=BLUE, linewidth=2.4, zorder=4)
    outside = (values < low) | (values > high)
    outside |= np.roll(outside, -1) & np.isfinite(values)  # the way out is red too
    axis.plot(times_s, np.where(outside, values, np.nan), color=RED, linewidth=3.2, zorder=5)
    lone = outside & ~np.roll(outside, 1) & ~np.roll(outside, -1)
    axis.plot(times_s[lone], values[lone], ".", color=RED, zorder=5)
    everything = np.concatenate([values, low, high])
    everything = everything[np.isfinite(everything)]
    if len(everything):
        room = 0.08 * (np.ptp(everything) or 1.0)
        axis.set_ylim(everything.min() - room, everything.max() + room)


def score(axis: Axes, verdict: Verdict, times_s: Floats, per_frame: Floats) -> None:
    """Frames, threshold and the clip's score on one scale, nothing cut: as far as the threshold it is linear, beyond logarithmic where need be."""
    known = per_frame[np.isfinite(per_frame)] if len(per_frame) == len(times_s) else np.empty(0)
    marks = [v for v in (verdict.score, verdict.threshold) if np.isfinite(v)]
    if len(known):
        axis.plot(*_gaps(times_s, per_frame), color=BLUE, linewidth=1.8, zorder=4)
    everything = np.concatenate([known, marks])
    if np.isfinite(verdict.threshold):
        _to_scale(axis, everything, verdict.threshold)
        axis.axhline(verdict.threshold, color=INK, linestyle="--", linewidth=1.2, zorder=3)
    elif len(everything):
        room = 0.1 * (np.ptp(everything) or 1.0)
        axis.set_ylim(everything.min() - room, everything.max() + room)
    if np.isfinite(verdict.score):
        axis.plot([1.0], [verdict.score], "D", color=COLOURS[verdict.outcome], markersize=9, clip_on=False, zorder=6,
                  transform=axis.get_yaxis_transform())
    if not len(known):
        axis.set_yticks([])
        axis.text(0.5, 0.5, "no frame was scored", ha="center", va="center", fontsize=12, color=GREY, transform=axis.transAxes)


def _gaps(times_s: Floats, *courses: Floats) -> tuple[Floats, ...]:
    """Times and courses with something unknown put where frames are missing, so that no line is drawn across."""
    steps = np.diff(times_s)
    after = np.flatnonzero(steps > 1.6 * np.median(steps)) + 1 if len(steps) else np.empty(0, int)
    return np.insert(times_s, after, times_s[after - 1]), *(np.insert(c.astype(float), after, np.nan) for c in courses)


def _to_scale(axis: Axes, everything: Floats, threshold: float) -> None:
    low, high = float(everything.min()), float(everything.max())
    if threshold > 0 and high > LINEAR * threshold:
        axis.set_yscale("symlog", linthresh=threshold, linscale=0.6)
        axis.set_ylim(min(low, 0.0), high * (high / threshold) ** 0.12)
        ticks = [t for t in (threshold * times * 10.0**n for n in range(8) for times in (1.0, 3.0)) if t <= high]
        axis.set_yticks([0.0, *ticks], labels=["0", *(f"{t:.2g}" if t < 1000 else f"{t:.0f}" for t in ticks)])
        axis.minorticks_off()
    else:
        room = 0.12 * (high - min(low, 0.0) or 1.0)
        axis.set_ylim(min(low - room, 0.0) if low < 0 else 0.0, high + room)


def plain(axis: Axes, end_s: float, last: bool) -> None:
    """Few lines, and the time where it is the lowest of several."""
    axis.set_xlim(0, end_s)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color("#9a9da1")
    axis.tick_params(colors=GREY, labelsize=11, labelbottom=last)
    axis.xaxis.set_major_formatter("{x:g} s")
    axis.grid(axis="y", color="white", linewidth=1.0, zorder=1)
    axis.set_axisbelow(True)
