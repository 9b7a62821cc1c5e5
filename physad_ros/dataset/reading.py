"""A recorded bag as the clip that was judged: the same frames, cut by the same rule."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, DataEnd, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from rosbags.serde import SerdeError

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Signals, Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.core.words import count
from physad_ros.dataset.announced import timetable_of
from physad_ros.dataset.definitions import typestore
from physad_ros.dataset.signals import MARGIN_S, Told, joints_told, motors_told, signals_of, wrench_told
from physad_ros.dataset.stamps import to_seconds
from physad_ros.dataset.topics import IMAGE, JOINTS, MOTOR, PLAN, WRENCH
from physad_ros.dataset.video import Frame, decode_jpeg

_TELLS = {JOINTS: joints_told, WRENCH: wrench_told, MOTOR: motors_told}

#: what damaged bytes make mcap's reader raise
DAMAGE = (McapError, ValueError, struct.error, KeyError, OSError, MemoryError, OverflowError)

Row = tuple[str, str, bytes, int]


def mcap_file(folder: Path) -> Path:
    """The one MCAP file of a bag's folder."""
    files = sorted(folder.glob("*.mcap"))
    if len(files) != 1:
        raise BadData(f"{folder}: {count(len(files), 'MCAP file')} where there should be one")
    return files[0]


def messages(folder: Path, topics: tuple[str, ...]) -> Iterator[Row]:
    """(topic, type, serialized bytes, stamp [ns]) of a whole bag, in the order in which they were recorded.

    The CRC of every chunk and of all before the summary is checked, and topics and types are taken from within the chunks,
    so that no flipped bit of them goes unnoticed.

    Raises:
        BadData: cut off or damaged; says that recover may bring it back.
    """
    try:
        with mcap_file(folder).open("rb") as stream:
            rows = list(_rows(stream, topics))
    except DAMAGE as error:
        raise BadData(f"{folder}: {why(error)}; `physad recover` may bring it back") from error
    yield from rows


def _rows(stream: IO[bytes], topics: tuple[str, ...]) -> Iterator[Row]:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    ended = False
    for record in StreamReader(stream, emit_chunks=True, validate_crcs=True).records:
        ended = ended or isinstance(record, DataEnd)
        if ended:
            continue  # the summary says nothing new; its end says that the file is whole
        for item in _broken_up(record) if isinstance(record, Chunk) else (record,):
            if isinstance(item, Schema):
                schemas[item.id] = item
            elif isinstance(item, Channel):
                channels[item.id] = item
            elif isinstance(item, Message) and (channel := channels[item.channel_id]).topic in topics:
                yield channel.topic, schemas[channel.schema_id].name, item.data, item.publish_time


def _broken_up(chunk: Chunk) -> list[Any]:
    try:
        return list(breakup_chunk(chunk, validate_crc=True))
    except DAMAGE:
        raise
    except Exception as error:  # each decompressor raises errors of its own
        raise McapError(f"a chunk cannot be decompressed: {error}") from error


def is_sound(file: Path) -> bool:
    """Whether a file ends as one that was closed, and every checksum in it agrees."""
    try:
        with file.open("rb") as stream:
            for _ in _rows(stream, ()):
                pass
    except DAMAGE:
        return False
    return True


def decode(message_type: str, data: bytes) -> Any:
    """A message from its serialized bytes; BadData where they are none."""
    try:
        return typestore().deserialize_cdr(data, message_type)
    except (SerdeError, KeyError, ValueError, IndexError, AssertionError, struct.error, MemoryError, OverflowError) as error:
        raise BadData(f"{len(data)} bytes that are no {message_type}: {why(error)}") from error


def read_timetable(folder: Path) -> Timetable:
    """The timetable that a bag holds; BadData where it holds none."""
    for _, kind, data, _ in messages(folder, (PLAN,)):
        return timetable_of(decode(kind, data))
    raise BadData(f"{folder}: no {PLAN} in it, so its window is not known")


def iter_pictures(folder: Path, timetable: Timetable) -> Iterator[tuple[bytes, float]]:
    """JPEGs of the window with their stamps [s], in order of stamp: exactly those that were judged.

    They are offered to the window in the order in which they were recorded, so that it decides as the recorder's did.
    """
    window = FrameWindow(timetable)
    rows = [(to_seconds(ns), kind, data) for _, kind, data, ns in messages(folder, (IMAGE,))]
    for stamp, kind, data in sorted((row for row in rows if window.slot(row[0]) is not None), key=lambda row: row[0]):
        yield decode(kind, data).data.tobytes(), stamp


def iter_frames(folder: Path, timetable: Timetable, height: int | None = None) -> Iterator[tuple[Frame, float]]:
    """Frames of the window with their stamps [s]; BadData where a picture is broken."""
    for jpeg, stamp in iter_pictures(folder, timetable):
        yield decode_jpeg(jpeg, height), stamp


def read_signals(folder: Path, timetable: Timetable) -> Signals:
    """What the rig felt during the window."""
    told: dict[str, list[Told]] = defaultdict(list)
    low, high = timetable.window_begin_s - MARGIN_S, timetable.window_end_s + MARGIN_S
    for topic, kind, data, stamp_ns in messages(folder, tuple(_TELLS)):
        stamp = to_seconds(stamp_ns)
        if low <= stamp < high:
            told[topic].append(_TELLS[topic](stamp, decode(kind, data)))
    return signals_of(timetable, told[JOINTS], told[WRENCH], told[MOTOR])


def read_clip(folder: Path, height: int | None = None) -> Clip:
    """The clip of a bag, frames at this height. Frames that are missing are missing here too.

    Raises:
        BadData: the bag is cut off or damaged, or a picture in it is broken or of another size than the first.
    """
    timetable = read_timetable(folder)
    pairs = list(iter_frames(folder, timetable, height))
    if len({f.shape for f, _ in pairs}) > 1:
        raise BadData(f"{folder}: its pictures are not all of one size")
    frames = np.stack([f for f, _ in pairs]) if pairs else np.empty((0, 0, 0, 3), np.uint8)
    return Clip(timetable, frames, np.array([s for _, s in pairs]), read_signals(folder, timetable))
