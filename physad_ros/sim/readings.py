"""What the rig reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import FPS, Floats


@dataclass(frozen=True)
class JointState:
    """As the encoders say. Arm in the order of ur5.JOINTS; opening between the fingers' inner faces."""

    positions_rad: Floats  # (6,)
    velocities_rad_s: Floats  # (6,)
    efforts_nm: Floats  # (6,)
    opening_m: float
    opening_m_s: float
    grip_n: float


@dataclass(frozen=True)
class MotorState:
    """Of one motor or servo."""

    position_rad: float
    velocity_rad_s: float
    torque_nm: float


@dataclass(frozen=True)
class Frame:
    """What the camera delivers."""

    stamp_ns: int  # exposure
    picture: NDArray[np.uint8]  # (H, W, 3) BGR

    @property
    def stamp_s(self) -> float:
        return self.stamp_ns * 1e-9


def frame_stamp_ns(k: int) -> int:
    """Exposure of frame k since the rig's clock began."""
    return round(k * 1_000_000_000 / FPS)
