"""The left side of the page: a large picture of what is measured, and smaller ones in the course of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

from physad_ros.core.telling import told
from physad_ros.dataset.overview import facts, frames
from physad_ros.dataset.overview.choice import Choice
from physad_ros.dataset.overview.page import GREY, LEFT, Page, Place, text_width
from physad_ros.dataset.video import Frame

PICTURE: Place = (LEFT, 206.0, 730.0, 420.0)  # the large one
CAPTION = 38.0  # height of what is told below it
STRIP: Place = (LEFT, 704.0, 730.0, 140.0)
STRIP_MOST, GAP = 4, 10.0
DARK_GROUND = "#141517"

Look = Callable[[Sequence[int]], Sequence[Frame]]


def pictures(page: Page, choice: Choice, look: Look, zero: float) -> None:
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
    size = next((s for s in (16.0, 14.0, 12.0) if text_width(whole, s, "bold") < PICTURE[2] - 30), 10.0)
    left, middle = begin
    for text, colour in parts:
        left += page.text(left, middle, text, size, color=colour, va="center_baseline", weight="bold") + 26


def no_picture(page: Page) -> None:
    left, top, width, _ = PICTURE
    height = STRIP[1] + STRIP[3] - top
    page.block((left, top, width, height), "#eceef0")
    page.text(left + width / 2, top + height / 2, "no frame of the interaction was received", 20, color=GREY, ha="center", va="center_baseline")
