"""Motions through the trajectory controller: given ahead, guarded, watched to their end by deadlines of our own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from action_msgs.msg import GoalStatus

from physad_ros.core.types import Floats, Move, World
from physad_ros.motion import playing
from physad_ros.motion.segments import joined
from physad_ros.motion.trajectory import sample
from physad_ros.nodes.controllers import ANSWER_S, Code, Fault
from physad_ros.nodes.waiting import HANG_S, result, until

if TYPE_CHECKING:
    from physad_ros.nodes.arm import Arm

ARRIVED_RAD = 0.05
JUMP_MAX_RAD = 0.005  # a goal that comes late makes the arm jump to where it should be by then


class RigTime:
    """Waiting by the rig's clock, with an eye on what may go wrong meanwhile."""

    def __init__(self, node: Arm, check: Callable[[], None]):
        self._node = node
        self._check = check  # raises Fault
        self._last = (-math.inf, time.monotonic())  # rig's time, and when it last went on

    async def till(self, stamp_s: float, or_if: Callable[[], bool] = lambda: False) -> None:
        """Wait until the rig's clock shows ``stamp_s``, or ``or_if``; Fault where the rig fails meanwhile."""

        def over() -> bool:
            now = self._node.now_s()
            self._watch(now)
            return now >= stamp_s or or_if()

        await until(over)

    def _watch(self, now_s: float) -> None:
        last, wall = self._last
        if now_s != last:
            self._last = (now_s, time.monotonic())
        elif time.monotonic() - wall > HANG_S:
            raise Fault(Code.TIMED_OUT, "the rig's clock stands still")
        self._check()


class Motions:
    """The arm's way, one goal at a time."""

    def __init__(self, node: Arm, rig_time: RigTime, world: World):
        self.played: list[Move] = []
        self._node = node
        self._time = rig_time
        self._world = world
        self._goal: Any = None  # of the trajectory controller, while one runs
        self._ended: Any = None  # future of its result
        self._stopped_early = False  # the last motion was stopped by its guard

    @property
    def runs(self) -> bool:
        """Whether the controller has a goal of ours that was not seen to its end."""
        return self._goal is not None

    def halt(self) -> None:
        """The arm holds where it is."""
        if self._goal is not None:
            self._goal.cancel_goal_async()
            self._goal = self._ended = None

    async def give(self, moves: list[tuple[Move, float]]) -> None:
        """Give motions, each with its begin, to the controller as one goal, entered from where a guard has stopped the arm."""
        if self._stopped_early:
            first, begin = moves[0]
            moves = [(self.entered(first), begin), *moves[1:]]
            self._stopped_early = False
        await self.send(joined(moves), moves[0][1])

    def entered(self, move: Move) -> Move:
        """A motion from where the arm stands; Impossible where it would hit something."""
        return playing.entered(move, self._node.rig.positions_rad(), self._node.rig.opening_m(), self._world)

    async def send(self, move: Move, begin_s: float) -> None:
        """Give a motion to the controller; Fault where that came too late for it to be what was planned."""
        self._goal = await self._node.controllers.move(move, begin_s)
        self._ended = self._goal.get_result_async()
        late_s = max(self._node.now_s() - begin_s, 0.0)
        if np.abs(sample(move, late_s)[0] - move.positions_rad[0]).max() > JUMP_MAX_RAD:
            raise Fault(Code.TIMED_OUT, f"{move.phase}: the controller got its goal {late_s:.2f} s late; the machine is too busy", True)

    async def follow(self, move: Move, begin_s: float, left: list[tuple[Move, float]]) -> None:
        """Follow a motion to its end; ``left``: it and those after it that the controller was given with it."""
        end_s = begin_s + move.duration_s
        self.played.append(move)
        before = None if move.guard_n is None else self._node.rig.force_n()
        await self._time.till(end_s, lambda: self._broke_off() or self._pushes(move, before))
        if self._pushes(move, before):
            await self._stop()
            if left[1:]:
                await self.give(left[1:])
            await self._time.till(end_s)
            return
        late_s = end_s + self._node.config.late_s
        await self._time.till(late_s, lambda: self._broke_off() or self._is_at(move.positions_rad[-1]))
        self._check_end(move.phase)
        if not self._is_at(move.positions_rad[-1]):
            raise Fault(Code.TIMED_OUT, f"{move.phase}: the robot did not end in time; it may be stopped")

    async def arrive(self, phase: str) -> None:
        """Wait for the controller's word that the motion has ended."""
        if self._ended is None:
            return  # it was stopped
        await self._time.till(self._node.now_s() + self._node.config.late_s, self._ended.done)
        if not self._ended.done():
            raise Fault(Code.TIMED_OUT, f"{phase}: the robot did not end in time; it may be stopped")
        self._check_end(phase)
        self._goal = self._ended = None

    async def _stop(self) -> None:
        canceled, clock = self._goal.cancel_goal_async(), self._node.rig_clock
        await result(canceled, ANSWER_S, "the controller's answer to a cancellation", clock)
        await result(self._ended, ANSWER_S, "the controller's end after a cancellation", clock)
        self._goal = self._ended = None
        self._stopped_early = True

    def _broke_off(self) -> bool:
        return self._ended is not None and self._ended.done()

    def _check_end(self, phase: str) -> None:
        """Fault where the controller has ended otherwise than by success."""
        if not self._broke_off() or self._ended.result().status == GoalStatus.STATUS_SUCCEEDED:
            return
        outcome = self._ended.result()
        raise Fault(Code.CONTROLLER_FAILED, f"{phase}: the controller ended with status {outcome.status}, "
                                            f"error {outcome.result.error_code} {outcome.result.error_string}")

    def _is_at(self, positions_rad: Floats) -> bool:
        return bool(np.abs(self._node.rig.positions_rad() - positions_rad).max() < ARRIVED_RAD)

    def _pushes(self, move: Move, before: Floats | None) -> bool:
        """Whether the guard stops the motion; Fault where the force that guards it is lost."""
        return before is not None and playing.pushes(move, self._node.rig.force_n(), before)
