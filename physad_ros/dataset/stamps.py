"""The header stamp of a serialized message, read without decoding the message."""

from __future__ import annotations

import struct

from physad_ros.core.errors import BadData

NS = 1_000_000_000


def stamp_ns(data: bytes) -> int:
    """Nanoseconds of the stamp of a CDR message whose first field is a std_msgs/Header.

    The four bytes of encapsulation say the byte order; sec (int32) and nanosec (uint32) follow at once.
    """
    if len(data) < 12 or data[1] not in (0, 1):
        raise BadData(f"not a CDR message with a header: {bytes(data[:4]).hex()}… of {len(data)} bytes")
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] == 1 else ">iI", data, 4)
    return int(seconds) * NS + int(nanoseconds)


def to_seconds(ns: int) -> float:
    """Seconds as a float; exact to a quarter of a microsecond for stamps since 1970."""
    return ns * 1e-9
