"""The page that is drawn on: places in pixels from its upper left corner, colours, and text that keeps within its place."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import matplotlib.patheffects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from physad_ros.core.types import Outcome

WIDTH, HEIGHT, DPI = 1600, 900, 100
LEFT, RIGHT = 36.0, WIDTH - 36.0  # margins
COLOURS = {Outcome.NORMAL: "#1a7f37", Outcome.ANOMALOUS: "#c62828", Outcome.INCONCLUSIVE: "#9a6700"}
RED, GREEN, BLUE = COLOURS[Outcome.ANOMALOUS], COLOURS[Outcome.NORMAL], "#1f4e8c"
TINTS = ("#e6edf7", "#f7f0e1")  # of phases in turn
INK, GREY, PALE = "#1d1d1f", "#62656a", "#d5d8dc"

CUT = " …"
SMALL, NARROWER = 18.0, 0.96  # letters below this size are drawn a little wider than they are, on whole pixels

Place = tuple[float, float, float, float]  # left, top, width, height [px]


class Page:
    """A figure with its origin in the upper left corner."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)

    def axes(self, place: Place) -> Axes:
        """Axes that fill a place."""
        left, top, width, height = place
        return self.figure.add_axes((left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT))

    def block(self, place: Place, colour: str) -> None:
        """A filled rectangle."""
        left, top, width, height = place
        corner = (left / WIDTH, 1 - (top + height) / HEIGHT)
        self.figure.add_artist(Rectangle(corner, width / WIDTH, height / HEIGHT, facecolor=colour, linewidth=0, transform=self.figure.transFigure))

    def text(self, left: float, top: float, told: str, size: float, **style: Any) -> float:
        """Text whose first line begins there, size in points; returns its width in pixels."""
        style = {"va": "top", "color": INK, **style}
        self.figure.text(left / WIDTH, 1 - top / HEIGHT, literal(told), fontsize=size, **style)
        return max(text_width(line, size, str(style.get("weight", "normal"))) for line in told.splitlines() or [""])

    def fit(self, told: str, width: float, sizes: tuple[float, ...], lines: int, weight: str = "normal") -> tuple[str, float]:
        """Text wrapped to a width in the first of the sizes at which it takes at most so many lines; cut off where none suffices."""
        for size in sizes:
            usable = width * (NARROWER if size < SMALL else 1.0)
            wrapped = _wrap(told, usable, size, weight)
            if len(wrapped) <= lines:
                return "\n".join(wrapped), size
        last = wrapped[lines - 1]
        last = last[: _reach(last, usable - text_width(CUT, size, weight), size, weight)].rstrip()
        return "\n".join([*wrapped[: lines - 1], last + CUT]), size


def text_width(told: str, size: float, weight: str = "normal") -> float:
    """How wide a line is [px]."""
    return size * sum(_advance(letter, weight) for letter in told)


@lru_cache(maxsize=4096)
def _advance(letter: str, weight: str) -> float:
    """Width of a letter in a line [px], at a size of 1 point."""
    with_it, without = (text_to_path.get_text_width_height_descent(told, FontProperties(size=100.0, weight=weight), ismath=False)[0]
                        for told in (f"x{letter}x", "xx"))  # a blank by itself has no width
    return float(with_it - without) / 100.0 * DPI / 72


def _wrap(told: str, width: float, size: float, weight: str) -> list[str]:
    lines = [""]
    for word in told.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, weight) > width:
            lines.append(word)
        else:
            lines[-1] = longer
        while (reach := _reach(lines[-1], width, size, weight)) < len(lines[-1]):  # one word, longer than a line
            lines[-1:] = [lines[-1][:reach], lines[-1][reach:]]
    return lines


def _reach(told: str, width: float, size: float, weight: str) -> int:
    """How many letters of a line fit, at least one."""
    ends = np.cumsum([size * _advance(letter, weight) for letter in told])
    return max(1, int(np.searchsorted(ends, width, side="right")))


def literal(told: str) -> str:
    """Text as it stands: a dollar begins no formula."""
    return told.replace("$", r"\$")


def outlined(width: float, colour: str = "white") -> list[Any]:
    """A rim about what is drawn, so that it is seen on any ground."""
    return [matplotlib.patheffects.withStroke(linewidth=width, foreground=colour)]
