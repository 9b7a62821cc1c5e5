"""A short memory of stamped things, cut by stamp and never by arrival."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

SET_BACK_S = 5.0  # a stamp that is this much older than the newest is not late: the clock was set back, as by a new simulation


class Ring(Generic[T]):
    """The last ``span_s`` seconds of items, kept in order of stamp."""

    def __init__(self, span_s: float):
        if span_s <= 0:
            raise ValueError(f"span_s must be positive, not {span_s}")
        self.span_s = span_s
        self._items: deque[tuple[float, T]] = deque()

    def push(self, stamp_s: float, item: T) -> None:
        """Enter an item; one that is late takes its place among the others, one of a clock that was set back begins anew."""
        if self._items and stamp_s < self._items[-1][0] - SET_BACK_S:
            self._items.clear()
        at = len(self._items)
        while at and self._items[at - 1][0] > stamp_s:
            at -= 1
        self._items.insert(at, (stamp_s, item))
        newest = self._items[-1][0]
        while self._items[0][0] < newest - self.span_s:
            self._items.popleft()

    def window(self, begin_s: float, end_s: float) -> list[tuple[float, T]]:
        """Items with begin <= stamp < end, oldest first."""
        return [(stamp, item) for stamp, item in self._items if begin_s <= stamp < end_s]

    def __len__(self) -> int:
        return len(self._items)
