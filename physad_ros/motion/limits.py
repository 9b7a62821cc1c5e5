"""Whether a motion keeps the joints' limits, by finite differences of its waypoints."""

from __future__ import annotations

import numpy as np

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Floats, Move
from physad_ros.motion import ur5

_SLACK = 1.02  # finite differences straddle the corners of a jerk-limited profile


def check(move: Move) -> None:
    """Refuse a motion that is malformed, does not rest at its ends, or by finite differences is beyond the limits.

    Raises:
        Impossible: names the phase, the joint, the value and the limit.
    """
    t, q, v = move.times_s, move.positions_rad, move.velocities_rad_s
    if len(t) < 2 or q.shape != (len(t), 6) or v.shape != q.shape:
        raise Impossible(f"{move.phase}: not a motion of six joints: shapes {t.shape}, {q.shape}, {v.shape}")
    if not (np.isfinite(t).all() and np.isfinite(q).all() and np.isfinite(v).all()):
        raise Impossible(f"{move.phase}: a waypoint is not a number")
    if t[0] != 0 or (np.diff(t) <= 0).any():
        raise Impossible(f"{move.phase}: times must begin at 0 and increase")
    if np.abs(v[[0, -1]]).max() > 1e-6:
        raise Impossible(f"{move.phase}: does not rest at its ends")
    velocity, acceleration, jerk = _demands(move)
    for what, unit, values, limits in (
        ("position", "rad", np.abs(q), ur5.POSITION_MAX_RAD),
        ("velocity", "rad/s", velocity, ur5.VELOCITY_MAX_RAD_S),
        ("acceleration", "rad/s^2", acceleration, ur5.ACCELERATION_MAX_RAD_S2),
        ("jerk", "rad/s^3", jerk, ur5.JERK_MAX_RAD_S3),
    ):
        check_limit(move.phase, what, unit, values, limits if what == "position" else _SLACK * limits)


def is_within(move: Move) -> bool:
    """Whether check() lets the motion pass."""
    try:
        check(move)
    except Impossible:
        return False
    return True


def check_limit(phase: str, what: str, unit: str, values: Floats, limits: Floats) -> None:
    """Impossible, with phase, joint, value and limit, where a size among ``values`` (N, 6) is above ``limits`` (6,)."""
    over = values.max(axis=0) - limits
    if (over > 1e-9).any():
        i = int(np.argmax(over / limits))
        value, limit = values[:, i].max(), limits[i]
        raise Impossible(
            f"{phase}: {ur5.JOINTS[i]} would need a {what} of {value:.3f} {unit}; the limit is {limit:.3f}"
        )


def _demands(move: Move) -> tuple[Floats, Floats, Floats]:
    """Sizes of velocity (M, 6), acceleration and jerk by finite differences; at least one row each."""
    h = np.diff(move.times_s)[:, None]
    v = move.velocities_rad_s
    middle = 1.5 * np.diff(move.positions_rad, axis=0) / h - (v[1:] + v[:-1]) / 4  # of the cubic between two waypoints
    a = np.diff(v, axis=0) / h
    padded = np.concatenate([np.zeros((1, 6)), a, np.zeros((1, 6))])  # at rest before and after
    spans = np.concatenate([h[:1], (h[1:] + h[:-1]) / 2, h[-1:]])
    return np.abs(np.concatenate([v, middle])), np.abs(a), np.abs(np.diff(padded, axis=0) / spans)


def excess(move: Move) -> float:
    """By which factor the motion must last longer to keep the limits; 1 if it keeps them."""
    velocity, acceleration, jerk = (d.max(axis=0) for d in _demands(move))
    return max(
        1.0,
        float((velocity / ur5.VELOCITY_MAX_RAD_S).max()),
        float(np.sqrt((acceleration / ur5.ACCELERATION_MAX_RAD_S2).max())),
        float(np.cbrt((jerk / ur5.JERK_MAX_RAD_S3).max())),
    )
