"""How a program is given to the controllers: motions between two grips as one goal. Pure; knows no ROS."""

from __future__ import annotations

import numpy as np

from physad_ros.core.types import Grip, Move, Program, Step

Group = list[tuple[Step, float]]  # steps, each with its begin [s]


def grouped(program: Program, begin_s: float) -> list[Group]:
    """Steps with their begins, the first at ``begin_s``; each grip is a group of its own, and so is what lies between two."""
    groups: list[Group] = []
    for step, begin in zip(program.steps, program.begins_s):
        if not groups or isinstance(step, Grip) or isinstance(groups[-1][-1][0], Grip):
            groups.append([])
        groups[-1].append((step, begin_s + begin))
    return groups


def moves_of(group: Group) -> list[tuple[Move, float]]:
    """The motions among the steps."""
    return [(step, begin) for step, begin in group if isinstance(step, Move)]


def joined(moves: list[tuple[Move, float]]) -> Move:
    """Motions, each with its begin, as one that holds between them; it begins with the first."""
    first, begin_s = moves[0]
    times, positions, velocities = [first.times_s], [first.positions_rad], [first.velocities_rad_s]
    for move, at_s in moves[1:]:
        t = move.times_s + (at_s - begin_s)
        new = t > times[-1][-1] + 1e-6  # a motion that follows at once begins with the last one's end
        times.append(t[new])
        positions.append(move.positions_rad[new])
        velocities.append(move.velocities_rad_s[new])
    return Move(first.phase, np.concatenate(times), np.concatenate(positions), np.concatenate(velocities))


def reversed_move(move: Move) -> Move:
    """The same path backwards."""
    return Move("retreat", move.duration_s - move.times_s[::-1], move.positions_rad[::-1], -move.velocities_rad_s[::-1])
