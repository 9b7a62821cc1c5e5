"""The page that is drawn on: places in pixels from its upper left corner, colours, and text that keeps within its place."""

from __future__ import annotations

from typing import Any

import matplotlib.patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from physad_ros.core.types import Outcome

WIDTH, HEIGHT, DPI = 1600, 900, 100
COLOURS = {Outcome.NORMAL: "#1a7f37", Outcome.ANOMALOUS: "#c62828", Outcome.INCONCLUSIVE: "#9a6700"}
RED, GREEN, BLUE = COLOURS[Outcome.ANOMALOUS], COLOURS[Outcome.NORMAL], "#1f4e8c"
TINTS = ("#e6edf7", "#f7f0e1")  # of phases in turn
INK, GREY, PALE = "#1d1d1f", "#62656a", "#d5d8dc"

CUT = " …"

Place = tuple[float, float, float, float]  # left, top, width, height [px]


class Page:
    """A figure with its origin in the upper left corner."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
        self._renderer = FigureCanvasAgg(self.figure).get_renderer()

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
        return max(self.width(line, size, str(style.get("weight", "normal"))) for line in told.splitlines() or [""])

    def width(self, told: str, size: float, weight: str = "normal") -> float:
        """How wide a line is [px]."""
        width, _, _ = self._renderer.get_text_width_height_descent(told, FontProperties(size=size, weight=weight), ismath=False)
        return float(width)

    def fit(self, told: str, width: float, sizes: tuple[float, ...], lines: int, weight: str = "normal") -> tuple[str, float]:
        """Text wrapped to a width in the first of the sizes at which it takes at most so many lines; cut off where none suffices."""
        for size in sizes:
            wrapped = self._wrap(told, width, size, weight)
            if len(wrapped) <= lines:
                return "\n".join(wrapped), size
        kept = wrapped[:lines]
        while kept[-1] and self.width(f"{kept[-1]}{CUT}", size, weight) > width:
            kept[-1] = kept[-1][:-1].rstrip()
        return "\n".join([*kept[:-1], f"{kept[-1]}{CUT}"]), size

    def _wrap(self, told: str, width: float, size: float, weight: str) -> list[str]:
        lines = [""]
        for word in told.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.width(longer, size, weight) > width:
                lines.append(word)
            else:
                lines[-1] = longer
            while self.width(lines[-1], size, weight) > width and len(lines[-1]) > 1:  # one word, longer than a line
                cut = next(n for n in range(len(lines[-1]) - 1, 0, -1) if n == 1 or self.width(lines[-1][:n], size, weight) <= width)
                lines[-1:] = [lines[-1][:cut], lines[-1][cut:]]
        return lines


def literal(told: str) -> str:
    """Text as it stands: a dollar begins no formula."""
    return told.replace("$", r"\$")


def outlined(width: float, colour: str = "white") -> list[Any]:
    """A rim about what is drawn, so that it is seen on any ground."""
    return [matplotlib.patheffects.withStroke(linewidth=width, foreground=colour)]
