"""Measured numbers as people read them: in degrees, turns a minute and per cent, with as many digits as tell something."""

from __future__ import annotations

from math import degrees, floor, isfinite, log10
from typing import NamedTuple

#: unit to that which people are told, and how many of those it is
UNITS = {"": ("%", 100.0), "rad": ("°", degrees(1.0)), "rad/s": ("rpm", degrees(1.0) / 6), "deg": ("°", 1.0), "mm2": ("mm²", 1.0)}
DIGITS = 2  # of what lies far outside


class Told(NamedTuple):
    """A value and its interval, without their unit; and the unit."""

    value: str
    low: str
    high: str
    unit: str

    def with_unit(self, number: str) -> str:
        """Such a number with its unit."""
        return f"{number}{self.unit}" if self.unit == "°" else f"{number} {self.unit}"


def told_unit(unit: str) -> tuple[str, float]:
    """The unit that people are told, and by what to multiply."""
    return UNITS.get(unit, (unit, 1.0))


def told(value: float, low: float, high: float, unit: str) -> Told:
    """A measured value and what is normal. As coarse as the interval is wide, but never so that what is outside seems inside."""
    name, times = told_unit(unit)
    value, low, high = value * times, low * times, high * times
    step = _step(low, high)
    if not isfinite(value):
        return Told("not measured", _number(low, step), _number(high, step), name)
    outside = value < low or value > high
    edge = low if abs(value - low) < abs(value - high) else high
    while outside and step > 1e-9 and _number(value, step) == _number(edge, step):
        step /= 10
    far = abs(value) >= 2 * max(abs(low), abs(high))
    return Told(_number(value, max(step, _power(value) / 10 ** (DIGITS - 1)) if far else step), _number(low, step), _number(high, step), name)


def _step(low: float, high: float) -> float:
    """A power of ten that neither hides the interval's width nor leaves its larger bound fewer than two digits."""
    return min(_power((high - low) / 2), _power(max(abs(low), abs(high))) / 10 ** (DIGITS - 1))


def _power(number: float) -> float:
    """The greatest power of ten that a number reaches."""
    return float(10.0 ** floor(log10(abs(number)) + 1e-9)) if number else 1.0


def _number(number: float, step: float) -> str:
    """Rounded to a power of ten, without an exponent or zeros that say nothing."""
    decimals = max(0, -round(log10(step)))
    text = f"{round(number / step) * step:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
