"""Writing rosbag2 directories with MCAP storage: chunk CRCs on, flushed by the chunk, synced when asked.

mcap's own writer is used because others leave the chunk's CRC at zero, so that a flipped bit would read back unnoticed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mcap.data_stream import RecordBuilder
from mcap.records import Attachment, Channel, DataEnd, Footer, Message, Metadata, Schema
from mcap.writer import MCAP0_MAGIC, CompressionType, Writer

from physad_ros.core.errors import BadData
from physad_ros.dataset.definitions import definition, type_hash
from physad_ros.dataset.files import sync, write_atomically
from physad_ros.dataset.topics import LATCHED

CHUNK_BYTES = 256 * 1024  # what a kill can cost: some six frames at 640x360
METADATA_VERSION = 9  # of Kilted

METADATA = "metadata.yaml"

_QOS, _HASH = "offered_qos_profiles", "topic_type_hash"  # what rosbag2 notes of a channel
_FOREVER = {"sec": 9223372036, "nsec": 854775807}


@dataclass
class _Entry:
    """A channel of a bag in the making."""

    channel: int
    topic: str
    kind: str
    encoding: str
    metadata: dict[str, str]
    count: int = 0

    def described(self) -> dict[str, Any]:
        """As metadata.yaml tells of it."""
        try:
            qos = yaml.safe_load(self.metadata.get(_QOS, "")) or []
        except yaml.YAMLError:
            qos = []
        return {
            "name": self.topic, "type": self.kind, "serialization_format": self.encoding, "offered_qos_profiles": qos,
            "type_description_hash": self.metadata.get(_HASH, ""),
        }


class BagWriter:
    """A bag in the making.

    Its folder is a rosbag2 directory from the beginning; after ``close`` its counts are right too, and file and names are on
    the disk. What a writer that was killed leaves behind is mended by recover.

    Args:
        folder: is made; FileExistsError where it exists.
        name: stem of the file, the folder's where left out.
    """

    def __init__(self, folder: Path, chunk_bytes: int = CHUNK_BYTES, name: str = ""):
        self._made_in = _holders_of_new(folder)
        folder.mkdir(parents=True, exist_ok=False)
        self.folder = folder
        self.file = folder / f"{name or folder.name}_0.mcap"
        self._entries: dict[Hashable, _Entry] = {}
        self._first_ns: int | None = None
        self._last_ns = 0
        self._stream = open(self.file, "wb")  # noqa: SIM115 (closed by close or abandon)
        # pictures are JPEG already: compressing chunks would cost time and save nothing
        self._writer = Writer(
            self._stream, chunk_size=chunk_bytes, compression=CompressionType.NONE, enable_data_crcs=True
        )
        self._writer.start(profile="ros2", library="physad")
        self._flush()
        self._write_metadata()

    def write(self, topic: str, message_type: str, data: bytes, stamp_ns: int, received_ns: int) -> None:
        """One serialized message: its own stamp and when it came, in nanoseconds.

        Raises:
            OSError: the disk fails; ``abandon`` keeps what was written.
            BadData: the message's type is not installed.
        """
        entry = self._entries.get(topic) or self._enter(topic, message_type)
        self._put(entry, data, stamp_ns, received_ns, entry.count)

    def copy(self, channel: Channel, schema: Schema | None, message: Message) -> None:
        """A message of another MCAP file as it is, with its own definition and number, whatever its type and encoding."""
        kind = ("", "", b"") if schema is None else (schema.name, schema.encoding, schema.data)
        key = (channel.topic, channel.message_encoding, kind)
        entry = self._entries.get(key)
        if entry is None:
            number = 0 if schema is None else self._writer.register_schema(*kind)
            made = self._writer.register_channel(channel.topic, channel.message_encoding, number, channel.metadata)
            entry = self._entries[key] = _Entry(made, channel.topic, kind[0], channel.message_encoding, dict(channel.metadata))
        self._put(entry, message.data, message.publish_time, message.log_time, message.sequence)

    def attach(self, record: Attachment | Metadata) -> None:
        """A record of another MCAP file that is no message, as it is."""
        if isinstance(record, Metadata):
            self._writer.add_metadata(record.name, record.metadata)
        else:
            self._writer.add_attachment(record.create_time, record.log_time, record.name, record.media_type, record.data)
        self._flush()

    def _put(self, entry: _Entry, data: bytes, stamp_ns: int, received_ns: int, sequence: int) -> None:
        self._first_ns = received_ns if self._first_ns is None else min(self._first_ns, received_ns)
        self._last_ns = max(self._last_ns, received_ns)
        self._writer.add_message(entry.channel, received_ns, data, stamp_ns, sequence)
        entry.count += 1
        if self._stream.tell() != self._flushed:  # the writer handed over a whole chunk: it shall survive this process
            self._flush()

    def sync(self) -> None:
        """Everything written so far survives a power cut: the chunk in progress is ended, file and folder are synced."""
        self._writer.flush()
        self._flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Finish file and metadata and sync both. OSError where the disk fails; ``abandon`` keeps what was written."""
        try:
            self._writer.finish()
            self._stream.flush()
            os.fsync(self._stream.fileno())
        finally:
            self._stream.close()
        self._write_metadata()
        for holder in self._made_in:
            sync(holder)

    def abandon(self) -> None:
        """After an error: cut the file back to its last whole chunk and end it there, so that it reads without mending.

        Never raises: where the disk has no room even for that, the file stays cut off and recover mends it.
        """
        with suppress(OSError):
            self._stream.close()
        with suppress(OSError), self.file.open("r+b") as stream:
            stream.truncate(self._flushed)
            stream.seek(self._flushed)
            stream.write(_ending())
            stream.flush()
            os.fsync(stream.fileno())

    def _enter(self, topic: str, message_type: str) -> _Entry:
        schema = self._writer.register_schema(message_type, "ros2msg", definition(message_type).encode())
        metadata = {_QOS: yaml.safe_dump([_qos(topic)], sort_keys=False), _HASH: type_hash(message_type)}
        channel = self._writer.register_channel(topic, "cdr", schema, metadata)
        entry = self._entries[topic] = _Entry(channel, topic, message_type, "cdr", metadata)
        return entry

    def _flush(self) -> None:
        self._stream.flush()
        self._flushed = self._stream.tell()

    def _write_metadata(self) -> None:
        text = yaml.safe_dump({"rosbag2_bagfile_information": self._metadata()}, sort_keys=False)
        write_atomically(self.folder / METADATA, text.encode())

    def _metadata(self) -> dict[str, Any]:
        first_ns = self._first_ns or 0
        began, lasted = {"nanoseconds_since_epoch": first_ns}, {"nanoseconds": self._last_ns - first_ns}
        count = sum(entry.count for entry in self._entries.values())
        topics = [{"topic_metadata": entry.described(), "message_count": entry.count} for entry in self._entries.values()]
        return {
            "version": METADATA_VERSION, "storage_identifier": "mcap", "duration": lasted, "starting_time": began,
            "message_count": count, "topics_with_message_count": topics, "compression_format": "", "compression_mode": "",
            "relative_file_paths": [self.file.name],
            "files": [{"path": self.file.name, "starting_time": began, "duration": lasted, "message_count": count}],
            "custom_data": None, "ros_distro": "kilted",
        }


