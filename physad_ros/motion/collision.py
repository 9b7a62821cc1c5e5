"""Whether the arm hits something: links as capsules, gripper as boxes, surroundings as boxes, checked by coal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import ceil
from typing import Final

import coal
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import Impossible
from physad_ros.core.types import Box, Floats, Move, World
from physad_ros.motion import gripper, ur5
from physad_ros.motion.trajectory import sample

_BASE, _SHOULDER, _UPPER, _FOREARM, _WRIST1, _WRIST2, _WRIST3 = range(7)  # base_link, then as in ur5.link_poses


def rig(camera_m: tuple[float, float, float]) -> World:
    """The rig without an object: table, backdrop, the two line lights, the camera on its post."""
    x, y, z = camera_m
    return World(
        (
            Box("table", (0.4, 0.0, -0.05), (2.0, 2.0, 0.1)),
            Box("backdrop", (0.5, 0.36, 0.4), (1.6, 0.02, 0.8)),
            Box("left light", (0.16, -0.30, 0.20), (0.054, 0.05, 0.40), 0.7),
            Box("right light", (0.84, -0.30, 0.20), (0.054, 0.05, 0.40), -0.7),
            Box("camera", (x, y - 0.04, z), (0.06, 0.12, 0.06)),
            Box("camera post", (x, y - 0.04, z / 2), (0.03, 0.03, z)),
        )
    )


@dataclass(frozen=True, eq=False)  # hashed by identity: it holds arrays
class _Body:
    """A part of the arm: a shape fixed to a frame."""

    name: str
    frame: int
    shape: coal.CollisionGeometry
    pose: Floats  # (4, 4) in the frame
    half_m: Floats  # (3,) of the box around the shape, along the shape's axes
    is_finger: bool = False


def _capsule(name: str, frame: int, begin: tuple[float, ...], end: tuple[float, ...], radius: float) -> _Body:
    a, b = np.array(begin), np.array(end)
    length = float(np.linalg.norm(b - a))
    z = (b - a) / length
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    pose[:3, 3] = (a + b) / 2
    return _Body(name, frame, coal.Capsule(radius, length), pose, np.array([radius, radius, length / 2 + radius]))


def _box(name: str, centre: tuple[float, ...], size: tuple[float, ...], is_finger: bool = False) -> _Body:
    pose = np.eye(4)
    pose[:3, 3] = centre
    return _Body(name, _WRIST3, coal.Box(*size), pose, np.array(size) / 2, is_finger)


# Capsules around the maker's meshes, in the links' own frames; a link's end cap reaches beyond the next joint's axis.
_ARM: Final = (
    _capsule("base", _BASE, (0, 0, 0.0), (0, 0, 0.06), 0.075),
    _capsule("shoulder", _SHOULDER, (0, 0, -0.02), (0, 0, 0.035), 0.067),
    _capsule("shoulder hub", _UPPER, (0, 0, 0.07), (0, 0, 0.18), 0.063),
    _capsule("upper arm", _UPPER, (0, 0, 0.136), (-0.425, 0, 0.136), 0.060),
    _capsule("elbow hub", _FOREARM, (0, 0, 0.175), (0, 0, 0.0165), 0.064),
    _capsule("forearm", _FOREARM, (0, 0, 0.0165), (-0.392, 0, 0.0165), 0.050),
    _capsule("wrist 1", _WRIST1, (0, 0, -0.125), (0, 0, 0.005), 0.045),
    _capsule("wrist 1 cap", _WRIST1, (0, 0, 0), (0, 0.03, 0), 0.046),
    _capsule("wrist 2", _WRIST2, (0, 0, -0.085), (0, 0, 0.005), 0.042),
    _capsule("wrist 2 cap", _WRIST2, (0, 0, 0), (0, -0.03, 0), 0.046),
    _capsule("wrist 3", _WRIST3, (0, 0, -0.060), (0, 0, -0.025), 0.045),
)
_GRIPPER: Final = (
    _box("gripper", gripper.BODY_CENTRE_M, gripper.BODY_SIZE_M),
    _box("gripper", (0, 0, 0.123), (0.050, 0.080, 0.012)),  # the fingers' roots and their slide
)
_STEP_RAD: Final = 0.015  # no joint moves further between two checks
_FINGERS: Final = ("left finger", "right finger")
_TABLE_FREE: Final = (_BASE, _SHOULDER)  # these stand on the table and cannot reach anything else
# Pairs of frames whose bodies can meet: neighbours in the chain touch by construction.
_SELF_FRAMES: Final = frozenset(
    (a, b) for a, b in combinations(range(7), 2) if b - a >= 2 and (a, b) not in {(_BASE, _UPPER), (_WRIST1, _WRIST3)}
)
_NEVER_MEET: Final = ("forearm", "wrist 2")  # this turns around wrist 1 beside the forearm


@lru_cache(maxsize=64)
def _bodies(opening_m: float) -> tuple[_Body, ...]:
    fingers = (
        _box(name, centre, gripper.FINGER_SIZE_M, is_finger=True)
        for name, centre in zip(_FINGERS, gripper.finger_centres_m(opening_m), strict=True)
    )
    return (*_ARM, *_GRIPPER, *fingers)


@lru_cache(maxsize=64)
def _placed(world: World) -> tuple[list[tuple[coal.CollisionGeometry, coal.Transform3s]], Floats, Floats]:
    """Shapes with poses, and the axis-parallel boxes' centres and half sizes (O, 3)."""
    shapes, halves = [], []
    for box in world.boxes:
        c, s = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        shapes.append((coal.Box(*box.size_m), coal.Transform3s(turn, np.array(box.centre_m))))
        halves.append(np.abs(turn) @ (np.array(box.size_m) / 2))
    return shapes, np.array([b.centre_m for b in world.boxes]).reshape(-1, 3), np.array(halves).reshape(-1, 3)


