"""What whoever plays a program holds to, through the controllers or straight on the simulator. Pure; knows no ROS."""

from __future__ import annotations

from typing import Final

import numpy as np

from physad_ros.core.types import Drive, Floats, Grip, Move, World
from physad_ros.motion import collision
from physad_ros.motion.trajectory import entered_from

HELD_M: Final = 0.0015  # a gripper that stays this much wider than commanded holds something
PLACED_M: Final = 5 * HELD_M  # one that holds nothing stands within this of where it was sent
RAMP_HZ: Final = 120.0


def entered(move: Move, at_rad: Floats, opening_m: float, world: World) -> Move:
    """The motion for an arm that stands elsewhere than planned, with the fingers as they are; see trajectory.entered_from.

    Raises:
        Impossible: the arm is too far away, or would hit something.
    """
    made_up = entered_from(move, at_rad)
    collision.check(world, made_up, float(np.clip(opening_m, 0.0, None)))
    return made_up


def pushes(move: Move, force_n: Floats, before_n: Floats) -> bool:
    """Whether the guard stops the motion: the tool's force (3,) has changed too much since its begin."""
    return move.guard_n is not None and float(np.linalg.norm(force_n - before_n)) > move.guard_n


def missed(grip: Grip, opening_m: float) -> str:
    """What is wrong where a gripper that should hold something does not; empty if nothing."""
    if grip.holds and opening_m <= grip.opening_m + HELD_M:
        return f"{grip.phase}: the gripper closed on nothing ({1e3 * opening_m:.1f} mm)"
    return ""


def is_placed(grip: Grip, opening_m: float) -> bool:
    """Whether the fingers stand where they were sent."""
    return abs(opening_m - grip.opening_m) <= PLACED_M


def misplaced(grip: Grip, opening_m: float) -> str:
    """What is wrong where a gripper that should hold nothing does not stand where it was sent; empty if nothing."""
    if grip.holds or is_placed(grip, opening_m):
        return ""
    return f"{grip.phase}: the gripper stands at {1e3 * opening_m:.1f} mm instead of {1e3 * grip.opening_m:.1f} mm"


def ramp(drive: Drive, begin_s: float, before_rad_s: float) -> list[tuple[float, float]]:
    """Stamps [s] and velocities [rad/s] of the commands that bring a motor there; each takes effect at its stamp."""
    steps = max(1, round(drive.ramp_s * RAMP_HZ))
    change = drive.velocity_rad_s - before_rad_s
    return [(begin_s + drive.ramp_s * i / steps, before_rad_s + change * (i + 1) / steps) for i in range(steps)]
