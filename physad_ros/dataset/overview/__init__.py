"""overview.png: an inspection at a glance. From three metres: verdict, a sentence, a picture of what is meant. At the desk: the measured
course and the score over time, every measured value beside what is normal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path

from physad_ros.core.inspection import State
from physad_ros.core.telling import told, told_unit
from physad_ros.core.types import Floats, Outcome, Percept, Score, Timetable, Verdict
from physad_ros.dataset.files import draft_of
from physad_ros.dataset.overview import charts, facts, frames, table
from physad_ros.dataset.overview.choice import Choice
from physad_ros.dataset.overview.page import COLOURS, CUT, GREEN, GREY, INK, WIDTH, Page, Place
from physad_ros.dataset.video import Frame

LEFT, RIGHT = 36.0, WIDTH - 36.0
BAND = 104.0  # height of the verdict's
PICTURE: Place = (LEFT, 206.0, 730.0, 420.0)  # the large one
CAPTION = 38.0  # height of what is told below it
STRIP: Place = (LEFT, 704.0, 730.0, 140.0)
STRIP_MOST, GAP = 4, 10.0
CHART_LEFT = 850.0
COURSE_TOP, SCORE_TOP, SCORE_BOTTOM = 252.0, 502.0, 606.0
TABLE: Place = (796.0, 646.0, RIGHT - 796.0, 214.0)
ONLY_SCORE_BOTTOM = 600.0, 826.0  # of the score's chart without a table below it: with a model's words there, without
DARK_GROUND = "#141517"
UNDER_WAY = tuple(s.value for s in State if s not in (State.IDLE, State.ABORTING, State.DONE))
FOOT = 874.0

Look = Callable[[Sequence[int]], Sequence[Frame]]


def write_overview(
    file: Path,
    verdict: Verdict,
    timetable: Timetable | None,
    stamps_s: Floats,
    look: Look,
    score: Score,
    *,
    percept: Percept | None = None,
    steps: Mapping[str, float] | None = None,
    sign: str = "",
    truth: str = "",
) -> None:
    """Draw an inspection, 1600x900.

    Args:
        verdict: what is told in the title and the findings.
        timetable: None where it ended before there was one.
        stamps_s: (T,) of the frames that there are, perhaps none.
        look: gives those of these frames, (H, W, 3) BGR, that are asked for by their numbers; not called where there are none.
        score: what was measured and how it was scored, as far as that came.
        percept: what the picture showed before anything was touched.
        steps: when each state of the inspection was entered, in seconds since its begin.
        sign: name of the defect that the findings are a sign of, if of one.
        truth: what a simulated specimen really was, in words; empty: nobody knows.
    """
    page = Page()
    phases = score.phases or (timetable.window_phases if timetable else ())
    quantity = facts.main_quantity(verdict, score) if len(score.per_frame) == len(stamps_s) else ""
    _head(page, verdict, timetable, sign)
    _sentence(page, verdict, score, percept)
    choice = Choice(verdict, phases, stamps_s, score, quantity)
    zero = timetable.window_begin_s if timetable else float(stamps_s[0]) if len(stamps_s) else 0.0
    if len(stamps_s):
        _pictures(page, choice, look, zero)
        if timetable is not None:
            _charts(page, choice, timetable)
            _values(page, choice)
    else:
        _no_picture(page)
        _steps(page, steps or {})
    _foot(page, verdict, timetable, len(stamps_s), truth)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(file)
    page.figure.savefig(draft, format="png")
    draft.replace(file)


def _head(page: Page, verdict: Verdict, timetable: Timetable | None, sign: str) -> None:
    page.block((0, 0, WIDTH, BAND), COLOURS[verdict.outcome])
    told_px = page.text(LEFT, BAND / 2, verdict.outcome.name, 42, weight="bold", color="white", va="center_baseline")
    if sign:
        page.text(LEFT + told_px + 34, BAND / 2 + 5, f"looks like: {facts.words(sign)}", 25, color="white", va="center_baseline")
    thing = facts.capital(facts.words(verdict.category)) or "Unknown object"
    about = " · ".join(part for part in (timetable.object, timetable.interaction) if part) if timetable else ""
    page.text(RIGHT, BAND / 2 - (15 if about else 0), thing, 24, weight="bold", color="white", ha="right", va="center_baseline")
    page.text(RIGHT, BAND / 2 + 24, about, 15, color="white", ha="right", va="center_baseline")


def _sentence(page: Page, verdict: Verdict, score: Score, percept: Percept | None) -> None:
    """What can be read from far in one line, else in two; what else there is to say below it, if there is room."""
    more = facts.details(verdict, score, percept)
    for size, most in ((26, 1), (23, 1), (20, 1), (19, 2)):
        lines, size = page.fit(facts.headline(verdict), RIGHT - LEFT, (size,), most, "bold")
        if not lines.endswith(CUT):
            break
    two = "\n" in lines
    page.text(LEFT, BAND + (10 if two else 18 if more else 30), lines, size, weight="bold", linespacing=1.2)
    if more:
        lines, size = page.fit(more, RIGHT - LEFT, (12,) if two else (16, 14, 12), 1)
        page.text(LEFT, BAND + (76 if two else 66), lines, size, color="#3d4045")


def _pictures(page: Page, choice: Choice, look: Look, zero: float) -> None:
    """The large picture with what is measured, and the smaller ones below it in the course of time."""
    main, strip = choice.main_frame(), choice.strip(STRIP_MOST)
    numbers = sorted({main, *strip})
    seen = dict(zip(numbers, look(numbers)))
    part = frames.shown_part(list(seen.values()), choice.marks(), PICTURE[2] / PICTURE[3])
    left, top, width, height = frames.show(page, PICTURE, seen[main], part, choice.marks(main), 3.2, choice.broken(main))
    page.block((left - 2, top + height, width + 4, CAPTION), DARK_GROUND)
    _caption(page, choice, main, zero, (left + 12, top + height + CAPTION / 2))
    wide = (STRIP[2] - GAP * (STRIP_MOST - 1)) / STRIP_MOST
    for i, number in enumerate(strip):
        place = (STRIP[0] + i * (wide + GAP), STRIP[1], wide, STRIP[3])
        left, top, _, _ = frames.show(page, place, seen[number], part, choice.marks(number), 1.8, choice.broken(number))
        page.text(left, top - 6, _when(choice, number, zero), 10.5, va="bottom", weight="bold" if number == main else "normal")


def _when(choice: Choice, number: int, zero: float) -> str:
    stamp = float(choice.stamps_s[number])
    phase = facts.phase_at(choice.phases, stamp)
    return f"{max(0.0, stamp - zero):.2f} s{f'  {facts.words(phase.name)}' if phase else ''}"


def _caption(page: Page, choice: Choice, number: int, zero: float, begin: tuple[float, float]) -> None:
    """When the large picture was taken and what is marked in it."""
    about, finding = choice.course, choice.finding_at(float(choice.stamps_s[number]))
    parts = [(_when(choice, number, zero), "white")]
    if about is not None and choice.marks(number):
        value, low, high = (float(v[number]) for v in (about.values, about.low, about.high))
        if finding is not None:
            value, low, high = finding.value, finding.low, finding.high
        said = told(value, low, high, about.unit)
        parts.append((f"{facts.words(choice.quantity)} {said.with_unit(said.value)}", frames.BROKEN if choice.broken(number) else frames.SEEN))
        if isfinite(low):
            normal = facts.normal(finding) if finding else f"{said.low}…{said.high}"
            parts.append((f"normal {said.with_unit(normal)}", frames.AS_NORMAL))
    whole = "      ".join(text for text, _ in parts)
    size = next((s for s in (16.0, 14.0, 12.0) if page.width(whole, s, "bold") < PICTURE[2] - 30), 10.0)
    left, middle = begin
    for text, colour in parts:
        left += page.text(left, middle, text, size, color=colour, va="center_baseline", weight="bold") + 26


def _charts(page: Page, choice: Choice, timetable: Timetable) -> None:
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


def _values(page: Page, choice: Choice) -> None:
    """What was measured, or what a model that was asked said."""
    score, left, top = choice.score, TABLE[0], TABLE[1]
    if score.measured:
        limit = choice.verdict.threshold if isfinite(choice.verdict.threshold) else 1.0
        table.draw(page, TABLE, score.measured, choice.phases, limit)
    elif told_by_model := _told_by_model(score):
        lines, size = page.fit(told_by_model, TABLE[2], (14, 12, 10), 8)
        page.text(left, top, lines, size, linespacing=1.35)


def _no_picture(page: Page) -> None:
    left, top, width, _ = PICTURE
    height = STRIP[1] + STRIP[3] - top
    page.block((left, top, width, height), "#eceef0")
    page.text(left + width / 2, top + height / 2, "no frame of the interaction was received", 20, color=GREY, ha="center", va="center_baseline")


def _steps(page: Page, steps: Mapping[str, float]) -> None:
    """How far the inspection came: where it was, since when, and where it ended."""
    left, top = TABLE[0] + 30, PICTURE[1] + 8
    passed = sorted((begin, name) for name, begin in steps.items() if name in UNDER_WAY)
    ended = min((steps[name] for name in (State.ABORTING.value, State.DONE.value) if name in steps), default=None)
    page.text(left, top, "How far it came" if passed else "Nothing was begun", 20, weight="bold")
    for i, (begin, name) in enumerate(passed):
        last = i == len(passed) - 1
        page.text(left + 90, top + 70 + 58 * i, f"{begin:.1f} s", 18, color=GREY, ha="right")
        width = page.text(left + 120, top + 70 + 58 * i, name, 18, weight="bold" if last else "normal")
        if last and ended is not None:
            page.text(left + 140 + width, top + 70 + 58 * i, f"ended here after {ended - begin:.1f} s", 18, color=COLOURS[Outcome.INCONCLUSIVE])


def _foot(page: Page, verdict: Verdict, timetable: Timetable | None, received: int, truth: str) -> None:
    about = [timetable.clip_id] if timetable else []
    if verdict.detector:
        about.append(f"detector {verdict.detector}")
    if isfinite(verdict.score):
        about.append(f"score {verdict.score:.2g}, threshold {verdict.threshold:.2g}")
    if timetable is not None:
        about.append(f"{received} of {timetable.frames} frames")
    page.text(LEFT, FOOT, "   ·   ".join(about), 11, color=GREY)
    if truth:
        page.text(RIGHT, FOOT, truth, 11, color=INK, ha="right")
