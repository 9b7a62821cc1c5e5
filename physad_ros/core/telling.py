"""Measured numbers as people read them: in degrees, turns a minute and per cent, with as many digits as tell something."""

from __future__ import annotations

from math import degrees, floor, isfinite, log10
from typing import NamedTuple

#: unit to that which people are told, and how many of those it is
UNITS = {"": ("%", 100.0), "rad": ("°", degrees(1.0)), "rad/s": ("rpm", degrees(1.0) / 6), "deg": ("°", 1.0), "mm2": ("mm²", 1.0)}
DIGITS = 2
FAR = 2.0  # times the larger end of the interval, from which on two digits always suffice
UNMEASURED = "not measured"
FINEST = 9  # more digits than these are noise


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
    """A measured value and what is normal, in two digits, or as many as tell the interval's ends apart. What is outside never seems inside.

    NaN is told as what is not measured, and as what is unknown of an interval.
    """
    name, times = told_unit(unit)
    value, low, high = value * times, low * times, high * times
    if not isfinite(low + high):
        return Told(_number(value, _step(value)) if isfinite(value) else UNMEASURED, "unknown", "unknown", name)
    width, least = _power((high - low) / 2), _step(max(abs(low), abs(high)))

    def number(of: float, finer: int = 0) -> str:
        return _number(of, min(width, max(_step(of), least)) / 10**finer)

    if not isfinite(value):
        return Told(UNMEASURED, number(low), number(high), name)
    if abs(value) >= FAR * max(abs(low), abs(high)):
        return Told(_number(value, max(_step(value), least)), number(low), number(high), name)
    finer = 0
    while _seems_inside(value, low, high, number(value, finer), number(low, finer), number(high, finer)) and finer < FINEST:
        finer += 1
    return Told(number(value, finer), number(low, finer), number(high, finer), name)


def _seems_inside(value: float, low: float, high: float, *said: str) -> bool:
    """Whether what lies outside does not when it is told so."""
    told_value, told_low, told_high = (float(number) for number in said)
    return (value > high and told_value <= told_high) or (value < low and told_value >= told_low)


def _step(number: float) -> float:
    """A power of ten to which a number is rounded to have its digits."""
    return _power(number) / 10.0 ** (DIGITS - 1)


def _power(number: float) -> float:
    """The greatest power of ten that a number reaches."""
    return float(10.0 ** floor(log10(abs(number)) + 1e-9)) if number else 1.0


def _number(number: float, step: float) -> str:
    """Rounded to a power of ten, without an exponent or zeros that say nothing."""
    decimals = max(0, -round(log10(step)))
    text = f"{round(number / step) * step:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
