"""Jerk-limited motions: point to point in joint space, lines and arcs of the tcp; sampled, and entered midway.

A motion is core's Move: waypoints about PERIOD_S apart with velocities, between which the arm's trajectory controller
runs cubics. Every motion begins and ends at rest. ``speed`` is a share of the joints' limits, 0 to 1.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
import ruckig

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Floats, Move
from physad_ros.motion import path as paths
from physad_ros.motion import ur5
from physad_ros.motion.limits import check, check_limit, excess, is_within

__all__ = ["PERIOD_S", "along", "arc", "check", "entered_from", "line", "sample", "to_joints"]

PERIOD_S = 0.02
TOOL_SPEED_MAX_M_S = 0.25  # on lines and arcs, the usual limit near people
_PATH_KNOTS = 9  # where a path's demands on the joints are taken
_MERGE_S = (0.15, 0.3, 0.6)  # half of how long an entered motion takes to be in step; the first within limits


def to_joints(
    phase: str, start_rad: Floats, goal_rad: Floats, *, speed: float = 0.5, duration_s: float | None = None
) -> Move:
    """Time-optimal motion, all joints in phase; stretched to ``duration_s`` where that is given.

    Raises:
        Impossible: a start or goal that is not finite or outside limits, or ``duration_s`` too short.
    """
    for name, q in (("start", start_rad), ("goal", goal_rad)):
        if not np.isfinite(q).all():
            raise Impossible(f"{phase}: the {name} is not a number: {np.asarray(q).tolist()}")
        check_limit(phase, f"{name} position", "rad", np.abs(q)[None], ur5.POSITION_MAX_RAD)
    if np.abs(np.asarray(goal_rad) - start_rad).max() < 1e-9:
        times = np.array([0.0, duration_s or PERIOD_S])
        return Move(phase, times, np.stack([start_rad, start_rad]), np.zeros((2, 6)))
    way = np.asarray(goal_rad) - start_rad
    times, s, s_rate = _profile(way, speed)
    return _stretched(Move(phase, times, start_rad + s * way, s_rate * way), duration_s)


def line(
    phase: str, start_rad: Floats, offset_m: Floats, *, speed: float = 0.5, duration_s: float | None = None
) -> Move:
    """The tcp goes straight by ``offset_m`` (3,) in base_link, orientation kept.

    Raises:
        Impossible: the line leaves the reach or the limits, or ``duration_s`` is too short.
    """
    offset = np.asarray(offset_m, dtype=float)
    path = paths.straight(ur5.forward_tcp(start_rad), offset)
    return along(phase, path, start_rad, length_m=float(np.linalg.norm(offset)), speed=speed, duration_s=duration_s)


def arc(
    phase: str,
    start_rad: Floats,
    centre_m: Floats,
    axis: Floats,
    angle_rad: float,
    *,
    speed: float = 0.5,
    duration_s: float | None = None,
) -> Move:
    """The tcp turns about a line through ``centre_m`` along ``axis`` (base_link), its orientation with it.

    Raises:
        Impossible: the arc leaves the reach or the limits, or ``duration_s`` is too short.
    """
    begin = ur5.forward_tcp(start_rad)
    unit = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    radius = float(np.linalg.norm(np.cross(unit, begin[:3, 3] - centre_m)))
    path = paths.turning(begin, centre_m, unit, angle_rad)
    return along(phase, path, start_rad, length_m=radius * abs(angle_rad), speed=speed, duration_s=duration_s)


def along(
    phase: str,
    path: paths.Path,
    start_rad: Floats,
    *,
    length_m: float,
    speed: float = 0.5,
    duration_s: float | None = None,
) -> Move:
    """The tcp follows ``path`` by a jerk-limited profile, as fast as the joints and TOOL_SPEED_MAX_M_S let it.

    Raises:
        Impossible: see ``line``.
    """
    knots = np.linspace(0.0, 1.0, _PATH_KNOTS)
    rate = np.abs(paths.rates(path, knots, paths.follow(phase, path, knots, start_rad))).max(axis=0)  # (6,)
    times, s, s_rate = _profile(rate, speed, TOOL_SPEED_MAX_M_S / max(length_m, 1e-9))
    positions = paths.follow(phase, path, s[:, 0], start_rad)
    move = Move(phase, times, positions, paths.rates(path, s[:, 0], positions) * s_rate)
    return _stretched(_slowed(move, excess(move)), duration_s)  # the path's curvature asks for more than its slope


def sample(move: Move, t_s: Floats | float) -> tuple[Floats, Floats]:
    """Positions and velocities at times since the step's begin: () or (N,) -> (6,) or (N, 6) each.

    Cubic between waypoints, as a joint trajectory controller does; before and after the motion the arm stands.
    """
    times, scalar = move.times_s, np.ndim(t_s) == 0
    t = np.clip(np.atleast_1d(np.asarray(t_s, dtype=float)), times[0], times[-1])
    i = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
    h = (times[i + 1] - times[i])[:, None]
    u = (t - times[i])[:, None] / h
    p0, p1 = move.positions_rad[i], move.positions_rad[i + 1]
    m0, m1 = h * move.velocities_rad_s[i], h * move.velocities_rad_s[i + 1]
    c3, c2 = 2 * (p0 - p1) + m0 + m1, 3 * (p1 - p0) - 2 * m0 - m1
    positions = ((c3 * u + c2) * u + m0) * u + p0
    velocities = ((3 * c3 * u + 2 * c2) * u + m0) / h
    return (positions[0], velocities[0]) if scalar else (positions, velocities)


def entered_from(move: Move, at_rad: Floats) -> Move:
    """The same motion for an arm that stands at ``at_rad``, e.g. where a force guard stopped it; same duration and end.

    The path before its point nearest to the arm is left out: the arm holds until about that point's time, takes up the
    path's speed around it, and from then on is where the motion would have it at every instant. What the arm stands
    beside the path is made up for smoothly in the later half, so that a retreat first leaves as it was planned to.
    Where the arm stands too near to an end of the path to take up speed, it counts as beside that end; and where
    joining the path is beyond the limits, the arm goes straight to its end through joint space.

    Raises:
        Impossible: the arm stands too far away to reach even the path's end in the motion's time.
    """
    q = np.asarray(at_rad, dtype=float)
    if not np.isfinite(q).all():
        raise Impossible(f"{move.phase}: the arm's position is not a number: {q.tolist()}")
    end, near = move.duration_s, _nearest_time(move, q)
    if np.abs(q - move.positions_rad[0]).max() < 1e-9:
        return move
    room = min(near, end - near)
    entries = [_entered(move, q, near, min(merge, room)) for merge in _MERGE_S if room > 0]
    entries.append(_entered(move, q, 0.0 if near < end / 2 else end, 0.0))
    for entered in entries:
        if is_within(entered):
            return entered
    straight = to_joints(move.phase, q, move.positions_rad[-1], speed=1.0, duration_s=end)
    return replace(straight, guard_n=move.guard_n)


def _entered(move: Move, q: Floats, near_s: float, merge_s: float) -> Move:
    end = move.duration_s
    t = np.linspace(0.0, end, max(ceil(end / PERIOD_S), 2) + 1)
    path_time, path_rate = _take_up(t, near_s, merge_s)
    positions, velocities = sample(move, path_time)
    offset = q - sample(move, near_s)[0]
    late = np.clip(2 * t / end - 1, 0.0, 1.0)[:, None]
    left = 1 - late**3 * (10 - 15 * late + 6 * late**2)
    left_rate = -60 / end * late**2 * (1 - late) ** 2
    return replace(
        move,
        times_s=t,
        positions_rad=positions + left * offset,
        velocities_rad_s=velocities * path_rate[:, None] + left_rate * offset,
    )


def _take_up(t: Floats, near_s: float, half_s: float) -> tuple[Floats, Floats]:
    """Time on the path and its rate at times ``t``: stands at ``near_s``, then runs with ``t``; smooth between."""
    if half_s == 0:  # at an end of the path, which is at rest
        return np.maximum(t, near_s), np.ones(len(t))
    u = np.clip((t - near_s + half_s) / (2 * half_s), 0.0, 1.0)
    merging = near_s + 2 * half_s * (u**3 - u**4 / 2)  # integral of the rate
    return np.where(u >= 1, t, merging), u * u * (3 - 2 * u)


def _nearest_time(move: Move, q: Floats) -> float:
    """When the motion first comes nearest to ``q``, to a fraction of a waypoint's span."""
    t = np.linspace(0.0, move.duration_s, 8 * (len(move.times_s) - 1) + 1)
    distance = np.linalg.norm(sample(move, t)[0] - q, axis=1)
    return float(t[np.argmin(distance)])