def _body_poses(bodies: tuple[_Body, ...], positions_rad: Floats) -> Floats:
    """Poses of the bodies' shapes in base_link: (N, 6) -> (N, B, 4, 4)."""
    links = ur5.link_poses(positions_rad)
    frames = np.concatenate([np.broadcast_to(np.eye(4), (len(links), 1, 4, 4)), links], axis=1)
    return np.asarray(frames[:, [b.frame for b in bodies]] @ np.array([b.pose for b in bodies]), dtype=float)


def first_hit(world: World, positions_rad: Floats, opening_m: float) -> tuple[int, str, str] | None:
    """The first of configurations (N, 6) that is in collision: its index and what meets what; None if all are free."""
    bodies = _bodies(round(opening_m, 4))
    poses = _body_poses(bodies, positions_rad)
    centres = poses[..., :3, 3]  # (N, B, 3)
    halves = np.einsum("nbij,bj->nbi", np.abs(poses[..., :3, :3]), np.array([b.half_m for b in bodies]))
    hits = [_first_obstacle(world, bodies, poses, centres, halves), _first_self(bodies, poses, centres, halves)]
    return min((h for h in hits if h), key=lambda h: h[0], default=None)


def _overlap(centre_a: Floats, half_a: Floats, centre_b: Floats, half_b: Floats) -> NDArray[np.bool_]:
    return np.asarray((np.abs(centre_a - centre_b) <= half_a + half_b).all(axis=-1))


def _first_obstacle(
    world: World, bodies: tuple[_Body, ...], poses: Floats, centres: Floats, halves: Floats
) -> tuple[int, str, str] | None:
    shapes, box_centres, box_halves = _placed(world)
    allowed = np.array([[b.frame in _TABLE_FREE or (b.is_finger and box.touch) for box in world.boxes] for b in bodies], dtype=bool)
    near = _overlap(centres[:, :, None], halves[:, :, None], box_centres, box_halves) & ~allowed  # (N, B, O)
    for n, b, o in np.argwhere(near):
        if _meet(bodies[b].shape, _transform(poses[n, b]), *shapes[o]):
            return int(n), bodies[b].name, world.boxes[o].name
    return None


@lru_cache(maxsize=64)
def _self_pairs(bodies: tuple[_Body, ...]) -> NDArray[np.int64]:
    named = combinations(enumerate(bodies), 2)
    may_meet = (
        (i, j) for (i, a), (j, b) in named if (a.frame, b.frame) in _SELF_FRAMES and (a.name, b.name) != _NEVER_MEET
    )
    return np.array(list(may_meet))


def _first_self(
    bodies: tuple[_Body, ...], poses: Floats, centres: Floats, halves: Floats
) -> tuple[int, str, str] | None:
    pairs = _self_pairs(bodies)  # (P, 2)
    a, b = pairs.T
    for n, p in np.argwhere(_overlap(centres[:, a], halves[:, a], centres[:, b], halves[:, b])):
        i, j = pairs[p]
        if _meet(bodies[i].shape, _transform(poses[n, i]), bodies[j].shape, _transform(poses[n, j])):
            return int(n), bodies[j].name, bodies[i].name
    return None


def _transform(pose: Floats) -> coal.Transform3s:
    return coal.Transform3s(pose[:3, :3], pose[:3, 3])


def _meet(a: coal.CollisionGeometry, at_a: coal.Transform3s, b: coal.CollisionGeometry, at_b: coal.Transform3s) -> bool:
    return bool(coal.collide(a, at_a, b, at_b, coal.CollisionRequest(), coal.CollisionResult()))


def check(world: World, move: Move, opening_m: float) -> None:
    """Refuse a motion that hits something.

    Raises:
        Impossible: names the phase, the part of the arm, what it hits and when.
    """
    way = np.concatenate([[0.0], np.abs(np.diff(move.positions_rad, axis=0)).max(axis=1).cumsum()])
    times = np.interp(np.linspace(0.0, way[-1], ceil(way[-1] / _STEP_RAD) + 2), way, move.times_s)
    hit = first_hit(world, sample(move, times)[0], opening_m)
    if hit:
        n, part, thing = hit
        raise Impossible(f"{move.phase}: the {part} would hit the {thing} {times[n]:.2f} s into the motion")
