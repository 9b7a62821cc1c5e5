"""What interactions with the arm share: places in the world, and a sequence that checks each step as it is added."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated

import numpy as np
import pydantic

from physad_ros.core.catalogue import Category, Fixture
from physad_ros.core.errors import Impossible
from physad_ros.core.types import FPS, Drive, Floats, Grip, Move, Program, Step, Wait, World
from physad_ros.interactions.base import Interaction, Number, Positive, Vector, check_start, point
from physad_ros.motion import collision, gripper, trajectory, ur5

Opening = Annotated[float, pydantic.Field(ge=gripper.OPENING_MIN_M, le=gripper.OPENING_MAX_M)]
Effort = Annotated[float, pydantic.Field(gt=0, le=gripper.EFFORT_MAX_N)]

TRAVEL_SPEED = 0.5  # share of the joints' limits away from the object
LOWER_SPEED = 0.35  # and near it
GRIP_S = 0.6  # the gripper's whole stroke, with time to settle
NEAR_OBJECT_M = 0.25  # horizontally; nearer and low, the tool may stand inside the object
CLEAR_EFFORT_N = 20.0
RETREAT_S = 1.0  # unhurried, so that it can be entered from beside its path
CLEAR_M = 0.35  # above the table: over every object and fixture
PARKED_RAD = 0.05  # nearer to its place than this the arm is parked
CAMERA_M = (0.5, -0.55, 0.165)  # where it roughly stands, whatever the category

# Upright over the base: clear of everything on the table from nearly everywhere.
_UPRIGHT_LIFT_ELBOW_RAD = (-np.pi / 2, 0.0)


@dataclass(frozen=True, kw_only=True)
class ArmInteraction(Interaction):
    """An interaction in which the gripper comes from above; the fields that all of those share."""

    guard_n: Positive = 40.0  # the arm stops and holds once the tool's force has changed by this much
    yaw_rad: Number = 0.0  # of the tool's x against the object's; fingers open along the tool's y
    approach_m: Positive = 0.08  # straight down onto the object and up from it

    def tool_pose(self, fixture: Fixture, at_m: Vector) -> Floats:
        """Pose of the tcp (4, 4), pointing down, at a point of the object's frame."""
        yaw = fixture.yaw_rad + self.yaw_rad
        c, s = np.cos(yaw), np.sin(yaw)
        pose = np.eye(4)
        pose[:3, :3] = [[c, s, 0], [s, -c, 0], [0, 0, -1]]  # turned by yaw after half a turn about x
        pose[:3, 3] = point(fixture, at_m)
        return pose


@dataclass(frozen=True, kw_only=True)
class Grasp(ArmInteraction):
    """An interaction that takes a part between the fingers, moves it, and lets it go where it was."""

    grip_m: Vector  # where the middle between the fingertips goes
    open_m: Opening = 0.04  # around the part, before and after
    closed_m: Opening = 0.0  # commanded while holding; the effort limit lets the part keep the fingers apart
    effort_n: Effort = 20.0

    def taken(self, category: Category, start_rad: Floats) -> Sequence:
        """From ``start_rad`` to the part being held, a whole number of frames after the beginning."""
        above = self.tool_pose(category.fixture, self.grip_m)
        above[2, 3] += self.approach_m
        steps = Sequence(self.world(category), start_rad, self.open_m)
        steps.grip("approach", self.open_m, CLEAR_EFFORT_N)
        steps.rise("approach", category.fixture, above[2, 3])
        steps.travel("approach", ur5.nearest(above, ur5.HOME))
        steps.line("lower", np.array([0.0, 0.0, -self.approach_m]), guard_n=self.guard_n)
        steps.grip("grip", self.closed_m, self.effort_n, holds=True)
        steps.settle("grip")
        return steps

    def let_go(self, held: Sequence) -> Sequence:
        """From the part being held to the arm parked."""
        steps = held.following()
        steps.grip("release", self.open_m, CLEAR_EFFORT_N)
        steps.line("retreat", np.array([0.0, 0.0, self.approach_m]), RETREAT_S)
        steps.travel("home", ur5.HOME)
        return steps


def park(start_rad: Floats, opening_m: float) -> Program | None:
    """From wherever a fault has left the arm to where the camera does not see it; None if it is there already.

    It knows of no object, so it lets go, if the fingers are closer together than a part is wide, and rises straight before it turns away.

    Raises:
        Impossible: no way that is free of collisions.
    """
    if np.abs(check_start(start_rad) - ur5.HOME).max() < PARKED_RAD:
        return None
    steps = Sequence(collision.rig(CAMERA_M), start_rad, max(opening_m, Grasp.open_m))
    if opening_m < Grasp.open_m:
        steps.grip("park", Grasp.open_m, CLEAR_EFFORT_N)
    steps.up_to("park", CLEAR_M)
    steps.travel("park", ur5.HOME)
    return Program("", "", "park", tuple(steps.steps), window_begin_s=0.0, frames=0, world=steps.world)