def move_bag(folder: Path, target: Path) -> None:
    """Bring a closed bag to another place, perhaps another disk, and sync it there.

    Raises:
        BadData: something is there already. OSError: the disk fails.
    """
    if target.exists():
        raise BadData(f"{target} exists already; what is there is kept")
    made_in = _holders_of_new(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(str(folder), str(target))
    for path in (*target.iterdir(), target, *made_in):
        sync(path)


def _holders_of_new(path: Path) -> list[Path]:
    """Folders that get a new name once ``path`` and whatever it lies in are made; they are to be synced."""
    return [p.parent for p in (path, *path.parents) if not p.exists()]


def _qos(topic: str) -> dict[str, Any]:
    """Quality of service that a player shall offer, as the rig does."""
    latched = topic in LATCHED
    return {
        "history": "keep_last", "depth": 1 if latched else 10, "reliability": "reliable",
        "durability": "transient_local" if latched else "volatile", "deadline": dict(_FOREVER), "lifespan": dict(_FOREVER),
        "liveliness": "automatic", "liveliness_lease_duration": dict(_FOREVER), "avoid_ros_namespace_conventions": False,
    }


def _ending() -> bytes:
    """The records that end an MCAP file without a summary."""
    builder = RecordBuilder()
    DataEnd(data_section_crc=0).write(builder)
    Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(builder)
    return builder.end() + MCAP0_MAGIC
