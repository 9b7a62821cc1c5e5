"""The UR5: joints, limits, forward kinematics, all analytic inverse solutions, Jacobian.

Frames are ROS's (ur_description): ``base_link`` is the world, x forward and z up; the maker's own ``base`` is
half a turn about z from it. ``tool0`` is the flange, z out of it; ``tcp`` lies between the gripper's fingertips.
Poses are 4x4 homogeneous matrices; joint vectors follow JOINTS, in radians.
"""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Floats
from physad_ros.motion import gripper
from physad_ros.motion.inverse import solutions

JOINTS: Final = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
POSITION_MAX_RAD: Final = np.array([2 * pi, 2 * pi, pi, 2 * pi, 2 * pi, 2 * pi])  # (6,) to both sides
VELOCITY_MAX_RAD_S: Final = np.full(6, pi)
# The maker states speed only. These are what the arm follows without a protective stop at small payloads.
ACCELERATION_MAX_RAD_S2: Final = np.array([5.0, 5.0, 5.0, 8.0, 8.0, 8.0])
JERK_MAX_RAD_S3: Final = np.array([60.0, 60.0, 60.0, 120.0, 120.0, 120.0])

# Where each joint sits in the link before it at zero: xyz [m], roll pitch yaw [rad] (ur_description, ur5).
ORIGINS: Final = (
    ((0.0, 0.0, 0.089159), (0.0, 0.0, pi)),
    ((0.0, 0.0, 0.0), (pi / 2, 0.0, 0.0)),
    ((-0.425, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ((-0.39225, 0.0, 0.10915), (0.0, 0.0, 0.0)),
    ((0.0, -0.09465, 0.0), (pi / 2, 0.0, 0.0)),
    ((0.0, 0.0823, 0.0), (pi / 2, pi, pi)),
)

# Parked: upper arm leaning back, forearm over the base, tool pointing down 0.4 m above the table, out of pictures.
HOME: Final = np.array([-0.22, -2.0, 1.2, -pi / 2 + 0.8, -pi / 2, -0.22 - pi / 2])
HOME.setflags(write=False)

TOOL0_TO_TCP: Final = np.eye(4)
TOOL0_TO_TCP[2, 3] = gripper.TCP_OFFSET_M
_TCP_TO_TOOL0: Final = np.linalg.inv(TOOL0_TO_TCP)
_BASE_LINK_TO_BASE: Final = np.diag([-1.0, -1.0, 1.0, 1.0])  # its own inverse


def _rotation(roll: float, pitch: float, yaw: float) -> Floats:
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=float)


def _origin(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> Floats:
    pose = np.eye(4)
    pose[:3, :3] = _rotation(*rpy)
    pose[:3, 3] = xyz
    return pose


_ORIGIN_POSES: Final = tuple(_origin(xyz, rpy) for xyz, rpy in ORIGINS)


def link_poses(positions_rad: Floats) -> Floats:
    """Poses in base_link of shoulder, upper arm, forearm, wrist 1, 2, 3: (..., 6) -> (..., 6, 4, 4)."""
    q = np.asarray(positions_rad, dtype=float)
    c, s = np.cos(q), np.sin(q)
    out = np.empty((*q.shape, 4, 4))
    parent: Floats | None = None
    for i, origin in enumerate(_ORIGIN_POSES):
        at = np.broadcast_to(origin, (*q.shape[:-1], 4, 4)) if parent is None else parent @ origin
        ci, si = c[..., i, None], s[..., i, None]
        link = out[..., i, :, :]
        link[..., :, 0] = ci * at[..., :, 0] + si * at[..., :, 1]  # turning about the link's own z
        link[..., :, 1] = ci * at[..., :, 1] - si * at[..., :, 0]
        link[..., :, 2:] = at[..., :, 2:]
        parent = link
    return out


def forward(positions_rad: Floats) -> Floats:
    """Pose of tool0 in base_link: (..., 6) -> (..., 4, 4)."""
    return link_poses(positions_rad)[..., 5, :, :]


def forward_tcp(positions_rad: Floats) -> Floats:
    """Pose of the tcp in base_link: (..., 6) -> (..., 4, 4)."""
    return forward(positions_rad) @ TOOL0_TO_TCP


def jacobian_tcp(positions_rad: Floats) -> Floats:
    """Geometric Jacobian of the tcp in base_link, linear rows first: (..., 6) -> (..., 6, 6)."""
    poses = link_poses(positions_rad)  # (..., 6, 4, 4)
    axes = poses[..., :3, 2]  # (..., 6, 3)
    tcp = (poses[..., 5, :, :] @ TOOL0_TO_TCP)[..., None, :3, 3]
    linear = np.cross(axes, tcp - poses[..., :3, 3])
    return np.swapaxes(np.concatenate([linear, axes], axis=-1), -1, -2)


def inverse(tool0: Floats) -> list[Floats]:
    """All joint vectors, at most eight, angles in [-pi, pi], that bring tool0 to this pose; empty out of reach."""
    return solutions(_BASE_LINK_TO_BASE @ tool0)


def inverse_tcp(tcp: Floats) -> list[Floats]:
    """All joint vectors, at most eight, that bring the tcp to this pose; empty out of reach."""
    return inverse(tcp @ _TCP_TO_TOOL0)


def nearest(tcp: Floats, seed_rad: Floats) -> Floats:
    """The solution within limits whose joints are least far from ``seed_rad``; full turns are used where they help.

    Raises:
        Impossible: the pose is out of reach.
    """
    solutions = inverse_tcp(tcp)
    if not solutions:
        x, y, z = tcp[:3, 3]
        raise Impossible(f"the tool cannot reach ({x:.3f}, {y:.3f}, {z:.3f}) m in this orientation")
    q = np.array(solutions)  # (S, 6)
    q += 2 * pi * np.round((seed_rad - q) / (2 * pi))
    q -= 2 * pi * np.sign(q) * (np.abs(q) > POSITION_MAX_RAD)
    return np.asarray(q[np.argmin(np.abs(q - seed_rad).max(axis=1))], dtype=float)
