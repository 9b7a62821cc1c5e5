"""Finding trained models by name: beside the category, where `physad fit --out` left them, or in a run of `physad bench`."""

from __future__ import annotations

from pathlib import Path

from physad_ros.bench.facts import JOBS
from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData, WrongUse, why
from physad_ros.detectors.base import detectors


def trained_models(folder: str, detector: str, category: str) -> str:
    """Folder that holds a folder of trained models for each category, as the node `detector` wants it.

    Args:
        folder: such a folder, or that of a run of `physad bench`, of which the first seed is taken; empty: where the categories lie.
        category: that must be trained; empty: any.

    Raises:
        WrongUse: the detector cannot be used here or is not trained there; the message says how it would be.
    """
    if reason := detectors[detector].unavailable():
        raise WrongUse(f"the detector {detector} cannot be used here: {reason}")
    wanted = [category] if category else list(categories())
    at_hand = [Path(folder), *sorted((Path(folder) / JOBS / detector).glob("seed_*"), key=_seed)] if folder else [None]
    reasons = []
    if folder and not Path(folder).is_dir():
        at_hand, reasons = [], ["there is no such folder"]
    for place in at_hand:
        for name in wanted:
            at = place / name if place else load_category(name).folder
            try:
                detectors[detector].load(at)
                return str(place or "")
            except BadData as error:
                if error.__cause__ is not None and not isinstance(error.__cause__, FileNotFoundError):
                    raise WrongUse(why(error)) from error  # there, but not to be used
                reasons.append(why(error))
    where = folder or "beside the categories"
    raise WrongUse(f"the detector {detector} is not trained for {category or 'any category'} ({where}): {reasons[0]}. Train it with "
                   f"`physad bench DATA --method {detector} --out FOLDER` or `physad fit DATA --detector {detector} --out FOLDER`, "
                   "and name that folder with --models FOLDER")  # fmt: skip


def _seed(folder: Path) -> int:
    number = folder.name.removeprefix("seed_")
    return int(number) if number.isdecimal() else 0
