"""What can still be read of an MCAP file, whoever wrote it: in chunks, compressed or not, or without any; whole, cut off or damaged."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Message, Metadata, Schema
from mcap.stream_reader import get_chunk_data_stream
from mcap.writer import MCAP0_MAGIC

from physad_ros.dataset.reading import DAMAGE, is_sound

_HEAD = struct.Struct("<BQ")  # of a record: opcode and length
_CHUNK = struct.Struct("<BQQQQII")  # opcode, length, first and last time, size, CRC, length of the compression's name
_COMPRESSIONS = (b"", b"lz4", b"zstd")
_CHAIN = 3  # records in a row that fit together
_OPCODES = frozenset(Opcode)
_KINDS: dict[int, Any] = {Opcode.SCHEMA: Schema, Opcode.CHANNEL: Channel, Opcode.ATTACHMENT: Attachment, Opcode.METADATA: Metadata}


@dataclass
class Salvage:
    """All that came out of a file, in the order in which it was written."""

    sound: bool = False  # every checksum agrees, and the file ends as one that was closed
    cut_off: bool = False
    damaged: int = 0  # chunks, or stretches between them, that were left out
    messages: list[tuple[Channel, Schema | None, Message]] = field(default_factory=list)
    others: list[Attachment | Metadata] = field(default_factory=list)


def salvage(file: Path) -> Salvage:
    """Read whatever is whole. Of a chunk that is damaged nothing is taken but what tells of channels, which later chunks may need."""
    data = file.read_bytes()
    found = Salvage(cut_off=not data.endswith(MCAP0_MAGIC) or len(data) <= len(MCAP0_MAGIC))
    found.sound = not found.cut_off and is_sound(file)  # which reads forwards; others find the summary from the file's end
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    kept: list[Message] = []
    for record, whole in _records(data, found):
        if isinstance(record, Schema) and (whole or record.id not in schemas):
            schemas[record.id] = record
        elif isinstance(record, Channel) and (whole or record.id not in channels):
            channels[record.id] = record
        elif isinstance(record, Message) and whole:
            kept.append(record)
        elif isinstance(record, (Attachment, Metadata)):
            found.others.append(record)
    for message in kept:
        channel = channels.get(message.channel_id)
        if channel is not None and (channel.schema_id == 0 or channel.schema_id in schemas):
            found.messages.append((channel, schemas.get(channel.schema_id), message))
    return found


def _records(data: bytes, found: Salvage) -> Iterator[tuple[object, bool]]:
    """Records and whether they are whole. After a damaged one goes on at the next chunk, so that it hides none."""
    at, upcoming = len(MCAP0_MAGIC), _next_chunk(data, 0)
    while at + _HEAD.size <= len(data) - (0 if found.cut_off else len(MCAP0_MAGIC)):
        if upcoming is not None and upcoming < at:
            upcoming = _next_chunk(data, at)
        if upcoming == at:
            at = _chunk_end(data, at) or len(data)
            records, whole = _in_chunk(data[upcoming + _HEAD.size : at])
            found.damaged += not whole
            yield from ((record, whole) for record in records)
            continue
        opcode, length = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        if opcode in _OPCODES and opcode != Opcode.CHUNK and end <= (len(data) if upcoming is None else upcoming):
            record = _record(opcode, data[at + _HEAD.size : end])
            if record is not None:
                yield record, True
            at = end
            continue
        at = _next_records(data, at + 1, len(data) if upcoming is None else upcoming)
        found.damaged += not (found.cut_off and at == len(data))


def _next_records(data: bytes, at: int, end: int) -> int:
    """Where the next message begins that as many others follow as make chance unlikely; the end where there is none."""
    while (at := data.find(Opcode.MESSAGE, at, end)) >= 0:
        then, chain = at, 0
        while chain < _CHAIN and then + _HEAD.size <= end:
            opcode, length = _HEAD.unpack_from(data, then)
            if opcode not in _OPCODES or then + _HEAD.size + length > end:
                break
            then, chain = then + _HEAD.size + length, chain + 1
        if chain == _CHAIN:
            return at
        at += 1
    return end


def _next_chunk(data: bytes, at: int) -> int | None:
    """Where the next complete chunk begins."""
    at = data.find(Opcode.CHUNK, at)
    while at >= 0 and _chunk_end(data, at) is None:
        at = data.find(Opcode.CHUNK, at + 1)
    return None if at < 0 else at


def _chunk_end(data: bytes, at: int) -> int | None:
    """Where a chunk that begins here ends; None where what stands here is none, by the lengths that it states."""
    if at + _CHUNK.size + 8 > len(data):
        return None
    opcode, length, _, _, size, _, named = _CHUNK.unpack_from(data, at)
    name = data[at + _CHUNK.size : at + _CHUNK.size + named] if named <= 4 else None
    end = at + _HEAD.size + length
    if opcode != Opcode.CHUNK or name not in _COMPRESSIONS or end > len(data):
        return None
    stored = int.from_bytes(data[at + _CHUNK.size + named : at + _CHUNK.size + named + 8], "little")
    framed = length == _CHUNK.size - _HEAD.size + named + 8 + stored and (bool(name) or stored == size)
    return end if framed else None


def _in_chunk(content: bytes) -> tuple[list[object], bool]:
    """Records of a chunk, and whether its CRC agrees; none of one in which they cannot be told apart."""
    records: list[object] = []
    try:
        chunk = Chunk.read(ReadDataStream(BytesIO(content)))
        stream, length = get_chunk_data_stream(chunk)
        inside = stream.read(length)
        at = 0
        while at < length:
            opcode, size = _HEAD.unpack_from(inside, at)
            record = _record(opcode, inside[at + _HEAD.size : at + _HEAD.size + size])
            if record is not None:
                records.append(record)
            at += _HEAD.size + size
    except Exception:  # whatever the decompressor raises
        return records, False
    return records, at == length and chunk.uncompressed_crc in (0, zlib.crc32(inside))


def _record(opcode: int, content: bytes) -> object | None:
    """One that is kept; None for others, and for one that cannot be read."""
    stream = ReadDataStream(BytesIO(content))
    try:
        if opcode == Opcode.MESSAGE:
            return Message.read(stream, len(content))
        return _KINDS[opcode].read(stream) if opcode in _KINDS else None
    except DAMAGE:
        return None
