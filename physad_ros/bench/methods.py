"""`physad methods`: every detector with what it learns from, its size, what it needs, and what of it was run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from physad_ros.bench.markdown import DASH, size
from physad_ros.core.errors import BadData
from physad_ros.dataset.files import plain
from physad_ros.detectors.base import Detector, Setting, detectors

_GROUPS = list(Setting)
WIDE = 100  # columns of a terminal that the whole table needs
#: what a method may lack, and signs of it in its reason
_LACKS = {"library": ("pip install", "installed"), "checkpoint": ("checkpoint",), "chat server": ("chat server",)}


@dataclass(frozen=True)
class Entry:
    """One detector."""

    name: str
    title: str
    setting: str
    source: str
    input: str
    parameters: int | None  # at the published size; None where that cannot be told here
    presets: dict[str, dict[str, Any]]  # what each sets
    checkpoint: str  # public weights that it needs, empty if none
    licence: str  # of these weights
    ran: str  # what of it was run so far
    unavailable: str  # why it cannot be used here, empty if it can


def entries() -> list[Entry]:
    """All detectors, grouped by setting."""
    ordered = sorted(detectors, key=lambda name: (_GROUPS.index(detectors[name].card.setting), name))
    return [entry(name) for name in ordered]


def entry(name: str) -> Entry:
    """One detector; UnknownName for one that is none."""
    kind = detectors[name]
    card, reason, count = kind.card, kind.unavailable(), _parameters(kind)
    presets = {preset: _settings(config) for preset, config in kind.presets.items()}
    parameters = None if reason and not count else count
    return Entry(name, card.title, card.setting.value, card.source, card.input, parameters, presets, card.checkpoint, card.licence, card.ran, reason)


def methods(console: Console, name: str | None = None, as_json: bool = False) -> None:
    """Print all as a table, or one as a card, or either as JSON: an array, or one object. UnknownName for a name that is none."""
    found = [entry(name)] if name else entries()
    if as_json:
        told = [plain(asdict(e)) for e in found]
        print(json.dumps(told[0] if name else told))
    elif name:
        console.print(_card(found[0]))
    else:
        console.print(_overview(found, with_input=console.width >= WIDE))
        usable = sum(not e.unavailable for e in found)
        console.print(f"{usable} of {len(found)} can be used here (preset quick). All of one: physad methods NAME")


def few_words(reason: str) -> str:
    """What is missing, in a few words, of the sentence that says why a detector cannot be used; "yes" where it can."""
    if not reason:
        return "yes"
    lacks = [what for what, signs in _LACKS.items() if any(sign in reason.lower() for sign in signs)]
    return ", ".join(f"no {what}" for what in lacks) or "no"


def count_told(parameters: int | None) -> str:
    """A number of parameters in few letters; a dash for none."""
    return "?" if parameters is None else size(parameters)


def _overview(found: list[Entry], with_input: bool) -> Table:
    """One or two lines a method in WIDE columns; without the inputs one line in 80."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold underline")
    table.add_column("method", no_wrap=True, min_width=max(len(e.name) for e in found))
    table.add_column("setting", max_width=13 if with_input else 19)
    table.add_column("size", justify="right", no_wrap=True, min_width=6)
    if with_input:
        table.add_column("input", max_width=35)
    table.add_column("runs here", max_width=19 if with_input else 30)
    for before, e in zip([None, *found], found):
        setting = "" if before and before.setting == e.setting else e.setting
        taken = [Text(e.input.split(": (")[0])] if with_input else []  # the shape is on the card
        table.add_row(e.name, setting, count_told(e.parameters), *taken, Text(few_words(e.unavailable), "yellow" if e.unavailable else "green"))
    return table


def _card(e: Entry) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for what, told in _facts(e):
        table.add_row(what, Text(told))
    return table


def _facts(e: Entry) -> Iterator[tuple[str, str]]:
    """Everything that is known of it, line by line."""
    yield e.name, e.title
    yield "setting", e.setting
    yield "source", e.source
    yield "input", e.input
    yield "parameters", "not known here" if e.parameters is None else f"{e.parameters:,}" if e.parameters else DASH
    for preset, values in e.presets.items():
        yield f"preset {preset}", ", ".join(f"{key} {value if value != '' else DASH}" for key, value in values.items())
    yield "checkpoint", e.checkpoint or DASH
    yield "licence", e.licence or (DASH if not e.checkpoint else "unknown")
    yield "was run", e.ran
    yield "runs here", "yes" if not e.unavailable else f"no: {e.unavailable}"


def _settings(config: Any) -> dict[str, Any]:
    """What a configuration holds, but for secrets."""
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        return {"value": repr(config)}
    held = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if not f.metadata.get("secret")}
    return {key: _settings(value) if dataclasses.is_dataclass(value) else value for key, value in held.items()}


def _parameters(kind: type[Detector]) -> int | None:
    """Of the network at the published size; None where its library or its weights are missing."""
    try:
        return kind.preset("paper").parameters()
    except (ImportError, BadData):
        return None
