"""Which frames belong to a clip: the one rule by which recording and scoring are cut."""

from __future__ import annotations

import math

from physad_ros.core.types import Timetable

_ROUNDING_S = 5e-7  # stamps are rounded to nanoseconds, and seconds since 1970 as floats to a quarter of a microsecond


class FrameWindow:
    """Sorts frames into the numbered slots of a clip by their exposure stamps.

    The first frame at or after the window's begin fixes the phase of the camera's clock against the program's; from then on
    slot i is the frame within half a period of i / fps after it. So a camera that is not in step with the program still fills every
    slot, a small jitter does no harm, and a frame that is lost leaves its slot empty instead of being made up for by a later one.

    Stamps that go back within the window (a clock that was set, two cameras on one topic) end it: nobody knows when what comes
    after them was seen, so none of it is received. Frames are offered in the order in which they came.
    """

    def __init__(self, timetable: Timetable):
        self.frames = timetable.frames
        self._begin_s = timetable.window_begin_s
        self._fps = timetable.fps
        self._anchor_s: float | None = None
        self._filled: set[int] = set()
        self._latest_s = -math.inf  # stamp in the window
        self._ended = False  # a frame after the last slot was seen
        self.went_back_s = 0.0  # by how much stamps did

    def slot(self, stamp_s: float) -> int | None:
        """Slot of a frame, which counts as received from now on; None outside the window or for a slot that is filled."""
        since = (stamp_s - self._begin_s + _ROUNDING_S) * self._fps
        if not math.isfinite(since) or self._ended or self.went_back_s:
            return None
        if stamp_s < self._latest_s - _ROUNDING_S:
            self.went_back_s = self._latest_s - stamp_s
            return None
        if since < 0:
            return None
        if self._anchor_s is None:
            self._anchor_s = stamp_s - math.floor(since) / self._fps
        self._latest_s = stamp_s
        slot = round((stamp_s - self._anchor_s) * self._fps)
        self._ended = slot >= self.frames
        if self._ended or slot in self._filled:
            return None
        self._filled.add(slot)
        return slot

    @property
    def received(self) -> int:
        """Slots that are filled."""
        return len(self._filled)

    @property
    def missing(self) -> tuple[int, ...]:
        """Slots that are empty."""
        return tuple(i for i in range(self.frames) if i not in self._filled)

    def over(self, stamp_s: float) -> bool:
        """Whether no frame of this clip can still come once one stamped ``stamp_s`` was seen."""
        if self.went_back_s:
            return True
        if self._anchor_s is None:
            return (stamp_s - self._begin_s) * self._fps >= self.frames + 1
        return round((stamp_s - self._anchor_s) * self._fps) >= self.frames - 1
