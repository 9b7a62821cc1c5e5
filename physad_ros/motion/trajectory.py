"""Jerk-limited motions: point to point in joint space, lines and arcs of the tcp; sampled, checked, and entered midway.

A motion is core's Move: waypoints about PERIOD_S apart with velocities, between which the arm's trajectory controller
runs cubics. Every motion begins and ends at rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil

import numpy as np
import ruckig

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Floats, Move
from physad_ros.motion import ur5

PERIOD_S = 0.02
TOOL_SPEED_MAX_M_S = 0.25  # of straight lines, the usual limit near people
_LIMIT_SLACK = 1.02  # of the finite differences in check(), which straddle the profile's corners
_MERGE_S = 0.15  # half the time in which an entered motion takes up its path's speed
_PATH_KNOTS = 9  # where a path's demands on the joints are taken
_BRANCH_JUMP_RAD = 0.6  # between neighbouring samples of a path; more is another arm posture, not a motion

Path = Callable[[Floats], Floats]  # (N,) parameter in [0, 1] -> (N, 4, 4) poses of the tcp in base_link


def to_joints(phase: str, start_rad: Floats, goal_rad: Floats, *, speed: float = 0.5, duration_s: float | None = None) -> Move:
    """Time-optimal motion, all joints in phase, at a share ``speed`` of the velocity limits; stretched to ``duration_s``.

    Raises:
        Impossible: a start or goal that is not finite or outside limits, or ``duration_s`` too short.
    """
    for name, q in (("start", start_rad), ("goal", goal_rad)):
        if not np.isfinite(q).all():
            raise Impossible(f"{phase}: the {name} is not a number: {np.asarray(q).tolist()}")
        _check_limit(phase, f"{name} position", "rad", np.abs(q)[None], ur5.POSITION_MAX_RAD)
    if np.abs(np.asarray(goal_rad) - start_rad).max() < 1e-9:
        duration = duration_s or PERIOD_S
        return Move(phase, np.array([0.0, duration]), np.stack([start_rad, start_rad]), np.zeros((2, 6)))
    profile = _profile(
        start_rad, goal_rad, speed * ur5.VELOCITY_MAX_RAD_S, speed * ur5.ACCELERATION_MAX_RAD_S2, speed * ur5.JERK_MAX_RAD_S3
    )
    times, positions, velocities = _sampled(profile)
    return _stretched(Move(phase, times, positions, velocities), duration_s)


def line(phase: str, start_rad: Floats, offset_m: Floats, *, speed: float = 0.5, duration_s: float | None = None) -> Move:
    """The tcp goes straight by ``offset_m`` (3,) in base_link, orientation kept.

    Raises:
        Impossible: the line leaves the reach or the limits, or ``duration_s`` is too short.
    """
    begin = ur5.forward_tcp(start_rad)
    offset = np.asarray(offset_m, dtype=float)

    def path(s: Floats) -> Floats:
        poses = np.broadcast_to(begin, (len(s), 4, 4)).copy()
        poses[:, :3, 3] += s[:, None] * offset
        return poses

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
    lever = begin[:3, 3] - centre_m

    def path(s: Floats) -> Floats:
        turn = _turns(unit, s * angle_rad)
        poses = np.broadcast_to(np.eye(4), (len(s), 4, 4)).copy()
        poses[:, :3, :3] = turn @ begin[:3, :3]
        poses[:, :3, 3] = centre_m + turn @ lever
        return poses

    radius = float(np.linalg.norm(lever - unit * (lever @ unit)))
    return along(phase, path, start_rad, length_m=radius * abs(angle_rad), speed=speed, duration_s=duration_s)


def along(
    phase: str, path: Path, start_rad: Floats, *, length_m: float, speed: float = 0.5, duration_s: float | None = None
) -> Move:
    """The tcp follows ``path``; its parameter runs by a jerk-limited profile, as fast as joints and TOOL_SPEED_MAX_M_S let it.

    Raises:
        Impossible: see ``line``.
    """
    knots = np.linspace(0.0, 1.0, _PATH_KNOTS)
    rate = np.abs(_path_rates(path, knots, _follow(phase, path, knots, start_rad))).max(axis=0) + 1e-9  # (6,) rad per unit
    v = min(speed * float((ur5.VELOCITY_MAX_RAD_S / rate).min()), TOOL_SPEED_MAX_M_S / max(length_m, 1e-9))
    a = speed * float((ur5.ACCELERATION_MAX_RAD_S2 / rate).min())
    j = speed * float((ur5.JERK_MAX_RAD_S3 / rate).min())
    times, s, s_rate = _sampled(_profile(np.zeros(1), np.ones(1), np.array([v]), np.array([a]), np.array([j])))
    s[:, 0] = np.clip(s[:, 0], 0.0, 1.0)
    positions = _follow(phase, path, s[:, 0], start_rad)
    velocities = _path_rates(path, s[:, 0], positions) * s_rate
    move = Move(phase, times, positions, velocities)
    return _stretched(_slowed(move, _excess(move)), duration_s)


def sample(move: Move, t_s: Floats | float) -> tuple[Floats, Floats]:
    """Positions and velocities at times since the step's begin: scalar or (N,) -> (6,) or (N, 6) each; held at both ends."""
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


