"""Numbers and names as a person reads them: in sentences, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits: no exponent, no digit of a whole part rounded away, no zeros at its end.

    >>> number(2171.6), number(0.12345), number(5.0), number(-0.0), number(1e-7)
    ('2172', '0.123', '5', '0', '0.0000001')
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    told = f"{value:.{places}f}"
    return told.rstrip("0").rstrip(".") if "." in told else told


def count(how_many: int, thing: str, things: str = "") -> str:
    """So many of a thing, in the singular or the plural.

    >>> count(1, "frame"), count(0, "frame"), count(2, "category", "categories")
    ('1 frame', '0 frames', '2 categories')
    """
    return f"{how_many} {thing if how_many == 1 else things or thing + 's'}"


def listed(names: Iterable[str]) -> str:
    """Names in order, or "none"."""
    return ", ".join(sorted(names)) or "none"
