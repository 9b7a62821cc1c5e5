"""overview.png: an inspection at a glance. The verdict in a sentence, six frames, the score over the phases, the findings."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from physad_ros.core.types import Finding, Floats, Outcome, Timetable, Verdict
from physad_ros.dataset.files import draft_of
from physad_ros.dataset.video import Frame

COLOURS = {Outcome.NORMAL: "#1a7f37", Outcome.ANOMALOUS: "#c62828", Outcome.INCONCLUSIVE: "#9a6700"}
RED = COLOURS[Outcome.ANOMALOUS]
_PLATE = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 3}  # behind words that must be read on hatching
TINTS = ("#e3ebf7", "#f6eedd")  # of phases in turn
INK, GREY = "#222222", "#6a6a6a"
SHOWN = 6  # frames
LINES = 6  # of findings that there is room for
CEILING = 5.0  # times the threshold, above which the curve is cut: what matters is on which side it lies
LEFT, WIDTH, GAP = 0.05, 0.925, 0.006  # of everything, and between frames, as shares of the picture's width


def write_overview(
    file: Path,
    verdict: Verdict,
    timetable: Timetable | None,
    frames: Sequence[Frame],
    stamps_s: Floats,
    frame_scores: Floats,
    truth: str = "",
) -> None:
    """Draw an inspection, 1600x900.

    Args:
        verdict: what is told in the title and the findings.
        timetable: None where it ended before there was one.
        frames: (T, H, W, 3) BGR, perhaps none.
        stamps_s: (T,) their stamps.
        frame_scores: (T,) on the scale of the verdict's score and threshold, or empty.
        truth: what a simulated specimen really was, in words; empty: nobody knows.
    """
    figure = Figure(figsize=(16, 9), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    zero = timetable.window_begin_s if timetable else (float(stamps_s[0]) if len(stamps_s) else 0.0)
    chosen = np.linspace(0, len(frames) - 1, min(SHOWN, len(frames))).round().astype(int)
    _show_verdict(figure, verdict, timetable)
    _show_frames(figure, verdict, timetable, [frames[i] for i in chosen], stamps_s[chosen] if len(chosen) else stamps_s, zero)
    if timetable is not None:
        axis = figure.add_axes((LEFT, 0.295, WIDTH, 0.31))
        _show_phases(axis, timetable, stamps_s, zero)
        _show_scores(axis, verdict, stamps_s - zero, frame_scores)
        _show_broken(axis, verdict.findings, zero)
        _mark_frames(axis, stamps_s[chosen] - zero if len(chosen) else stamps_s)
    _show_findings(figure, verdict)
    if truth:
        figure.text(LEFT + WIDTH, 0.02, truth, fontsize=13, color=GREY, ha="right")
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(file)
    figure.savefig(draft, format="png")
    draft.replace(file)


def _show_verdict(figure: Figure, verdict: Verdict, timetable: Timetable | None) -> None:
    figure.add_artist(Rectangle((0, 0.905), 1, 0.095, color=COLOURS[verdict.outcome], transform=figure.transFigure))
    figure.text(LEFT, 0.951, verdict.outcome.name, fontsize=32, weight="bold", color="white", va="center_baseline")
    about = [verdict.category or "unknown object"]
    if timetable is not None:
        about += [timetable.object, timetable.interaction, timetable.clip_id]
    if np.isfinite(verdict.score):
        about.append(f"score {verdict.score:.3g}, threshold {verdict.threshold:.3g} ({verdict.detector})")
    told = "   ·   ".join(part for part in about if part)
    figure.text(LEFT + WIDTH, 0.951, told, fontsize=14, color="white", va="center_baseline", ha="right")
    figure.text(LEFT, 0.868, textwrap.shorten(_sentence(verdict), 125, placeholder=" …"), fontsize=17, color=INK, va="center")


def _sentence(verdict: Verdict) -> str:
    thing = f"This {_words(verdict.category)}" if verdict.category else "This object"
    if verdict.outcome is Outcome.NORMAL:
        return f"{thing} behaves as normal ones do."
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return f"No judgement: {verdict.reason.rstrip('.') or 'no reason was given'}."
    phases = list(dict.fromkeys(_words(f.phase) for f in sorted(verdict.findings, key=lambda f: f.begin_s)))
    during = f", during {' and '.join(phases[:3])}" if phases else ""
    return f"{thing} does not behave as normal ones do{during}."


def _show_frames(
    figure: Figure, verdict: Verdict, timetable: Timetable | None, frames: list[Frame], stamps_s: Floats, zero: float
) -> None:
    if not frames:
        figure.text(0.5, 0.72, "no frame of the interaction was received", fontsize=16, color=GREY, ha="center")
    for i, (frame, stamp) in enumerate(zip(frames, stamps_s)):
        axis = figure.add_axes((LEFT + i * (WIDTH + GAP) / SHOWN, 0.65, (WIDTH + GAP) / SHOWN - GAP, 0.165), anchor="N")
        width = 480
        small = cv2.resize(frame, (width, round(width * frame.shape[0] / frame.shape[1])), interpolation=cv2.INTER_AREA)
        axis.imshow(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
        axis.set_xticks([])
        axis.set_yticks([])
        broken = any(f.begin_s <= stamp < f.end_s for f in verdict.findings)
        for spine in axis.spines.values():
            spine.set(color=RED if broken else "#bbbbbb", linewidth=3.0 if broken else 1.0)
        phase = timetable.phase_at(float(stamp)) if timetable else None
        axis.set_title(f"{stamp - zero:.2f} s   {_words(phase.name) if phase else ''}", fontsize=12, loc="left", color=INK)


def _show_phases(axis: Axes, timetable: Timetable, stamps_s: Floats, zero: float) -> None:
    """Coloured spans with their names, and hatched where the window was not seen."""
    end = timetable.window_end_s - zero
    for i, phase in enumerate(timetable.window_phases):
        span = (phase.begin_s - zero, phase.end_s - zero)
        axis.axvspan(*span, color=TINTS[i % 2], linewidth=0)
        axis.text(sum(span) / 2, 0.88, _words(phase.name), ha="center", va="top", fontsize=13, color="#444444",
                  bbox=_PLATE, transform=axis.get_xaxis_transform())
    edges = np.concatenate([[-1 / timetable.fps], stamps_s - zero, [end]])
    for before, after in pairwise(edges):
        if after - before > 1.6 / timetable.fps:
            axis.axvspan(before + 1 / timetable.fps, after, facecolor="none", edgecolor="#9a9a9a", hatch="///", linewidth=0)
    if len(stamps_s) < timetable.frames:
        axis.text(1.0, 1.03, f"hatched: not seen ({len(stamps_s)} of {timetable.frames} frames received)", ha="right",
                  va="bottom", fontsize=11, color=GREY, transform=axis.transAxes)
    axis.set_xlim(0, end)


def _show_scores(axis: Axes, verdict: Verdict, times_s: Floats, scores: Floats) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_xlabel("seconds since the clip's begin", fontsize=11, color=GREY)
    axis.set_ylabel("anomaly score of each frame", fontsize=11, color=GREY)
    axis.tick_params(colors=GREY)
    finite = scores[np.isfinite(scores)] if len(scores) == len(times_s) else np.empty(0)
    highest = float(finite.max()) if len(finite) else 0.0
    known = bool(np.isfinite(verdict.threshold) and verdict.threshold > 0)
    judged = verdict.score if known and np.isfinite(verdict.score) else 0.0
    top = 1.2 * max(highest, judged, verdict.threshold * 1.5 if known else 0.0) or 1.0
    if known:
        top = min(top, CEILING * verdict.threshold)
        axis.axhline(verdict.threshold, color="#444444", linestyle="--", linewidth=1.3)
        axis.text(0.003, verdict.threshold, "threshold of the whole clip", va="bottom", fontsize=11, color="#444444",
                  transform=axis.get_yaxis_transform())
    axis.set_ylim(0, top)
    if judged:
        _mark_clip(axis, min(judged, 0.95 * top), verdict)
    if not len(finite):
        axis.set_yticks([])
        axis.text(0.5, 0.45, "no frame was scored", ha="center", fontsize=13, color=GREY, bbox=_PLATE, transform=axis.transAxes)
        return
    axis.plot(times_s, np.minimum(scores, 0.99 * top), color="#1f4e8c", linewidth=2.2)
    if highest > top:
        at = float(times_s[int(np.nanargmax(scores))])
        axis.annotate(f"▲ up to {highest:.3g}", (at, top * 0.99), xytext=(0, -5), textcoords="offset points", fontsize=11,
                      color="#1f4e8c", va="top", ha="left" if at < 0.7 * times_s[-1] else "right")


def _mark_clip(axis: Axes, at: float, verdict: Verdict) -> None:
    """The whole clip's score, which the threshold is for: single frames may lie to the other side of it."""
    colour = COLOURS[verdict.outcome]
    axis.plot([1.0], [at], "D", color=colour, markersize=10, clip_on=False, transform=axis.get_yaxis_transform())
    axis.text(0.5, 1.03, f"◆ score of the whole clip: {verdict.score:.3g}", ha="center", va="bottom", fontsize=11, color=colour,
              transform=axis.transAxes)


