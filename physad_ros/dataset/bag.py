"""Writing rosbag2 directories with MCAP storage: chunk CRCs on, flushed by the chunk, synced when asked.

mcap's own writer is used because others leave the chunk's CRC at zero, so that a flipped bit would read back unnoticed.
"""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from mcap.writer import CompressionType, Writer

from physad_ros.dataset.definitions import definition
from physad_ros.dataset.files import write_atomically

CHUNK_BYTES = 256 * 1024  # what a kill can cost: some six frames at 640x360
METADATA_VERSION = 9  # of Kilted

_FOREVER = {"sec": 9223372036, "nsec": 854775807}
_QOS = {
    "history": "keep_last", "depth": 10, "reliability": "reliable", "durability": "volatile",
    "deadline": _FOREVER, "lifespan": _FOREVER, "liveliness": "automatic", "liveliness_lease_duration": _FOREVER,
    "avoid_ros_namespace_conventions": False,
}


class BagWriter:
    """A bag in the making. Its folder is a readable rosbag2 directory from ``close`` on; recover mends one cut off before."""

    def __init__(self, folder: Path, chunk_bytes: int = CHUNK_BYTES):
        folder.mkdir(parents=True, exist_ok=False)
        self.folder = folder
        self.file = folder / f"{folder.name}_0.mcap"
        self._stream = open(self.file, "wb")  # noqa: SIM115 (closed by close or abandon)
        self._flushed = 0
        # pictures are JPEG already: compressing chunks would cost time and save nothing
        self._writer = Writer(self._stream, chunk_size=chunk_bytes, compression=CompressionType.NONE)
        self._writer.start(profile="ros2", library="physad")
        self._channels: dict[str, int] = {}
        self._types: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self._first_ns = self._last_ns = 0

    def write(self, topic: str, message_type: str, data: bytes, stamp_ns: int, received_ns: int) -> None:
        """One serialized message: its own stamp and when it came, in nanoseconds. OSError where the disk fails."""
        if topic not in self._channels:
            schema = self._writer.register_schema(message_type, "ros2msg", definition(message_type).encode())
            metadata = {"offered_qos_profiles": yaml.safe_dump([_QOS], sort_keys=False)}
            self._channels[topic] = self._writer.register_channel(topic, "cdr", schema, metadata)
            self._types[topic] = message_type
            self.counts[topic] = 0
        if not self._first_ns:
            self._first_ns = received_ns
        self._last_ns = max(self._last_ns, received_ns)
        self._writer.add_message(self._channels[topic], received_ns, data, stamp_ns, self.counts[topic])
        self.counts[topic] += 1
        if self._stream.tell() != self._flushed:  # the writer handed over a whole chunk: it shall survive this process
            self._stream.flush()
            self._flushed = self._stream.tell()

    def close(self) -> None:
        """Finish file and metadata and sync both. OSError where the disk fails; what was written stays."""
        try:
            self._writer.finish()
            self._stream.flush()
            os.fsync(self._stream.fileno())
        finally:
            self._stream.close()
        write_atomically(self.folder / "metadata.yaml", yaml.safe_dump(self._metadata(), sort_keys=False).encode())
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def abandon(self) -> None:
        """Close the file as it is, after an error of the disk."""
        self._stream.close()

    def _metadata(self) -> dict[str, object]:
        began = {"nanoseconds_since_epoch": self._first_ns}
        lasted = {"nanoseconds": self._last_ns - self._first_ns}
        count = sum(self.counts.values())
        topics = [
            {
                "topic_metadata": {
                    "name": topic, "type": kind, "serialization_format": "cdr", "offered_qos_profiles": [_QOS],
                    "type_description_hash": "",
                },
                "message_count": self.counts[topic],
            }
            for topic, kind in self._types.items()
        ]
        return {"rosbag2_bagfile_information": {
            "version": METADATA_VERSION, "storage_identifier": "mcap", "duration": lasted, "starting_time": began,
            "message_count": count, "topics_with_message_count": topics, "compression_format": "", "compression_mode": "",
            "relative_file_paths": [self.file.name],
            "files": [{"path": self.file.name, "starting_time": began, "duration": lasted, "message_count": count}],
            "custom_data": None, "ros_distro": "kilted",
        }}
