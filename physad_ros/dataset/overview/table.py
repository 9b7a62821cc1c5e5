"""All measured values in a small table: quantities by phases, each beside its normal interval, with where it lies in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from physad_ros.core.telling import told, told_unit
from physad_ros.core.types import MeasuredValue, Phase
from physad_ros.dataset.overview.facts import normal, words
from physad_ros.dataset.overview.page import GREEN, GREY, INK, PALE, RED, TINTS, Page, Place, literal, text_width

HEADER = "measured (normal)"
GAP_PX = 8.0
ROW_PX = 30.0  # at the most
LEAST_ROW_PX = 17.0
TRACK = 0.5  # of a cell's width that the normal interval takes, in the middle of its bar

Row = tuple[str, str]  # quantity and statistic, or no statistic where each phase has its own


def draw(page: Page, place: Place, measured: Sequence[MeasuredValue], phases: Sequence[Phase], limit: float) -> None:
    """Draw the table of measured values; red is what lies further from the middle of its interval than ``limit`` half-widths."""
    _, _, width, height = place
    names = [p.name for p in phases if any(m.phase == p.name for m in measured)]
    rows = list(dict.fromkeys((m.quantity, m.statistic) for m in measured))
    if height / (len(rows) + 1) < LEAST_ROW_PX:  # too many: of each quantity the value with the least margin
        rows = [(quantity, "") for quantity in dict.fromkeys(m.quantity for m in measured)]
    tall = min(ROW_PX, height / (len(rows) + 1))
    labels = [_label(row, measured) for row in rows]
    texts = [_texts(value) for value in measured]
    for size in np.arange(min(11.5, 0.42 * tall), 6.0, -0.5):
        label = GAP_PX + max(text_width(name, size) for name in (*labels, HEADER))
        column = (width - label) / len(names)
        number = max(text_width(told, size, "bold") for told, _ in texts)
        if number + max(text_width(told, size - 0.5) for _, told in texts) + 3 * GAP_PX < column:
            break
    number += GAP_PX
    axis = page.axes(place)
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.axis("off")
    for j, name in enumerate(names):
        axis.add_patch(Rectangle((label + j * column, 0), column, tall * (len(rows) + 1), facecolor=TINTS[j % 2], linewidth=0))
        axis.text(label + (j + 0.5) * column, tall / 2, literal(words(name)), fontsize=size + 0.5, color=INK, ha="center", va="center_baseline")
    axis.text(0, tall / 2, HEADER, fontsize=size, color=GREY, va="center_baseline")
    for i, (quantity, statistic) in enumerate(rows):
        y = tall * (i + 1)
        axis.plot([0, width], [y, y], color="white", linewidth=1.0)
        axis.text(0, y + 0.5 * tall, literal(labels[i]), fontsize=size, color=INK, va="center_baseline")
        for j, name in enumerate(names):
            values = [m for m in measured if m.phase == name and m.quantity == quantity and statistic in ("", m.statistic)]
            if values:
                _cell(axis, (label + j * column, y, column, tall), min(values, key=lambda m: m.margin), number, size, limit)


def _label(row: Row, measured: Sequence[MeasuredValue]) -> str:
    quantity, statistic = row
    unit, _ = told_unit(next(m.unit for m in measured if m.quantity == quantity))
    return f"{words(quantity)}{f', {statistic}' if statistic else ''} [{unit}]"


def _texts(value: MeasuredValue) -> tuple[str, str]:
    said = told(value.value, value.low, value.high, value.unit)
    return said.value if np.isfinite(value.value) else "?", f"({normal(value)})"


def _cell(axis: Axes, place: Place, value: MeasuredValue, number_px: float, size: float, limit: float) -> None:
    x, y, width, height = place
    broken = not value.violation <= limit
    colour = RED if broken else GREEN
    number, interval = _texts(value)
    line = y + 0.42 * height
    axis.text(x + number_px, line, number, fontsize=size, color=RED if broken else INK, weight="bold", ha="right", va="center_baseline")
    axis.text(x + number_px + GAP_PX, line, interval, fontsize=size - 0.5, color=GREY, va="center_baseline")
    middle, half = x + width / 2, TRACK * width / 2
    bar = y + 0.86 * height
    axis.plot([x + 0.06 * width, x + 0.94 * width], [bar, bar], color=PALE, linewidth=1.2, solid_capstyle="butt")
    axis.plot([middle - half, middle + half], [bar, bar], color=GREEN, alpha=0.45, linewidth=3.0, solid_capstyle="butt")
    if np.isfinite(value.value):
        signed = (value.value - (value.low + value.high) / 2) / ((value.high - value.low) / 2)
        at = middle + float(np.clip(signed * half, -0.43 * width, 0.43 * width))
        axis.plot([at], [bar], "o" if abs(signed * half) < 0.43 * width else (">" if signed > 0 else "<"), color=colour,
                  markersize=min(4.5, 0.2 * height), zorder=5)