def hold(phase: str, at_rad: Floats, duration_s: float) -> Move:
    """The arm stands."""
    q = np.asarray(at_rad, dtype=float)
    return Move(phase, np.array([0.0, duration_s]), np.stack([q, q]), np.zeros((2, 6)))


def entered_from(move: Move, at_rad: Floats) -> Move:
    """The same motion for an arm that stands at ``at_rad``, e.g. where a force guard stopped it; same duration and end.

    The path before its point nearest to the arm is left out: the arm holds until about that point's time, takes up the
    path's speed over at most 2 * _MERGE_S around it, and from then on is where the motion would have it at every instant.
    What the arm stands beside the path is made up for, smoothly, in the later half of the motion, so that a retreat
    first leaves as it was planned to.

    Raises:
        Impossible: the arm stands so far from the path that the limits do not let it join in time.
    """
    q = np.asarray(at_rad, dtype=float)
    if not np.isfinite(q).all():
        raise Impossible(f"{move.phase}: the arm's position is not a number: {q.tolist()}")
    end = move.duration_s
    t = np.linspace(0.0, end, max(ceil(end / PERIOD_S), 1) + 1)
    near = _nearest_time(move, q)
    offset = q - sample(move, near)[0]
    if near == 0.0 and np.abs(offset).max() < 1e-9:
        return move
    path_time, path_rate = _take_up(t, near, min(_MERGE_S, near, end - near))
    positions, velocities = sample(move, path_time)
    late = np.clip((t - end / 2) / (end / 2), 0.0, 1.0)[:, None]
    left = 1 - late**3 * (10 - 15 * late + 6 * late**2)
    left_rate = -30 * late**2 * (1 - late) ** 2 / (end / 2)
    entered = replace(
        move,
        times_s=t,
        positions_rad=positions + left * offset,
        velocities_rad_s=velocities * path_rate[:, None] + left_rate * offset,
    )
    check(entered)
    return entered


def check(move: Move) -> None:
    """Refuse a motion beyond the joints' limits, by finite differences; also one that is malformed or does not rest at its ends.

    Raises:
        Impossible: names the phase, the joint, the value and the limit.
    """
    t, q, v = move.times_s, move.positions_rad, move.velocities_rad_s
    if len(t) < 2 or q.shape != (len(t), 6) or v.shape != q.shape:
        raise Impossible(f"{move.phase}: a motion needs at least two waypoints of six joints; got {t.shape}, {q.shape}, {v.shape}")
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
        _check_limit(move.phase, what, unit, values, limits if what == "position" else _LIMIT_SLACK * limits)


