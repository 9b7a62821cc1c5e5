"""A recording as it happens: a ring of serialized messages before the window, a thread that streams the window to disk."""

from __future__ import annotations

import errno
import logging
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from physad_ros.core.errors import BadData
from physad_ros.core.ring import Ring
from physad_ros.core.types import Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.bag import BagWriter
from physad_ros.dataset.reading import MARGIN_S
from physad_ros.dataset.stamps import stamp_ns, to_seconds
from physad_ros.dataset.topics import IMAGE, RECORDED

log = logging.getLogger(__name__)

RING_S = 1.0
QUEUE = 2048  # messages between graph and disk: some seconds of everything


@dataclass(frozen=True)
class RecordingResult:
    """What came of a recording."""

    folder: Path  # of the bag
    frames_expected: int
    frames_received: int
    missing: tuple[int, ...]
    fault: str  # what went wrong, empty if nothing


@dataclass(frozen=True)
class _Item:
    topic: str
    data: bytes
    stamp_ns: int
    received_ns: int


class Recorder:
    """Keeps a short ring of what comes; while open, everything stamped within the window goes to a bag.

    ``take`` may be called from one thread and never blocks on the disk; ``open`` and ``close`` from the same one.
    """

    def __init__(self) -> None:
        self._ring: Ring[_Item] = Ring(RING_S)
        self._open: _Open | None = None

    def take(self, topic: str, data: bytes) -> None:
        """A serialized message with a header. One that is not is a BadData."""
        stamp = stamp_ns(data)
        item = _Item(topic, data, stamp, time.time_ns())
        if self._open is not None and self._open.offer(item):
            return
        newest = self._ring.latest()
        if newest is not None and to_seconds(stamp) < newest[0] - 10 * RING_S:
            self._ring.clear()  # the clock was set back: a new simulation
        self._ring.push(to_seconds(stamp), item)

    def open(self, timetable: Timetable, plan: bytes, folder: Path) -> None:
        """Begin a bag in ``folder`` (which must not exist) for a window that may lie ahead; ``plan`` is its serialized message.

        Raises:
            BadData, OSError: the bag cannot be begun. An earlier recording that is still open is closed first.
        """
        if self._open is not None:
            self.close()
        opened = _Open(timetable, folder)
        opened.begin(plan)
        for _, item in self._ring.window(timetable.window_begin_s - MARGIN_S, timetable.window_end_s + MARGIN_S):
            opened.offer(item)
        self._open = opened

    @property
    def timetable(self) -> Timetable | None:
        """Of the recording that is open."""
        return self._open.timetable if self._open is not None else None

    @property
    def over(self) -> bool:
        """Whether the window's last frame has come, or writing has failed: nothing more is to be waited for."""
        return self._open is None or self._open.over or bool(self._open.fault)

    def close(self) -> RecordingResult:
        """Finish the open recording: drained, flushed and synced when this returns."""
        if self._open is None:
            raise BadData("nothing is being recorded")
        opened, self._open = self._open, None
        return opened.close()


class _Open:
    """One bag being written by a thread of its own."""

    def __init__(self, timetable: Timetable, folder: Path):
        self.timetable = timetable
        self.fault = ""
        self.over = False
        self._window = FrameWindow(timetable)
        self._bag = BagWriter(folder)
        self._queue: queue.Queue[_Item | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._drain, name="recording", daemon=True)
        self._thread.start()

    def begin(self, plan: bytes) -> None:
        self._put(_Item("/interaction/plan", plan, stamp_ns(plan), time.time_ns()))

    def offer(self, item: _Item) -> bool:
        """Take an item that belongs to the clip; False otherwise."""
        stamp = to_seconds(item.stamp_ns)
        if item.topic == IMAGE:
            taken = self._window.slot(stamp) is not None
            self.over = self.over or self._window.over(stamp)
        else:
            margin = MARGIN_S
            taken = self.timetable.window_begin_s - margin <= stamp < self.timetable.window_end_s + margin
        if taken:
            self._put(item)
        return taken

    def close(self) -> RecordingResult:
        self._queue.put(None)
        self._thread.join()
        if not self.fault:
            try:
                self._bag.close()
            except OSError as error:
                self._fail(error)
        return RecordingResult(
            self._bag.folder, self.timetable.frames, self._window.received, self._window.missing, self.fault
        )

    def _put(self, item: _Item) -> None:
        if self.fault:
            return
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.fault = "the disk is too slow to record"

    def _drain(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.fault:
                continue
            try:
                self._bag.write(item.topic, RECORDED[item.topic], item.data, item.stamp_ns, item.received_ns)
            except (OSError, BadData) as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        self.fault = f"the disk is full: {error}" if full else f"the recording failed: {error}"
        log.error("%s", self.fault)
        self._bag.abandon()
