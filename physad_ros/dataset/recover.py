"""What a killed recorder had written, brought back: every whole chunk, with a count of what is lost."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk

from physad_ros.core.errors import BadData
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.bag import BagWriter
from physad_ros.dataset.finishing import BAG, finish_clip
from physad_ros.dataset.reading import mcap_file, read_timetable
from physad_ros.dataset.stamps import to_seconds
from physad_ros.dataset.topics import IMAGE


@dataclass
class RecoverReport:
    """What came back."""

    folder: Path
    messages: Counter[str] = field(default_factory=Counter)  # by topic
    damaged_chunks: int = 0
    cut_off: bool = False  # the file ends in the middle of a record
    frames_expected: int = 0
    frames_received: int = 0

    def __str__(self) -> str:
        rows = "\n".join(f"  {count:6d}  {topic}" for topic, count in sorted(self.messages.items()))
        lost = self.frames_expected - self.frames_received
        whole = "the file was cut off" if self.cut_off else "the file was complete"
        return (
            f"{self.folder}: {whole}, {self.damaged_chunks} damaged chunks left out\n{rows}\n"
            f"  {self.frames_received} of {self.frames_expected} frames of the clip are back, {lost} are lost"
        )


def recover(folder: Path) -> RecoverReport:
    """Mend the bag of an inspection's folder (or a bag's folder) and make its clip; the old file goes only when the new one is synced.

    Raises:
        BadData: there is no bag, or nothing in it can be read.
    """
    bag = folder / BAG if (folder / BAG).is_dir() else folder
    report = RecoverReport(bag)
    source = mcap_file(bag) if bag.is_dir() else None
    if source is None:
        raise BadData(f"{folder}: no bag here; name an inspection's folder or its bag")
    rows = _salvage(source, report)
    if not rows:
        raise BadData(f"{source}: not one whole chunk in it")
    draft = bag.with_name(f"{bag.name}.recovered")
    shutil.rmtree(draft, ignore_errors=True)
    writer = BagWriter(draft)
    for topic, kind, message in rows:
        writer.write(topic, kind, message.data, message.publish_time, message.log_time)
        report.messages[topic] += 1
    writer.close()
    broken = bag.with_name(f"{bag.name}.broken")
    bag.rename(broken)
    draft.rename(bag)
    _name_after(bag, draft.name)
    shutil.rmtree(broken)
    timetable = read_timetable(bag)
    window = FrameWindow(timetable)
    for stamp in sorted(m.publish_time for t, _, m in rows if t == IMAGE):
        window.slot(to_seconds(stamp))
    report.frames_expected, report.frames_received = timetable.frames, window.received
    if bag.name == BAG:
        finish_clip(bag.parent)
    return report


def _salvage(source: Path, report: RecoverReport) -> list[tuple[str, str, Message]]:
    """Messages of all whole, undamaged chunks as (topic, type, message)."""
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    rows: list[tuple[str, str, Message]] = []
    with source.open("rb") as stream:
        records = StreamReader(stream, emit_chunks=True, validate_crcs=False).records
        while True:
            try:
                record = next(records, None)
                inner = breakup_chunk(record, validate_crc=True) if isinstance(record, Chunk) else [record]
            except (McapError, EOFError, ValueError) as error:
                if "crc" in str(error).lower():
                    report.damaged_chunks += 1
                    continue
                report.cut_off = True
                return rows
            if record is None:
                return rows
            for item in inner:
                if isinstance(item, Schema):
                    schemas[item.id] = item
                elif isinstance(item, Channel):
                    channels[item.id] = item
                elif isinstance(item, Message) and item.channel_id in channels:
                    channel = channels[item.channel_id]
                    rows.append((channel.topic, schemas[channel.schema_id].name, item))


def _name_after(bag: Path, draft_name: str) -> None:
    """rosbag2 names the file after its folder; so does a mended one."""
    file = bag / f"{draft_name}_0.mcap"
    metadata = bag / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace(file.name, f"{bag.name}_0.mcap"))
    file.rename(bag / f"{bag.name}_0.mcap")
