"""A recorded bag as the clip that was judged: the same frames, cut by the same rule."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mcap.exceptions import McapError
from mcap.reader import make_reader

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Floats, Phase, Signals, Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.definitions import typestore
from physad_ros.dataset.stamps import to_seconds
from physad_ros.dataset.topics import GRIPPER_JOINT, IMAGE, JOINTS, MOTOR, PLAN, WRENCH
from physad_ros.dataset.video import Frame, decode_jpeg

MARGIN_S = 0.1  # signals are kept this much beyond the window, so that they can be interpolated in it


def mcap_file(folder: Path) -> Path:
    """The one MCAP file of a bag's folder."""
    files = sorted(folder.glob("*.mcap"))
    if len(files) != 1:
        raise BadData(f"{folder}: {len(files)} MCAP files where there should be one")
    return files[0]


def messages(folder: Path, topics: tuple[str, ...]) -> Iterator[tuple[str, str, bytes, int]]:
    """(topic, type, serialized bytes, stamp [ns]) of a whole bag, in order of stamp; every chunk's CRC is checked.

    Raises:
        BadData: cut off or damaged; says that recover may bring it back.
    """
    try:
        with mcap_file(folder).open("rb") as stream:
            reader = make_reader(stream, validate_crcs=True)
            rows = [
                (channel.topic, schema.name if schema else "", message.data, message.publish_time)
                for schema, channel, message in reader.iter_messages(topics=list(topics))
            ]
    except (McapError, ValueError, OSError) as error:  # mcap's CRC error is a ValueError
        raise BadData(f"{folder}: {error or type(error).__name__}; `physad recover` may bring it back") from error
    yield from sorted(rows, key=lambda row: row[3])


def timetable_of(message: Any) -> Timetable:
    """Core timetable of a decoded physad_msgs/Interaction."""
    phases = tuple(Phase(p.name, _seconds(p.begin), _seconds(p.end)) for p in message.phases)
    return Timetable(
        message.clip_id, message.category, message.object, message.interaction, phases,
        _seconds(message.window_begin), _seconds(message.window_end), int(message.frames), float(message.fps),
    )


def read_timetable(folder: Path) -> Timetable:
    """The timetable that a bag holds; BadData where it holds none."""
    for _, kind, data, _ in messages(folder, (PLAN,)):
        return timetable_of(typestore().deserialize_cdr(data, kind))
    raise BadData(f"{folder}: no {PLAN} in it, so its window is not known")


def iter_frames(folder: Path, timetable: Timetable, height: int | None = None) -> Iterator[tuple[Frame, float]]:
    """Frames of the window with their stamps [s]: exactly those that were judged."""
    window = FrameWindow(timetable)
    for _, kind, data, stamp_ns in messages(folder, (IMAGE,)):
        stamp = to_seconds(stamp_ns)
        if window.slot(stamp) is not None:
            image: Any = typestore().deserialize_cdr(data, kind)
            yield decode_jpeg(image.data.tobytes(), height), stamp


def read_signals(folder: Path, timetable: Timetable) -> Signals:
    """What the rig felt during the window."""
    rows: dict[str, list[tuple[float, list[float]]]] = defaultdict(list)
    low, high = timetable.window_begin_s - MARGIN_S, timetable.window_end_s + MARGIN_S
    for topic, kind, data, stamp_ns in messages(folder, (JOINTS, WRENCH, MOTOR)):
        stamp = to_seconds(stamp_ns)
        if low <= stamp < high:
            rows[topic].append((stamp, _values(topic, typestore().deserialize_cdr(data, kind))))
    joint_stamps, joints = _columns(rows[JOINTS], 7)
    wrench_stamps, wrench = _columns(rows[WRENCH], 6)
    motor_stamps, motor = _columns(rows[MOTOR], 3)
    return Signals(joint_stamps, joints[:, :6], joints[:, 6], wrench_stamps, wrench, motor_stamps, motor)


def read_clip(folder: Path, height: int | None = None) -> Clip:
    """The clip of a bag, frames at this height. Frames that are missing are missing here too."""
    timetable = read_timetable(folder)
    pairs = list(iter_frames(folder, timetable, height))
    frames = np.stack([f for f, _ in pairs]) if pairs else np.empty((0, 0, 0, 3), np.uint8)
    return Clip(timetable, frames, np.array([s for _, s in pairs]), read_signals(folder, timetable))


def _values(topic: str, message: Any) -> list[float]:
    if topic == WRENCH:
        f, t = message.wrench.force, message.wrench.torque
        return [f.x, f.y, f.z, t.x, t.y, t.z]
    if topic == MOTOR:
        return [float(v[0]) if len(v) else math.nan for v in (message.position, message.velocity, message.effort)]
    at = dict(zip(message.name, message.position))
    arm = [at.pop(name, math.nan) for name in ARM_JOINTS]
    return [*arm, at.get(GRIPPER_JOINT, math.nan)]


ARM_JOINTS = tuple(f"{name}_joint" for name in ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3"))


def _columns(rows: list[tuple[float, list[float]]], width: int) -> tuple[Floats, Floats]:
    """Stamps (N,) and values (N, width)."""
    return np.array([s for s, _ in rows]), np.array([v for _, v in rows], dtype=float).reshape(len(rows), width)


def _seconds(stamp: Any) -> float:
    return to_seconds(stamp.sec * 1_000_000_000 + stamp.nanosec)
