"""What the rig felt: gathered from messages by name, and kept as a compressed NumPy archive beside the clip."""

from __future__ import annotations

import dataclasses
import io
import math
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Floats, Signals, Timetable
from physad_ros.dataset.files import write_atomically
from physad_ros.dataset.topics import GRIPPER_JOINT

ARM_JOINTS = tuple(f"{name}_joint" for name in ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3"))
TOOL = "tool"
MARGIN_S = 0.1  # signals are kept this much beyond the window, so that they can be interpolated in it
HOLD_S = 0.5  # for which a joint's last value stands in, while others are told of

Told = tuple[float, Mapping[str, Sequence[float]]]  # a message: its stamp [s], and values by name


def gathered(told: Iterable[Told], names: Sequence[str], width: int = 1) -> tuple[Floats, Floats]:
    """What several publishers tell of these joints, each of some of them and perhaps of others too.

    Args:
        told: in any order.
        names: joints that are wanted.
        width: values of a joint.

    Returns:
        Stamps (N,), each once and in order, of what tells of any of these joints; values (N, len(names) * width), of a joint that is
        told of by others its last ones; NaN before the first and where they are older than HOLD_S.
    """
    stamps: list[float] = []
    rows: list[list[float]] = []
    latest: dict[str, tuple[float, list[float]]] = {}
    unknown = [math.nan] * width
    for stamp, values in sorted(told, key=lambda entry: entry[0]):
        known = {name: (stamp, list(values[name])) for name in names if name in values}
        if not known:
            continue
        latest |= known
        if stamps and stamps[-1] == stamp:
            stamps.pop(), rows.pop()
        held = [latest.get(name, (-math.inf, unknown)) for name in names]
        stamps.append(stamp)
        rows.append([v for seen, kept in held for v in (kept if stamp - seen <= HOLD_S else unknown)])
    return np.array(stamps), np.array(rows, dtype=float).reshape(len(rows), len(names) * width)


def joints_told(stamp_s: float, message: Any) -> Told:
    """Positions in a JointState, by joint."""
    return stamp_s, {name: (position,) for name, position in zip(message.name, message.position)}


def motors_told(stamp_s: float, message: Any) -> Told:
    """Position, velocity and torque in a JointState, by motor; NaN for what it does not tell."""
    columns = (message.position, message.velocity, message.effort)
    return stamp_s, {n: tuple(float(c[i]) if i < len(c) else math.nan for c in columns) for i, n in enumerate(message.name)}


def wrench_told(stamp_s: float, message: Any) -> Told:
    """Force and torque at the tool."""
    f, t = message.wrench.force, message.wrench.torque
    return stamp_s, {TOOL: (f.x, f.y, f.z, t.x, t.y, t.z)}


def signals_of(timetable: Timetable, joints: Sequence[Told], wrench: Sequence[Told], motors: Sequence[Told]) -> Signals:
    """What was felt, from what was told in a window and its margins, live or from a bag."""
    joint_stamps, positions = gathered(joints, (*ARM_JOINTS, GRIPPER_JOINT))
    wrench_stamps, forces = gathered(wrench, (TOOL,), 6)
    motor_stamps, motor = gathered(motors, (_motor(timetable, motors),), 3)
    return Signals(joint_stamps, positions[:, :6], positions[:, 6], wrench_stamps, forces, motor_stamps, motor)


def _motor(timetable: Timetable, motors: Sequence[Told]) -> str:
    """The motor that the category is driven by; the first that is told of where it is driven by none."""
    if timetable.category in categories():
        parameters = load_category(timetable.category).recipe.parameters
        if "motor" in parameters:
            return str(parameters["motor"])
    return next((name for _, values in motors for name in values), "")


def write_signals(file: Path, signals: Signals) -> None:
    """Every array of the signals under its own name."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{f.name: getattr(signals, f.name) for f in dataclasses.fields(Signals)})
    write_atomically(file, buffer.getvalue())


def read_signals(file: Path) -> Signals:
    """What ``write_signals`` wrote; BadData where it cannot be read."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            return Signals(**{f.name: archive[f.name] for f in dataclasses.fields(Signals)})
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadData(f"{file}: {why(error)}") from error


def signals_present(signals: Signals) -> tuple[str, ...]:
    """Which signals hold at least one number: joints, gripper, wrench, motor."""
    arrays = {
        "joints": signals.joint_positions_rad, "gripper": signals.gripper_opening_m,
        "wrench": signals.wrench, "motor": signals.motor,
    }
    return tuple(name for name, values in arrays.items() if np.isfinite(values).any())
