"""Errors that a person can act on: each names what was wrong and what would be right."""

from __future__ import annotations

from collections.abc import Iterable


class PhysadError(Exception):
    """Base of every error that physad raises on purpose."""


class UnknownName(PhysadError):
    """A name that is not among the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        self._about = kind, name, tuple(sorted(known))
        super().__init__(f"no {kind} {name!r}; known: {', '.join(self._about[2]) or 'none'}")

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, tuple[str, ...]]]:
        return type(self), self._about  # an error made of three words is pickled as such, on its way from another process


class BadData(PhysadError):
    """A file, message or setting whose content cannot be used."""


class WrongUse(BadData):
    """Arguments that cannot be what was meant; says what would be."""


class Impossible(PhysadError):
    """A program that the robot cannot or must not play; says which step and why."""