class Sequence:
    """Steps one after another from where the arm stands; a motion that is impossible is refused as it is added."""

    def __init__(self, world: World, start_rad: Floats, opening_m: float):
        self.world = world
        self.at_rad = check_start(start_rad)
        self.opening_m = opening_m
        self.steps: list[Step] = []
        hit = collision.first_hit(world, self.at_rad[None], opening_m)
        if hit:
            raise Impossible(f"the arm stands in collision: its {hit[1]} is in the {hit[2]}; move it away by hand")

    def following(self) -> Sequence:
        """An empty sequence that goes on where this one ends."""
        return Sequence(self.world, self.at_rad, self.opening_m)

    def add(self, move: Move) -> None:
        """A motion that begins where the last one ended."""
        trajectory.check(move)
        collision.check(self.world, move, self.opening_m)
        self.steps.append(move)
        self.at_rad = move.positions_rad[-1]

    def rise(self, phase: str, fixture: Fixture, height_m: float) -> None:
        """Straight up to ``height_m`` above the table if the tool stands low beside the object, as after a stop midway.

        Where the arm cannot rise straight it stays, and the checks of what follows decide.
        """
        x, y, _ = ur5.forward_tcp(self.at_rad)[:3, 3]
        if np.hypot(x - fixture.position_m[0], y - fixture.position_m[1]) <= NEAR_OBJECT_M:
            self.up_to(phase, height_m)

    def up_to(self, phase: str, height_m: float) -> None:
        """Straight up to ``height_m`` above the table where the arm can; otherwise it stays."""
        z = ur5.forward_tcp(self.at_rad)[2, 3]
        if z < height_m - 1e-3:
            with suppress(Impossible):
                self.line(phase, np.array([0.0, 0.0, height_m - z]))

    def travel(self, phase: str, goal_rad: Floats) -> None:
        """Through joint space to ``goal_rad``: directly, or where that hits something by way of a raised arm."""
        upright = self.at_rad.copy()
        upright[1:3] = _UPRIGHT_LIFT_ELBOW_RAD
        reason: Impossible | None = None
        for via in ([], [ur5.HOME], [upright], [upright, ur5.HOME]):
            begin = len(self.steps), self.at_rad
            try:
                for q in (*via, goal_rad):
                    self.add(trajectory.to_joints(phase, self.at_rad, q, speed=TRAVEL_SPEED))
                return
            except Impossible as error:
                reason = reason or error
                del self.steps[begin[0] :]
                self.at_rad = begin[1]
        assert reason is not None
        raise reason

    def line(self, phase: str, offset_m: Floats, duration_s: float | None = None, guard_n: float | None = None) -> None:
        """The tcp goes straight by ``offset_m`` (3,)."""
        speed = LOWER_SPEED if duration_s is None else 1.0  # at 1, limits alone say which durations are too short
        move = trajectory.line(phase, self.at_rad, offset_m, speed=speed, duration_s=duration_s)
        self.add(replace(move, guard_n=guard_n))

    def arc(
        self, phase: str, centre_m: Floats, axis: Floats, angle_rad: float, duration_s: float, guard_n: float
    ) -> None:
        """The tcp turns about an axis, its orientation with it."""
        move = trajectory.arc(phase, self.at_rad, centre_m, axis, angle_rad, speed=1.0, duration_s=duration_s)
        self.add(replace(move, guard_n=guard_n))

    def grip(self, phase: str, opening_m: float, effort_n: float, holds: bool = False) -> None:
        """The gripper goes to an opening; with ``holds`` it must end on an object."""
        self.steps.append(Grip(phase, GRIP_S, opening_m, effort_n, holds))
        self.opening_m = opening_m

    def wait(self, phase: str, duration_s: float) -> None:
        """Nothing moves."""
        self.steps.append(Wait(phase, duration_s))

    def drive(self, phase: str, duration_s: float, motor: str, velocity_rad_s: float, ramp_s: float = 0.0) -> None:
        """A motor turns."""
        self.steps.append(Drive(phase, duration_s, motor, velocity_rad_s, ramp_s))

    def settle(self, phase: str) -> None:
        """Wait, a frame at least, for a whole number of frames since the beginning: the window begins with a frame."""
        lasts = sum(step.duration_s for step in self.steps)
        self.wait(phase, (ceil(lasts * FPS - 1e-6) + 1) / FPS - lasts)