def _check_limit(phase: str, what: str, unit: str, values: Floats, limits: Floats) -> None:
    over = values.max(axis=0) - limits
    if (over > 1e-9).any():
        i = int(np.argmax(over / limits))
        raise Impossible(
            f"{phase}: {ur5.JOINTS[i]} would need a {what} of {values[:, i].max():.3f} {unit}; the limit is {limits[i]:.3f}"
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


def _excess(move: Move) -> float:
    """By which factor the motion must last longer to keep the limits; 1 if it keeps them."""
    velocity, acceleration, jerk = (d.max(axis=0) for d in _demands(move))
    return max(
        1.0,
        float((velocity / ur5.VELOCITY_MAX_RAD_S).max()),
        float(np.sqrt((acceleration / ur5.ACCELERATION_MAX_RAD_S2).max())),
        float(np.cbrt((jerk / ur5.JERK_MAX_RAD_S3).max())),
    )


def _slowed(move: Move, factor: float) -> Move:
    return replace(move, times_s=move.times_s * factor, velocities_rad_s=move.velocities_rad_s / factor)


def _stretched(move: Move, duration_s: float | None) -> Move:
    """The motion in exactly ``duration_s``, or as it is."""
    if duration_s is None:
        return move
    if duration_s < move.duration_s - 1e-9:
        raise Impossible(f"{move.phase}: takes at least {move.duration_s:.3f} s within limits; {duration_s:.3f} s are given")
    slowed = _slowed(move, duration_s / move.duration_s)
    slowed.times_s[-1] = duration_s  # not a rounding error short
    return slowed


def _profile(start: Floats, goal: Floats, velocity: Floats, acceleration: Floats, jerk: Floats) -> ruckig.Trajectory:
    n = len(start)
    given = ruckig.InputParameter(n)
    given.current_position, given.target_position = np.asarray(start).tolist(), np.asarray(goal).tolist()
    given.max_velocity, given.max_acceleration, given.max_jerk = velocity.tolist(), acceleration.tolist(), jerk.tolist()
    given.synchronization = ruckig.Synchronization.Phase
    trajectory = ruckig.Trajectory(n)
    result = ruckig.Ruckig(n).calculate(given, trajectory)
    if result not in (ruckig.Result.Working, ruckig.Result.Finished):
        raise Impossible(f"no jerk-limited profile from {given.current_position} to {given.target_position}: {result}")
    return trajectory


def _sampled(profile: ruckig.Trajectory) -> tuple[Floats, Floats, Floats]:
    """Times (N,), positions and velocities (N, D), evenly spaced."""
    times = np.linspace(0.0, profile.duration, max(ceil(profile.duration / PERIOD_S), 2) + 1)
    states = np.array([profile.at_time(t)[:2] for t in times.tolist()])  # (N, 2, D)
    states[[0, -1], 1] = 0.0
    return times, states[:, 0], states[:, 1]


def _turns(unit: Floats, angles_rad: Floats) -> Floats:
    """Rotations about ``unit`` (Rodrigues): (N,) -> (N, 3, 3)."""
    x, y, z = unit
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angles_rad)[:, None, None], np.cos(angles_rad)[:, None, None]
    return np.asarray(np.eye(3) + s * k + (1 - c) * (k @ k), dtype=float)


def _follow(phase: str, path: Path, s: Floats, start_rad: Floats) -> Floats:
    """Joint positions (N, 6) along the path, each the solution nearest to the one before."""
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


def _path_rates(path: Path, s: Floats, positions: Floats) -> Floats:
    """Change of each joint per unit of the path's parameter: (N, 6), through the Jacobian."""
    step = 1e-4
    before, after = path(s - step), path(s + step)  # paths go on smoothly beyond their ends
    linear = (after[:, :3, 3] - before[:, :3, 3]) / (2 * step)
    spin = np.einsum("nij,nkj->nik", after[:, :3, :3] - before[:, :3, :3], path(s)[:, :3, :3]) / (2 * step)
    angular = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
    twist = np.concatenate([linear, angular], axis=1)
    try:
        return np.linalg.solve(ur5.jacobian_tcp(positions), twist[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise Impossible("the path runs through a singularity of the arm") from None


def _nearest_time(move: Move, q: Floats) -> float:
    """When the motion comes nearest to ``q``; the latest such time where it stands still."""
    t = np.linspace(0.0, move.duration_s, 4 * len(move.times_s))
    distance = np.linalg.norm(sample(move, t)[0] - q, axis=1)
    return float(t[np.flatnonzero(distance <= distance.min() + 1e-6)[0]])


def _take_up(t: Floats, near_s: float, half_s: float) -> tuple[Floats, Floats]:
    """Time on the path and its rate at times ``t``: stands at ``near_s``, then runs with ``t``, a smooth step between."""
    if half_s < 1e-6:
        moving = (t > near_s) | (near_s == 0.0)
        return np.maximum(t, near_s), moving.astype(float)
    u = np.clip((t - near_s + half_s) / (2 * half_s), 0.0, 1.0)
    rate = u * u * (3 - 2 * u)
    merging = near_s + 2 * half_s * (u**3 - u**4 / 2)  # integral of the rate
    return np.where(u >= 1, t, merging), rate
