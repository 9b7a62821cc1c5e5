"""Clips of a tree as detectors are fitted on and judged by: read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from rich.progress import track

from physad_ros.core.types import Clip
from physad_ros.dataset.tree import ClipRef, load_clip


class ClipsOnDisk(Sequence[Clip]):
    """Clips that are read when they are asked for: a hundred at 360 lines would fill the memory."""

    def __init__(self, refs: Sequence[ClipRef], height: int, title: str):
        self._refs, self._height, self._title = refs, height, title

    def __len__(self) -> int:
        return len(self._refs)

    @overload
    def __getitem__(self, at: int) -> Clip: ...

    @overload
    def __getitem__(self, at: slice) -> ClipsOnDisk: ...

    def __getitem__(self, at: int | slice) -> Clip | ClipsOnDisk:
        if isinstance(at, slice):
            return ClipsOnDisk(self._refs[at], self._height, self._title)
        return load_clip(self._refs[at], self._height)

    def __iter__(self) -> Iterator[Clip]:
        for ref in track(self._refs, self._title, transient=True):
            yield load_clip(ref, self._height)
