"""What a killed recorder had written, brought back: every whole chunk, with a count of what is lost."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from mcap.data_stream import ReadDataStream
from mcap.records import Channel, Chunk, Message, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC

from physad_ros.core import places
from physad_ros.core.errors import BadData, WrongUse, why
from physad_ros.core.types import Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.core.words import count
from physad_ros.dataset.bag import BagWriter
from physad_ros.dataset.files import sync
from physad_ros.dataset.finishing import BAG, MANIFEST, finish_clip
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import DAMAGE, mcap_file, read_timetable
from physad_ros.dataset.stamps import to_seconds
from physad_ros.dataset.topics import IMAGE, RECORDED

# opcode, length, first and last time, size, CRC, length of the compression's name, size on disk
_FRAME = struct.Struct("<BQQQQIIQ")
_CHUNK = b"\x06"
_KEPT = ("object", "label", "severity", "seed", "rig", "lights", "camera")  # that an earlier manifest may know better


@dataclass
class RecoverReport:
    """What came back."""

    folder: Path  # of the bag
    messages: Counter[str] = field(default_factory=Counter)  # that came back, by topic
    lost: Counter[str] = field(default_factory=Counter)  # known to be lost, by topic: gaps in the numbers of those that came back
    damaged_chunks: int = 0  # left out because their CRC does not agree
    cut_off: bool = False  # the file does not end as one that was closed
    frames_expected: int = 0  # 0: the timetable is lost, too
    frames_received: int = 0

    def __str__(self) -> str:
        rows = "\n".join(
            f"  {count:6d}  {topic}" + (f"  ({self.lost[topic]} lost in between)" if self.lost[topic] else "")
            for topic, count in sorted(self.messages.items())
        )
        whole = "the file was cut off" if self.cut_off else "the file was complete"
        return f"{self.folder}: {whole}, {count(self.damaged_chunks, 'damaged chunk')} left out\n{rows}\n  {self._frames()}"

    def _frames(self) -> str:
        if not self.frames_expected:
            return f"frames that are back: {self.frames_received}; how many there should be is lost with the timetable"
        lost = self.frames_expected - self.frames_received
        return f"{self.frames_received} of {count(self.frames_expected, 'frame')} of the clip are back, {lost} {'is' if lost == 1 else 'are'} lost"


Row = tuple[str, str, Message]


def recover(folder: Path) -> RecoverReport:
    """Mend the bag of an inspection's folder (or a bag's folder) and make its clip; the old file goes only when the new one is synced.

    Raises:
        BadData: there is no bag, nothing in it can be read, or the disk has no room for the mended one.
    """
    places.folder(folder)
    bag = folder if folder.name == BAG or not _holds_bag(folder) else folder / BAG
    _resume(bag)
    if not any(bag.glob("*.mcap")):
        raise WrongUse(f"{folder}: no bag here, which would hold an MCAP file; name an inspection's folder or its bag")
    source = mcap_file(bag)
    places.writable_folder(bag.parent)
    report = RecoverReport(bag)
    rows = _salvage(source, report)
    if not rows:
        raise BadData(f"{source}: not one whole chunk in it")
    _replace(bag, rows, report)
    timetable = _timetable(bag)
    _count_frames(rows, timetable, report)
    if bag.name == BAG and timetable is not None:
        finish_clip(bag.parent, timetable, **_known(bag.parent))
    return report


def _holds_bag(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in (BAG, f"{BAG}.broken"))


def _resume(bag: Path) -> None:
    """Undo the first half of an exchange of bags in which an earlier recovery was killed itself."""
    broken = bag.with_name(f"{bag.name}.broken")
    if broken.is_dir() and not bag.exists():
        broken.rename(bag)


def _replace(bag: Path, rows: list[Row], report: RecoverReport) -> None:
    draft, broken = (bag.with_name(f"{bag.name}.{end}") for end in ("recovered", "broken"))
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(broken, ignore_errors=True)  # of an earlier recovery that was killed when all was done
    try:
        writer = BagWriter(draft, name=bag.name)
        for topic, kind, message in rows:
            writer.write(topic, kind, message.data, message.publish_time, message.log_time)
        writer.close()
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise BadData(f"{bag}: the mended bag cannot be written, the broken one is kept: {why(error)}") from error
    report.messages.update(writer.counts)
    bag.rename(broken)
    draft.rename(bag)
    sync(bag.parent)
    shutil.rmtree(broken)


def _timetable(bag: Path) -> Timetable | None:
    """From the bag, or from a manifest beside it; None where both are lost."""
    try:
        return read_timetable(bag)
    except BadData:
        manifest = bag.parent / MANIFEST
        return Manifest.read(manifest).timetable if bag.name == BAG and manifest.exists() else None


def _count_frames(rows: list[Row], timetable: Timetable | None, report: RecoverReport) -> None:
    stamps = [to_seconds(m.publish_time) for topic, _, m in rows if topic == IMAGE]
    if timetable is None:
        report.frames_received = len(stamps)
        return
    window = FrameWindow(timetable)
    for stamp in stamps:
        window.slot(stamp)
    report.frames_expected, report.frames_received = timetable.frames, window.received


def _known(folder: Path) -> dict[str, object]:
    """What an earlier manifest of the clip tells that the bag does not."""
    try:
        earlier = Manifest.read(folder / MANIFEST)
    except BadData:
        return {}
    return {name: value for name in _KEPT if (value := getattr(earlier, name)) not in (None, "", {})}


def _salvage(source: Path, report: RecoverReport) -> list[Row]:
    """Messages of all whole, undamaged chunks as (topic, type, message), in the order in which they were written."""
    data = source.read_bytes()
    report.cut_off = not data.endswith(MCAP0_MAGIC) or len(data) <= len(MCAP0_MAGIC)
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    found: list[Message] = []
    for at, whole in _chunks(data):
        report.damaged_chunks += not whole
        for item in _records(data, at):
            if isinstance(item, Schema) and (whole or item.id not in schemas):
                schemas[item.id] = item
            elif isinstance(item, Channel) and (whole or item.id not in channels):
                channels[item.id] = item  # those of a damaged chunk may serve the chunks after it
            elif isinstance(item, Message) and whole:
                found.append(item)
    rows: list[Row] = []
    last: Counter[str] = Counter()
    for message in found:
        channel = channels.get(message.channel_id)
        schema = schemas.get(channel.schema_id) if channel else None
        if channel and schema and RECORDED.get(channel.topic) == schema.name:
            rows.append((channel.topic, schema.name, message))
            last[channel.topic] = max(last[channel.topic], message.sequence + 1)
    report.lost.update(last)
    report.lost.subtract(Counter(topic for topic, _, _ in rows))
    return rows


def _chunks(data: bytes) -> Iterator[tuple[int, bool]]:
    """Where each complete chunk begins, and whether its CRC agrees. Looks for them, so that a damaged record hides no later one."""
    at = data.find(_CHUNK)
    while 0 <= at <= len(data) - _FRAME.size:
        _, length, _, _, size, crc, named, stored = _FRAME.unpack_from(data, at)
        end = at + _FRAME.size + size
        framed = named == 0 and size == stored and length == _FRAME.size - 9 + size and end <= len(data)
        if framed:
            yield at, zlib.crc32(memoryview(data)[end - size : end]) == crc
        at = data.find(_CHUNK, end if framed else at + 1)


def _records(data: bytes, at: int) -> Iterator[object]:
    """Records of the chunk that begins at ``at``; none of a damaged one in which they cannot be told apart."""
    length = struct.unpack_from("<Q", data, at + 1)[0]
    chunk = Chunk.read(ReadDataStream(BytesIO(data[at + 9 : at + 9 + length])))
    try:
        yield from breakup_chunk(chunk)
    except DAMAGE:
        return