def _show_broken(axis: Axes, findings: Sequence[Finding], zero: float) -> None:
    """Where rules broke, as red bars along the foot."""
    for finding in findings:
        axis.axvspan(finding.begin_s - zero, finding.end_s - zero, ymax=0.035, color=RED, linewidth=0)
    if findings:
        axis.text(0.0, 1.03, "red: where a rule broke", fontsize=11, color=RED, va="bottom", transform=axis.transAxes)


def _mark_frames(axis: Axes, times_s: Floats) -> None:
    """Where the frames above were taken."""
    axis.plot(times_s, np.ones(len(times_s)), "v", color=INK, markersize=8, clip_on=False,
              transform=axis.get_xaxis_transform())


def _show_findings(figure: Figure, verdict: Verdict) -> None:
    blocks = [textwrap.wrap(_capital(f.sentence), 140) for f in verdict.findings]
    y, left, shown = 0.215, LINES, 0
    for block in blocks:
        rest = len(blocks) - shown - 1
        if len(block) > left - (rest > 0):
            break
        figure.text(LEFT, y, "●", fontsize=11, color=RED, va="top")
        figure.text(LEFT + 0.014, y, "\n".join(block), fontsize=14, color=INK, va="top", linespacing=1.35)
        y, left, shown = y - 0.0295 * len(block) - 0.004, left - len(block), shown + 1
    if shown < len(blocks):
        figure.text(LEFT + 0.014, y, f"… and {len(blocks) - shown} more in verdict.json", fontsize=13, color=GREY, va="top")
    if not blocks and verdict.outcome is Outcome.NORMAL:
        figure.text(LEFT, y, "Every measured quantity lies where normal specimens keep it.", fontsize=14, color=INK, va="top")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
