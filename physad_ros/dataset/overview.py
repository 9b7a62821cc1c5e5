"""overview.png: an inspection at a glance. Six frames, the score over the phases, the findings."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from physad_ros.core.types import Floats, Outcome, Timetable, Verdict
from physad_ros.dataset.video import Frame

matplotlib.use("Agg")

COLOURS = {Outcome.NORMAL: "#1a7f37", Outcome.ANOMALOUS: "#c62828", Outcome.INCONCLUSIVE: "#9a6700"}
TINTS = ("#e8eef7", "#f6efe3")  # of phases in turn
SHOWN = 6  # frames
FINDINGS = 5


def write_overview(
    file: Path,
    verdict: Verdict,
    timetable: Timetable | None,
    frames: Sequence[Frame],
    stamps_s: Floats,
    frame_scores: Floats,
) -> None:
    """Draw an inspection.

    Args:
        verdict: what is told in the title and the findings.
        timetable: None where it ended before there was one.
        frames: (T, H, W, 3) BGR, perhaps none.
        stamps_s: (T,) their stamps.
        frame_scores: (T,) or empty.
    """
    figure = Figure(figsize=(16, 9), dpi=100, facecolor="white")
    grid = figure.add_gridspec(3, SHOWN, height_ratios=(1.25, 1.3, 0.9), left=0.05, right=0.98, top=0.86, bottom=0.04,
                               hspace=0.28, wspace=0.04)
    figure.text(0.05, 0.925, verdict.outcome.name, fontsize=30, weight="bold", color=COLOURS[verdict.outcome], va="center")
    figure.text(0.98, 0.925, _subtitle(verdict, timetable), fontsize=14, color="#444444", va="center", ha="right")
    _show_frames([figure.add_subplot(grid[0, i]) for i in range(SHOWN)], timetable, frames, stamps_s)
    _show_scores(figure.add_subplot(grid[1, :]), verdict, timetable, stamps_s, frame_scores)
    _show_findings(figure.add_subplot(grid[2, :]), verdict)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)


def _subtitle(verdict: Verdict, timetable: Timetable | None) -> str:
    parts = [verdict.category or "unknown object"]
    if timetable is not None:
        parts += [timetable.object, timetable.interaction, timetable.clip_id]
    if np.isfinite(verdict.score):
        parts.append(f"{verdict.detector} score {verdict.score:.2f} (threshold {verdict.threshold:.2f})")
    return "   ·   ".join(p for p in parts if p)


def _show_frames(axes: list[Axes], timetable: Timetable | None, frames: Sequence[Frame], stamps_s: Floats) -> None:
    chosen = np.linspace(0, len(frames) - 1, SHOWN).round().astype(int) if len(frames) else []
    for axis in axes:
        axis.set_axis_off()
    for axis, i in zip(axes, chosen):
        small = cv2.resize(frames[i], (480, round(480 * frames[i].shape[0] / frames[i].shape[1])), interpolation=cv2.INTER_AREA)
        axis.imshow(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
        phase = timetable.phase_at(float(stamps_s[i])) if timetable else None
        axis.set_title(f"{stamps_s[i] - stamps_s[0]:.2f} s  {phase.name if phase else ''}", fontsize=12, loc="left")
    if not len(frames):
        axes[SHOWN // 2 - 1].text(1.0, 0.5, "no frame of the interaction was received", ha="center", fontsize=16, color="#888888")


def _show_scores(axis: Axes, verdict: Verdict, timetable: Timetable | None, stamps_s: Floats, scores: Floats) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_ylabel("score")
    axis.set_xlabel("time since the clip's begin [s]")
    zero = timetable.window_begin_s if timetable else 0.0
    drawn = len(scores) == len(stamps_s) and len(scores) > 0
    top = 1.15 * max([float(np.nanmax(scores))] if drawn else [1.0])
    if np.isfinite(verdict.threshold):
        axis.axhline(verdict.threshold, color="#666666", linestyle="--", linewidth=1.2)
        top = max(top, 1.3 * verdict.threshold)
    if not np.isfinite(top) or top <= 0:
        top = 1.0
    axis.set_ylim(0, top)
    for i, phase in enumerate(timetable.window_phases if timetable else ()):
        begin, end = phase.begin_s - zero, phase.end_s - zero
        axis.axvspan(begin, end, color=TINTS[i % 2], linewidth=0)
        axis.text((begin + end) / 2, top * 0.97, phase.name, ha="center", va="top", fontsize=12, color="#555555")
    for finding in verdict.findings[:FINDINGS]:
        axis.axvspan(finding.begin_s - zero, finding.end_s - zero, ymax=0.03, color=COLOURS[Outcome.ANOMALOUS], linewidth=0)
    if drawn:
        axis.plot(stamps_s - zero, scores, color="#1f4e8c", linewidth=2)
    if np.isfinite(verdict.threshold):
        axis.text(1.0, verdict.threshold, "threshold ", ha="right", va="bottom", fontsize=11, color="#666666",
                  transform=axis.get_yaxis_transform())
    if timetable is not None:
        axis.set_xlim(0, timetable.window_end_s - zero)


def _show_findings(axis: Axes, verdict: Verdict) -> None:
    axis.set_axis_off()
    lines = [f.sentence for f in verdict.findings[:FINDINGS]]
    more = len(verdict.findings) - len(lines)
    if verdict.reason:
        lines.insert(0, f"No verdict: {verdict.reason}.")
    if not lines:
        lines = ["Every measured quantity lies where normal specimens keep it."]
    if more > 0:
        lines.append(f"… and {more} more in verdict.json")
    text = "\n".join(textwrap.fill(f"•  {line}", 150, subsequent_indent="    ") for line in lines)
    axis.text(0.0, 1.0, text, fontsize=14, va="top", linespacing=1.5, color="#222222")
