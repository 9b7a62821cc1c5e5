"""A message as YAML for a person: stamps in seconds, long arrays and strings cut with a note of what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import yaml

ITEMS: Final = 16  # of an array that are shown
CHARACTERS: Final = 400  # of a string
SECONDS: Final = ("builtin_interfaces/Time", "builtin_interfaces/Duration")


def text(message: Any, full: bool = False) -> str:
    """The message, a line a field; ``full``: nothing is left out."""
    return "\n".join(_fields(message, "", full)) + "\n"


def _fields(message: Any, indent: str, full: bool) -> Iterator[str]:
    kinds = message.get_fields_and_field_types()
    if not kinds:
        yield f"{indent}{{}}"
    for name, kind in kinds.items():
        if name == "structure_needs_at_least_one_member":  # what rosidl puts where a definition is empty
            yield f"{indent}{{}}"
            continue
        yield from _field(f"{indent}{name}:", getattr(message, name), kind, indent, full)


def _field(head: str, value: Any, kind: str, indent: str, full: bool) -> Iterator[str]:
    if kind in SECONDS:
        yield f"{head} {_seconds(value)}"
    elif hasattr(value, "get_fields_and_field_types"):
        yield head
        yield from _fields(value, indent + "  ", full)
    elif isinstance(value, str | bytes) or np.isscalar(value):
        left = len(value) - CHARACTERS if isinstance(value, str) and not full else 0
        yield f"{head} {_scalar(value, kind, full)}" + (f"  # and {left} more characters" if left > 0 else "")
    else:
        yield from _array(head, value, kind.removeprefix("sequence<").split(",")[0].split("[")[0].rstrip(">"), indent, full)


def _array(head: str, values: Sequence[Any], kind: str, indent: str, full: bool) -> Iterator[str]:
    shown = values if full else values[:ITEMS]
    left = len(values) - len(shown)
    note = f"  # and {left} more" if left else ""
    if len(values) and hasattr(values[0], "get_fields_and_field_types") and kind not in SECONDS:
        yield head + note
        for value in shown:
            first, *others = _fields(value, indent + "  ", full)
            yield f"{indent}- {first.lstrip()}"
            yield from others
    else:
        yield f"{head} [{', '.join(_seconds(v) if kind in SECONDS else _scalar(v, kind, full) for v in shown)}]{note}"


def _seconds(time: Any) -> str:
    """All nine decimals: a float would lose the last three of a date."""
    whole = time.sec * 1_000_000_000 + time.nanosec  # of a duration, sec may be negative and nanosec counts up from it
    return f"{'-' if whole < 0 else ''}{abs(whole) // 1_000_000_000}.{abs(whole) % 1_000_000_000:09d}"


def _scalar(value: Any, kind: str, full: bool) -> str:
    if isinstance(value, bytes):  # the type byte
        return str(value[0])
    if isinstance(value, str):
        shown = value if full or len(value) <= CHARACTERS else value[:CHARACTERS] + "…"
        return yaml.safe_dump([shown], default_flow_style=True, allow_unicode=True, width=math.inf).strip()[1:-1]
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
        return str(np.float32(value)) if kind == "float" else str(float(value))  # as many digits as the type has
    return "true" if value is True else "false" if value is False else str(value)
