"""Paths of the tcp, and the arm's joints along them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Floats
from physad_ros.motion import ur5

_BRANCH_JUMP_RAD = 0.6  # between neighbouring samples of a path; more is another arm posture, not a motion
_STEP = 1e-4  # of the parameter, for derivatives along a path

# Parameter (N,), from 0 to 1 and a little beyond, to poses (N, 4, 4) of the tcp in base_link.
Path = Callable[[Floats], Floats]


def straight(begin: Floats, offset_m: Floats) -> Path:
    """From the pose ``begin`` (4, 4) by ``offset_m`` (3,), orientation kept."""

    def path(s: Floats) -> Floats:
        poses: Floats = np.broadcast_to(begin, (len(s), 4, 4)).copy()
        poses[:, :3, 3] += s[:, None] * offset_m
        return poses

    return path


def turning(begin: Floats, centre_m: Floats, unit: Floats, angle_rad: float) -> Path:
    """From the pose ``begin`` (4, 4) about the line through ``centre_m`` along ``unit``, its orientation with it."""
    lever = begin[:3, 3] - centre_m

    def path(s: Floats) -> Floats:
        turns = _turns(unit, s * angle_rad)
        poses: Floats = np.broadcast_to(np.eye(4), (len(s), 4, 4)).copy()
        poses[:, :3, :3] = turns @ begin[:3, :3]
        poses[:, :3, 3] = centre_m + turns @ lever
        return poses

    return path


def _turns(unit: Floats, angles_rad: Floats) -> Floats:
    """Rotations about ``unit`` (Rodrigues): (N,) -> (N, 3, 3)."""
    x, y, z = unit
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angles_rad)[:, None, None], np.cos(angles_rad)[:, None, None]
    return np.asarray(np.eye(3) + s * k + (1 - c) * (k @ k), dtype=float)


def follow(phase: str, path: Path, s: Floats, start_rad: Floats) -> Floats:
    """Joint positions (N, 6) along the path, each the solution nearest to the one before; Impossible off the reach."""
    out = np.empty((len(s), 6))
    q = np.asarray(start_rad, dtype=float)
    for i, pose in enumerate(path(s)):
        try:
            new = ur5.nearest(pose, q)
        except Impossible as error:
            raise Impossible(f"{phase}: {error}") from None
        if np.abs(new - q).max() > _BRANCH_JUMP_RAD:
            joint = int(np.abs(new - q).argmax())
            raise Impossible(f"{phase}: the path runs through a singularity, where {ur5.JOINTS[joint]} would jump")
        out[i] = q = new
    return out


def rates(path: Path, s: Floats, positions: Floats) -> Floats:
    """Change of each joint per unit of the path's parameter: (N, 6), through the Jacobian."""
    before, after = path(s - _STEP), path(s + _STEP)  # paths go on smoothly beyond their ends
    linear = (after[:, :3, 3] - before[:, :3, 3]) / (2 * _STEP)
    spin = np.einsum("nij,nkj->nik", after[:, :3, :3] - before[:, :3, :3], path(s)[:, :3, :3]) / (2 * _STEP)
    angular = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
    twist = np.concatenate([linear, angular], axis=1)
    try:
        return np.linalg.solve(ur5.jacobian_tcp(positions), twist[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise Impossible("the path runs through a singularity of the arm") from None
