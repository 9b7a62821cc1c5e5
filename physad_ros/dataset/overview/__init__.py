"""overview.png: an inspection at a glance. From three metres: verdict, a sentence, a picture of what is meant. At the desk: the measured
course and the score over time, every measured value beside what is normal."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path

from physad_ros.core.inspection import State
from physad_ros.core.types import Floats, Outcome, Percept, Score, Timetable, Verdict
from physad_ros.dataset.files import draft_of
from physad_ros.dataset.overview import facts
from physad_ros.dataset.overview.choice import Choice
from physad_ros.dataset.overview.measured import over_time, values
from physad_ros.dataset.overview.page import COLOURS, CUT, GREY, INK, LEFT, RIGHT, WIDTH, Page
from physad_ros.dataset.overview.pictures import Look, no_picture, pictures

BAND = 104.0  # height of the verdict's
STEPS = 826.0, 214.0  # left and top of how far it came
UNDER_WAY = tuple(s.value for s in State if s not in (State.IDLE, State.ABORTING, State.DONE))
FOOT = 874.0


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
) -> Page:
    """Draw an inspection, 1600x900, into a file, which is there whole or not at all.

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

    Returns:
        The page as it was drawn.
    """
    page = Page()
    phases = score.phases or (timetable.window_phases if timetable else ())
    quantity = facts.main_quantity(verdict, score) if len(score.per_frame) == len(stamps_s) else ""
    _head(page, verdict, timetable, sign)
    _sentence(page, verdict, score, percept)
    choice = Choice(verdict, phases, stamps_s, score, quantity)
    zero = timetable.window_begin_s if timetable else float(stamps_s[0]) if len(stamps_s) else 0.0
    if len(stamps_s):
        pictures(page, choice, look, zero)
        if timetable is not None:
            over_time(page, choice, timetable)
            values(page, choice)
    else:
        no_picture(page)
        _steps(page, steps or {})
    _foot(page, verdict, timetable, len(stamps_s), truth)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(file)
    try:
        page.figure.savefig(draft, format="png")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return page


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
    """What can be read from far in one line, else in two or three; what else there is to say below it, if there is room."""
    more = facts.details(verdict, score, percept)
    for size, most in ((26.0, 1), (23.0, 1), (20.0, 1), (19.0, 2), (15.0, 3)):
        lines, size = page.fit(facts.headline(verdict), RIGHT - LEFT, (size,), most, "bold")
        if not lines.endswith(CUT):
            break
    page.text(LEFT, BAND + (10 if most > 1 else 18 if more else 30), lines, size, weight="bold", linespacing=1.2)
    if more and most < 3:
        lines, size = page.fit(more, RIGHT - LEFT, (12.0,) if most == 2 else (16.0, 14.0, 12.0), 1)
        page.text(LEFT, BAND + (76 if most == 2 else 66), lines, size, color="#3d4045")


def _steps(page: Page, steps: Mapping[str, float]) -> None:
    """How far the inspection came: where it was, since when, and where it ended."""
    left, top = STEPS
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
