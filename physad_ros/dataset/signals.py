"""Signals as a compressed NumPy archive beside the clip."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path

import numpy as np

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Signals
from physad_ros.dataset.files import write_atomically


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