def _slowed(move: Move, factor: float) -> Move:
    return replace(move, times_s=move.times_s * factor, velocities_rad_s=move.velocities_rad_s / factor)


def _stretched(move: Move, duration_s: float | None) -> Move:
    """The motion in exactly ``duration_s``, or as it is."""
    if duration_s is None:
        return move
    if duration_s < move.duration_s - 1e-9:
        least = move.duration_s
        raise Impossible(f"{move.phase}: takes at least {least:.3f} s within limits; {duration_s:.3f} s are given")
    slowed = _slowed(move, duration_s / move.duration_s)
    slowed.times_s[-1] = duration_s  # not a rounding error short
    return slowed


def _profile(rate: Floats, speed: float, rate_max: float = np.inf) -> tuple[Floats, Floats, Floats]:
    """The fastest jerk-limited run of a parameter from 0 to 1, at rest at both ends, at a share of the limits.

    All joints are in phase, whatever their limits. Joint i moves by at most ``rate[i]`` per unit of the parameter.

    Returns:
        times (N,) evenly spaced, parameter (N, 1), its rate (N, 1).
    """
    size = np.abs(rate) + 1e-9
    given = ruckig.InputParameter(1)
    given.current_position, given.target_position = [0.0], [1.0]
    given.max_velocity = [min(speed * float((ur5.VELOCITY_MAX_RAD_S / size).min()), rate_max)]
    given.max_acceleration = [speed * float((ur5.ACCELERATION_MAX_RAD_S2 / size).min())]
    given.max_jerk = [speed * float((ur5.JERK_MAX_RAD_S3 / size).min())]
    profile = ruckig.Trajectory(1)
    result = ruckig.Ruckig(1).calculate(given, profile)
    if result not in (ruckig.Result.Working, ruckig.Result.Finished):
        raise Impossible(f"no jerk-limited profile for joint rates {rate.tolist()}: {result}")
    times = np.linspace(0.0, profile.duration, max(ceil(profile.duration / PERIOD_S), 2) + 1)
    states = np.array([profile.at_time(t)[:2] for t in times.tolist()])  # (N, 2, 1)
    states[[0, -1], 1] = 0.0
    return times, states[:, 0], states[:, 1]
