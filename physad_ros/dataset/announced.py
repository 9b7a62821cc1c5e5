"""What a message physad_msgs/Interaction announces, whoever deserialized it: rclpy, or the reader of a bag."""

from __future__ import annotations

import math
from typing import Any

from physad_ros.core.errors import BadData
from physad_ros.core.types import Phase, Timetable
from physad_ros.dataset.stamps import NS, to_seconds


def seconds(stamp: Any) -> float:
    """Seconds of a Time or Duration message."""
    return to_seconds(stamp.sec * NS + stamp.nanosec)


def timetable_of(message: Any) -> Timetable:
    """The timetable; BadData where its window or its rate cannot be used."""
    phases = tuple(Phase(p.name, seconds(p.begin), seconds(p.end)) for p in message.phases)
    begin, end, fps = seconds(message.window_begin), seconds(message.window_end), float(message.fps)
    if not (math.isfinite(fps) and fps > 0 and message.frames > 0 and end > begin):
        raise BadData(f"interaction {message.clip_id!r}: a window of {message.frames} frames at {fps} Hz, from {begin} s to "
                      f"{end} s, cannot be used")
    return Timetable(
        message.clip_id, message.category, message.object, message.interaction, phases, begin, end, int(message.frames), fps
    )
