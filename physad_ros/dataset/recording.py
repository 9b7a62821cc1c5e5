"""A recording as it happens: a ring of serialized messages before the window, a thread that streams the window to disk."""

from __future__ import annotations

import errno
import logging
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from physad_ros.core.errors import BadData, UnknownName, why
from physad_ros.core.ring import Ring
from physad_ros.core.types import Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.bag import BagWriter
from physad_ros.dataset.reading import messages
from physad_ros.dataset.signals import MARGIN_S
from physad_ros.dataset.stamps import stamp_ns, to_seconds
from physad_ros.dataset.topics import IMAGE, LATCHED, PLAN, RECORDED

log = logging.getLogger(__name__)

RING_S = 1.0
QUEUE = 2048  # messages between graph and disk: some seconds of everything


@dataclass(frozen=True)
class RecordingResult:
    """What came of a recording: the frames that are in the bag."""

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
    order: int = 0  # in which it came; the clock of ``received_ns`` may be set

    @property
    def stamp_s(self) -> float:
        return to_seconds(self.stamp_ns)


class Recorder:
    """Keeps a short ring of what comes; while open, everything stamped within the window goes to a bag.

    Every method may be called from any thread. ``take`` and ``open`` never wait for the disk and never fail because of it;
    ``close`` returns once all is synced.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ring: Ring[_Item] = Ring(RING_S)
        self._latched: dict[str, _Item] = {}
        self._taken = 0
        self._open: _Open | None = None

    def take(self, topic: str, data: bytes) -> None:
        """A serialized message with a header.

        Raises:
            UnknownName: the topic is none that is recorded.
            BadData: the message has no header.
        """
        if topic not in RECORDED:
            raise UnknownName("recorded topic", topic, RECORDED)
        stamp, received = stamp_ns(data), time.time_ns()
        with self._lock:
            self._taken += 1
            item = _Item(topic, data, stamp, received, self._taken)
            if topic in LATCHED:
                self._latched[topic] = item
            if self._open is not None and self._open.offer(item):
                return
            self._ring.push(item.stamp_s, item)

    def open(self, timetable: Timetable, plan: bytes, folder: Path) -> None:
        """Begin a bag in ``folder`` (which must not exist) for a window that may lie ahead; ``plan`` is its serialized message.

        Raises:
            BadData: ``plan`` is no message, or ``folder`` exists. An earlier recording that is still open is closed first.
        """
        if folder.exists():
            raise BadData(f"{folder} exists already; what is there is kept")
        first = _Item(PLAN, plan, stamp_ns(plan), time.time_ns())
        if self.timetable is not None:
            self.close()
        opened = _Open(timetable, folder)
        begin, end = timetable.window_begin_s - MARGIN_S, timetable.window_end_s + MARGIN_S
        with self._lock:
            opened.put(first)
            for item in self._latched.values():
                if item.stamp_s < begin:  # what still holds when the window begins
                    opened.put(item)
            for _, item in sorted(self._ring.window(begin, end), key=lambda entry: entry[1].order):
                opened.offer(item)
            self._open = opened

    @property
    def timetable(self) -> Timetable | None:
        """Of the recording that is open."""
        opened = self._open
        return opened.timetable if opened is not None else None

    @property
    def fault(self) -> str:
        """Why the open recording cannot be written; empty while all is well."""
        opened = self._open
        return opened.fault if opened is not None else ""

    @property
    def over(self) -> bool:
        """Whether the window's last frame has come, or writing has failed: nothing more is to be waited for."""
        opened = self._open
        return opened is None or opened.over or bool(opened.fault)

    def close(self) -> RecordingResult:
        """Finish the open recording: drained, flushed and synced when this returns. BadData where none is open."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is None:
            raise BadData("nothing is being recorded")
        return opened.close()


class _Open:
    """One bag being made and written by a thread of its own."""

    def __init__(self, timetable: Timetable, folder: Path):
        self.timetable = timetable
        self.fault = ""
        self.over = False
        self._window = FrameWindow(timetable)
        self._folder = folder
        self._bag: BagWriter | None = None  # made by the thread, since that waits for the disk
        self._queue: queue.Queue[_Item | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._drain, name="recording", daemon=True)
        self._thread.start()

    def offer(self, item: _Item) -> bool:
        """Take an item that belongs to the clip; False otherwise."""
        stamp = item.stamp_s
        if item.topic == IMAGE:
            taken = self._window.slot(stamp) is not None
            self.over = self.over or self._window.over(stamp)
        else:
            taken = self.timetable.window_begin_s - MARGIN_S <= stamp < self.timetable.window_end_s + MARGIN_S
        if taken:
            self.put(item)
        return taken

    def put(self, item: _Item) -> None:
        """Hand an item to the thread; one that finds no room is a fault of the recording, not of the caller."""
        if self.fault:
            return
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.fault = f"the disk is too slow: {QUEUE} messages wait for it"
            log.error("%s", self.fault)

    def close(self) -> RecordingResult:
        self._queue.put(None)
        self._thread.join()
        if self._bag is not None:
            try:
                self._bag.close()
            except OSError as error:
                self._fail(error)
        window = self._window if not self.fault else self._on_disk()
        return RecordingResult(self._folder, self.timetable.frames, window.received, window.missing, self.fault)

    def _drain(self) -> None:
        try:
            self._bag = BagWriter(self._folder)
        except Exception as error:
            self._fail(error)
        while (item := self._queue.get()) is not None:
            if self._bag is None:
                continue
            try:
                self._bag.write(item.topic, RECORDED[item.topic], item.data, item.stamp_ns, item.received_ns)
            except Exception as error:  # whatever it is, it must be told and must not end the thread
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        self.fault = f"the disk is full: {why(error)}" if full else f"the recording failed: {why(error)}"
        log.error("%s", self.fault)
        if self._bag is not None:
            self._bag.abandon()
            self._bag = None

    def _on_disk(self) -> FrameWindow:
        """The frames that are in the bag after a fault."""
        window = FrameWindow(self.timetable)
        try:
            for _, _, _, stamp in messages(self._folder, (IMAGE,)):
                window.slot(to_seconds(stamp))
        except BadData as error:
            log.error("%s", error)
        return window
