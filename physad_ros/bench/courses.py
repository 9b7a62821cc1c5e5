"""The courses of the measured quantities over time, as a picture: several clips over what normal ones run through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from physad_ros.core import places
from physad_ros.core.catalogue import Category, load_category
from physad_ros.core.errors import BadData, WrongUse, why
from physad_ros.core.telling import told_unit
from physad_ros.core.words import listed
from physad_ros.dataset.tree import ClipRef, load_clip
from physad_ros.detectors.rules import Rules, measure
from physad_ros.rules.bank import Bank
from physad_ros.rules.deduce import Measured
from physad_ros.rules.measurement import measurements
from physad_ros.rules.phases import aligned

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(paths: Sequence[Path], category: str, out: Path) -> None:
    """One row a quantity, one column a clip; grey is where normal clips of the twin run.

    Raises:
        BadData: a clip or the category's bank cannot be read.
    """
    known = load_category(category)
    for path in paths:
        places.file(path, "video")
    places.writable_file(out, "out")
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure

    if out.suffix.lower().removeprefix(".") not in (kinds := FigureCanvasBase.get_supported_filetypes()):
        raise WrongUse(f"out: {out} cannot be written as a picture; its name must end in one of {listed(kinds)}")
    bank = Bank.read(known.folder)
    quantities = measurements[known.recipe.interaction].quantities
    figure = Figure(figsize=(5.2 * len(paths) + 0.6, 2.3 * len(quantities) + 0.4), dpi=90, facecolor="white", layout="constrained")
    axes = np.atleast_2d(figure.subplots(len(quantities), len(paths), sharex="col", sharey="row", squeeze=False))
    for column, path in zip(axes.T, paths):
        clip = _measured(known, bank, path)
        for axis, (name, about) in zip(column, quantities.items()):
            unit, times = told_unit(about.unit)
            _course(axis, bank, clip, name, times)
            axis.set_ylabel(f"{name.replace('_', ' ')} [{unit}]")
            axis.label_outer()
        column[0].set_title(path.stem, fontsize=11)
        column[-1].set_xlabel("time [s]")
    figure.savefig(out)


def _measured(category: Category, bank: Bank, path: Path) -> Measured:
    clip = load_clip(ClipRef(path, category.name, "test", path.parent.name), Rules.height)
    try:
        found = measure(category, clip)
        return aligned(bank, found) if len(found.timetable.window_phases) == 1 < len(bank.phases) else found
    except BadData as error:  # of several clips, which
        raise BadData(f"{path}: {why(error)}") from error


def _course(axis: Axes, bank: Bank, clip: Measured, name: str, times: float) -> None:
    zero = clip.stamps_s[0]
    spans = clip.timetable.window_phases
    ends = [spans[0].begin_s, *(p.end_s for p in spans)]
    shares = [bank.phases[0].begin, *(s.end for s in bank.phases)]
    envelope = bank.envelopes[name]
    knots = (np.arange(len(envelope.low)) + 0.5) / len(envelope.low)
    low, high = (np.array([np.nan if v is None else v for v in side]) for side in (envelope.low, envelope.high))
    if len(ends) == len(shares):
        axis.fill_between(np.interp(knots, shares, ends) - zero, times * low, times * high, color="#dddddd", linewidth=0)
    axis.plot(clip.stamps_s - zero, times * clip.courses[name], color="#1f4e8c", linewidth=1.6)
    for phase in spans:
        axis.axvline(phase.begin_s - zero, color="#999999", linewidth=0.6)
        axis.text(phase.begin_s - zero, 1.0, f" {phase.name}", fontsize=7, color="#666666", va="top", transform=axis.get_xaxis_transform())
    axis.spines[["top", "right"]].set_visible(False)
