"""A clip's frames gathered into slots of time: where in its window a frame lies decides what normal patches it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import Clip, Timetable
from physad_ros.detectors.patchcore.descriptors import Describing, Descriptor
from physad_ros.detectors.patchcore.memory import Patches, locally_aware

if TYPE_CHECKING:
    from physad_ros.detectors.patchcore.backbone import Backbone


@dataclass(frozen=True)
class Slot:
    """What was seen in one slot of time."""

    at: int
    frames: int
    motion: Patches  # (R, C, D)
    looks: Patches  # (R, C, E)


class Gathering:
    """Describes the frames of one clip as they come, and gives a slot when the first frame after it has come."""

    def __init__(self, timetable: Timetable, slots: int, descriptor: Descriptor, patch: int, backbone: Backbone | None):
        self._timetable, self._slots, self._descriptor, self._patch, self._backbone = timetable, slots, descriptor, patch, backbone
        self._describing = Describing(descriptor, timetable.fps)
        self._at = -1
        self._cells: list[Patches] = []
        self._looks: Patches | None = None

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> Slot | None:
        at = self._place(stamp_s)
        done = self.flush() if at != self._at else None
        if self._backbone is not None and not self._cells:
            self._looks = self._backbone.cells(frame)  # once a slot: it is what costs most
        self._at = at
        self._cells.append(self._describing.push(frame, stamp_s))
        return done

    def flush(self) -> Slot | None:
        """The slot that is being gathered; None before the first frame."""
        if not self._cells:
            return None
        cells = locally_aware(np.mean(self._cells, axis=0, dtype=np.float32), self._patch)  # (R, C, channels)
        motion, looks = np.split(cells, [self._descriptor.motion], axis=2)
        slot = Slot(self._at, len(self._cells), motion, looks if self._looks is None else self._looks)
        self._cells = []
        return slot

    def _place(self, stamp_s: float) -> int:
        table = self._timetable
        share = (stamp_s - table.window_begin_s + 0.5 / table.fps) / (table.window_end_s - table.window_begin_s)
        return int(np.clip(share * self._slots, 0, self._slots - 1))


def gathered(clip: Clip, gathering: Gathering, slots: int) -> tuple[Patches, Patches]:
    """All slots of a clip, as motion (S, R, C, D) and looks (S, R, C, E); a slot without frame is as the one before it."""
    seen = {slot.at: slot for slot in _slots(clip, gathering)}
    latest = seen[min(seen)]
    filled = [latest := seen.get(at, latest) for at in range(slots)]
    return np.stack([s.motion for s in filled]), np.stack([s.looks for s in filled])


def _slots(clip: Clip, gathering: Gathering) -> Iterator[Slot]:
    for frame, stamp in zip(clip.frames, clip.stamps_s):
        if slot := gathering.push(frame, float(stamp)):
            yield slot
    if slot := gathering.flush():
        yield slot
