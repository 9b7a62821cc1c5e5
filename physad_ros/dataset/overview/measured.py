"""The right side of the page: what was measured and how it was scored."""

from __future__ import annotations

from math import isfinite

from physad_ros.core.telling import told_unit
from physad_ros.core.types import Score, Timetable
from physad_ros.dataset.overview import charts, facts, table
from physad_ros.dataset.overview.choice import Choice
from physad_ros.dataset.overview.page import COLOURS, GREEN, INK, RIGHT, Page, Place

CHART_LEFT = 850.0
COURSE_TOP, SCORE_TOP, SCORE_BOTTOM = 252.0, 502.0, 606.0
TABLE: Place = (796.0, 646.0, RIGHT - 796.0, 214.0)
ONLY_SCORE_BOTTOM = 600.0, 826.0  # of the score's chart without a table below it: with a model's words there, without


def over_time(page: Page, choice: Choice, timetable: Timetable) -> None:
    """The course of the quantity above the score, on one axis of time."""
    zero, end = timetable.window_begin_s, timetable.window_end_s - timetable.window_begin_s
    times, about, score = choice.stamps_s - zero, choice.course, choice.score
    top, width = COURSE_TOP if about is None else SCORE_TOP, RIGHT - CHART_LEFT
    bottom = SCORE_BOTTOM if score.measured else ONLY_SCORE_BOTTOM[not _told_by_model(score)]
    lower = page.axes((CHART_LEFT, top, width, bottom - top))
    axes = [lower]
    if about is not None:
        axes.insert(0, page.axes((CHART_LEFT, COURSE_TOP, width, SCORE_TOP - 40 - COURSE_TOP)))
        charts.course(axes[0], about, times)
        page.text(CHART_LEFT, COURSE_TOP - 48, f"{facts.words(about.quantity)} [{told_unit(about.unit)[0]}]", 13, weight="bold")
        page.text(RIGHT, COURSE_TOP - 46, "green: where normal specimens keep it", 11, color=GREEN, ha="right")
    charts.score(lower, choice.verdict, times, score.per_frame)
    up = 24 if about is not None else 48
    page.text(CHART_LEFT, top - up, "anomaly score of each frame", 12, weight="bold")
    left = RIGHT
    if isfinite(choice.verdict.score):
        left -= 16 + page.text(RIGHT, top - up, f"◆ whole clip: {choice.verdict.score:.2g}", 12, color=COLOURS[choice.verdict.outcome],
                               weight="bold", ha="right")
    if isfinite(choice.verdict.threshold):
        page.text(left, top - up, f"- - threshold: {choice.verdict.threshold:.2g}", 12, ha="right")
    for i, axis in enumerate(axes):
        charts.phases(axis, choice.phases, zero, named=i == 0)
        charts.unseen(axis, timetable, choice.stamps_s)
        charts.plain(axis, end, axis is lower)
        if len(times):
            axis.axvline(times[choice.main_frame()], color=INK, linewidth=1.0, linestyle=":", zorder=3)


def _told_by_model(score: Score) -> str:
    return " ".join(part for part in (score.description, score.explanation) if part)


def values(page: Page, choice: Choice) -> None:
    """What was measured, or what a model that was asked said."""
    score, left, top = choice.score, TABLE[0], TABLE[1]
    if score.measured:
        limit = choice.verdict.threshold if isfinite(choice.verdict.threshold) else 1.0
        table.draw(page, TABLE, score.measured, choice.phases, limit)
    elif told_by_model := _told_by_model(score):
        lines, size = page.fit(told_by_model, TABLE[2], (14, 12, 10), 8)
        page.text(left, top, lines, size, linespacing=1.35)
