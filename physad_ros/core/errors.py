"""Errors that a person can act on: each names what was wrong and what would be right."""

from __future__ import annotations

from collections.abc import Iterable


class PhysadError(Exception):
    """Base of every error that physad raises on purpose."""


class UnknownName(PhysadError):
    """A name that is not among the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        super().__init__(f"no {kind} {name!r}; known: {', '.join(sorted(known)) or 'none'}")


class BadData(PhysadError):
    """A file, message or setting whose content cannot be used."""


class WrongUse(BadData):
    """Arguments that cannot be what was meant; says what would be."""


class Impossible(PhysadError):
    """A program that the robot cannot or must not play; says which step and why."""
