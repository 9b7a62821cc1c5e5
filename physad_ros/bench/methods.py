"""`physad methods`: every detector with what it learns from, its size, what it needs, and what of it was run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from physad_ros.bench.markdown import DASH
from physad_ros.detectors.base import Detector, Setting, detectors

_GROUPS = list(Setting)


@dataclass(frozen=True)
class Entry:
    """One detector."""

    name: str
    title: str
    setting: str
    source: str
    input: str
    parameters: int | None  # at the published size; None where that cannot be told here
    checkpoint: str  # public weights that it needs, empty if none
    licence: str  # of these weights
    ran: str  # what of it was run so far
    unavailable: str  # why it cannot be used here, empty if it can


def entries() -> list[Entry]:
    """All detectors, grouped by setting."""
    ordered = sorted(detectors, key=lambda name: (_GROUPS.index(detectors[name].card.setting), name))
    return [_entry(name, detectors[name]) for name in ordered]


def methods(console: Console, as_json: bool = False) -> None:
    """Print them, as a table or as one JSON array."""
    found = entries()
    if as_json:
        print(json.dumps([asdict(entry) for entry in found]))
        return
    table = Table("method", "setting", "parameters", "input", "needs", "what was run", show_lines=True)
    for e in found:
        size = "?" if e.parameters is None else f"{e.parameters:,}" if e.parameters else DASH
        needs = f"{e.checkpoint} ({e.licence or 'licence unknown'})" if e.checkpoint else DASH
        ran = f"{e.ran}; not here: {e.unavailable}" if e.unavailable else e.ran
        table.add_row(f"{e.name}\n{e.source}", e.setting, size, e.input, needs, ran)
    console.print(table)


def _entry(name: str, kind: type[Detector]) -> Entry:
    card, reason = kind.card, kind.unavailable()
    parameters = None if reason else _parameters(kind)
    return Entry(name, card.title, card.setting.value, card.source, card.input, parameters, card.checkpoint, card.licence, card.ran, reason)


def _parameters(kind: type[Detector]) -> int | None:
    """Of the network at the published size; None where its library is missing."""
    try:
        return kind.preset("paper").parameters()
    except ImportError:
        return None
