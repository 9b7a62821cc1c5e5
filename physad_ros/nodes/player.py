"""Plays a program through the rig's controllers by its timetable, with deadlines of its own: a stopped robot leaves a goal hanging."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from action_msgs.msg import GoalStatus

from physad_msgs.action import Interact
from physad_msgs.msg import MotorCommand, Phase
from physad_ros.core.errors import Impossible
from physad_ros.core.types import Drive, Floats, Grip, Move, Program
from physad_ros.motion import gripper
from physad_ros.motion.segments import Group, grouped, joined, moves_of, reversed_move
from physad_ros.motion.trajectory import entered_from, sample
from physad_ros.nodes import convert
from physad_ros.nodes.controllers import Fault
from physad_ros.nodes.waiting import Overdue, result, until

if TYPE_CHECKING:
    from physad_ros.nodes.arm import Arm

Code = Interact.Result  # the error codes are named there
CLOCK_STOPPED_S = 2.0  # of wall clock without progress of the rig's
HELD_M = 0.0015  # a gripper that stays this much wider than commanded holds something
RAMP_HZ = 120.0
ARRIVED_RAD = 0.05
JUMP_MAX_RAD = 0.005  # a goal that comes late makes the arm jump to where it should be by then


class Player:
    """One program, played once from ``begin_s`` on."""

    def __init__(
        self,
        node: Arm,
        program: Program,
        begin_s: float,
        canceled: Callable[[], bool],
        on_phase: Callable[[int, int, str], None],
    ):
        self._node = node
        self._program = program
        self._begin_s = begin_s
        self._canceled = canceled
        self._on_phase = on_phase
        self._phase = -1  # index of the phase that was entered last
        self._played: list[Move] = []
        self._goal: Any = None  # of the trajectory controller, while one runs
        self._ended: Any = None  # future of its result
        self._motors: set[str] = set()
        self._stopped_early = False  # the last motion was stopped by its guard
        self._retreating = False
        self._velocity_rad_s = 0.0  # that the motor was last commanded
        self._clock = (-math.inf, time.monotonic())  # rig's time, and when it last went on

    async def play(self) -> None:
        """Play to the end. On a fault stop, tell it, go back the way the arm came if it can, and raise Fault."""
        try:
            groups = grouped(self._program, self._begin_s)
            for i, group in enumerate(groups):
                await self._send_ahead(groups[i : i + 2])
                await self._play_group(group)
        except Exception as error:
            fault = error if isinstance(error, Fault) else Fault(_code(error), str(error) or repr(error))
            self._on_phase(max(self._phase, 0), Phase.ABORTED, str(fault))
            self.halt()
            await self._retreat(fault)
            raise fault from error
        self._on_phase(self._phase, Phase.DONE, "")

    def halt(self) -> None:
        """Stop what moves: the arm holds, motors rest."""
        if self._goal is not None:
            self._goal.cancel_goal_async()
            self._goal = self._ended = None
        for name in self._motors:
            self._node.controllers.motor.publish(MotorCommand(name=name, mode=MotorCommand.VELOCITY, value=0.0))

    async def _send_ahead(self, groups: list[Group]) -> None:
        """Give the controller the motions of this group, or of the next while this one grips; motors their ramps.

        All motions between two grips are one goal, given before its begin, so that a busy machine delays none of them.
        """
        for step, begin in groups[0]:
            if isinstance(step, Drive):
                self._drive(step, begin)
        moves = next((moves_of(group) for group in groups if moves_of(group)), None)
        if moves and self._goal is None:
            await self._give(moves)

    async def _play_group(self, group: Group) -> None:
        for step, begin in group:
            await self._till(begin)
            self._enter(step.phase)
            if isinstance(step, Move):
                await self._move(step, begin, [m for m in moves_of(group) if m[1] >= begin])
            elif isinstance(step, Grip):
                await self._grip(step, begin, begin + step.duration_s)
            else:
                await self._till(begin + step.duration_s)
        moves = moves_of(group)
        if moves and self._ended is not None:
            await self._arrive(moves[-1][0].phase)

    # -- steps --------------------------------------------------------------------------------------------------------

    async def _give(self, moves: list[tuple[Move, float]]) -> None:
        """Give motions to the controller as one goal, entered from where a guard has stopped the arm."""
        if self._stopped_early:
            first, begin = moves[0]
            moves = [(entered_from(first, self._node.positions_rad()), begin), *moves[1:]]
            self._stopped_early = False
        await self._send(joined(moves), moves[0][1])

    async def _send(self, move: Move, begin_s: float) -> None:
        """Give a motion to the controller; Fault where that came too late for it to be what was planned."""
        self._goal = await self._node.controllers.move(move, begin_s)
        self._ended = self._goal.get_result_async()
        late_s = max(self._node.now_s() - begin_s, 0.0)
        if np.abs(sample(move, late_s)[0] - move.positions_rad[0]).max() > JUMP_MAX_RAD:
            raise Fault(Code.TIMED_OUT, f"{move.phase}: the controller got its goal {late_s:.2f} s late; the machine is too busy", True)

    async def _move(self, move: Move, begin_s: float, left: list[tuple[Move, float]]) -> None:
        """Follow a motion to its end; ``left``: it and those after it that the controller was given with it."""
        end_s = begin_s + move.duration_s
        self._played.append(move)
        before = None if move.guard_n is None else self._node.force_n()
        await self._till(end_s, lambda: self._broke_off() or self._pushes(move, before))
        if self._pushes(move, before):
            await self._stop()
            if left[1:]:
                await self._give(left[1:])
            await self._till(end_s)
            return
        await self._till(end_s + self._node.config.late_s, lambda: self._broke_off() or self._is_at(move.positions_rad[-1]))
        self._check_end(move.phase)
        if not self._is_at(move.positions_rad[-1]):
            raise Fault(Code.TIMED_OUT, f"{move.phase}: the robot did not end in time; it may be stopped")

    async def _stop(self) -> None:
        """Have the arm hold where it is."""
        await result(self._goal.cancel_goal_async(), 1.0, "the controller's answer to a cancellation")
        await result(self._ended, 1.0, "the controller's end after a cancellation")
        self._goal = self._ended = None
        self._stopped_early = True

    async def _arrive(self, phase: str) -> None:
        """Wait for the controller's word that the motion has ended."""
        await self._till(self._node.now_s() + self._node.config.late_s, self._ended.done)
        if not self._ended.done():
            raise Fault(Code.TIMED_OUT, f"{phase}: the robot did not end in time; it may be stopped")
        self._check_end(phase)
        self._goal = self._ended = None

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
        return bool(np.abs(self._node.positions_rad() - positions_rad).max() < ARRIVED_RAD)

    def _pushes(self, move: Move, before: Floats | None) -> bool:
        """Whether the guard stops the motion; Fault where the force that guards it is lost."""
        if move.guard_n is None or before is None:
            return False
        return float(np.linalg.norm(self._node.force_n() - before)) > move.guard_n

    async def _grip(self, grip: Grip, begin_s: float, end_s: float) -> None:
        await self._till(begin_s)
        self._enter(grip.phase)
        handle = await self._node.controllers.grip(grip.opening_m, grip.effort_n)
        ended = handle.get_result_async()
        await self._till(end_s)
        opening = self._node.opening_m()
        if grip.holds and opening <= grip.opening_m + HELD_M:
            raise Fault(Code.GRIPPER_MISSED, f"{grip.phase}: the gripper closed on nothing ({1e3 * opening:.1f} mm)", True)
        if ended.done() and ended.result().status == GoalStatus.STATUS_ABORTED and not ended.result().result.stalled:
            raise Fault(Code.CONTROLLER_FAILED, f"{grip.phase}: the gripper controller aborted")
        if not grip.holds and abs(opening - grip.opening_m) > 5 * HELD_M and grip.effort_n > 0:
            raise Fault(Code.CONTROLLER_FAILED, f"{grip.phase}: the gripper stands at {1e3 * opening:.1f} mm "
                                             f"instead of {1e3 * grip.opening_m:.1f} mm")

    def _drive(self, drive: Drive, begin_s: float) -> None:
        """The ramp as stamped commands, sent ahead; each takes effect at its stamp."""
        before = self._velocity_rad_s
        self._motors.add(drive.motor)
        steps = max(1, round(drive.ramp_s * RAMP_HZ))
        for i in range(1, steps + 1):
            value = before + (drive.velocity_rad_s - before) * i / steps
            head = convert.header(begin_s + drive.ramp_s * (i - 1) / steps)
            self._node.controllers.motor.publish(MotorCommand(header=head, name=drive.motor, value=float(value)))
        self._velocity_rad_s = drive.velocity_rad_s

    def _enter(self, phase: str) -> None:
        names = [p.name for p in self._program.phases]
        if self._phase >= 0 and names[self._phase] == phase:
            return  # a further step of the same phase
        self._phase = names.index(phase, self._phase + 1)
        self._on_phase(self._phase, Phase.RUNNING, "")

    # -- time and faults ------------------------------------------------------------------------------------------------

    async def _till(self, stamp_s: float, or_if: Callable[[], bool] = lambda: False) -> None:
        """Wait until the rig's clock shows ``stamp_s``, or ``or_if``; Fault where the rig fails meanwhile."""

        def over() -> bool:
            now = self._node.now_s()
            self._watch(now)
            return now >= stamp_s or or_if()

        await until(over)

    def _watch(self, now_s: float) -> None:
        last, wall = self._clock
        if now_s != last:
            self._clock = (now_s, time.monotonic())
        elif time.monotonic() - wall > CLOCK_STOPPED_S:
            raise Fault(Code.TIMED_OUT, "the rig's clock stands still")
        if self._retreating:
            return
        if self._canceled():
            raise Fault(Code.CANCELED, "canceled", True)
        self._node.positions_rad()  # raises where the state is lost
        if self._motors:
            self._node.check_motors(tuple(self._motors))

    async def _retreat(self, fault: Fault) -> None:
        """Go back the way the arm came, where nothing is wrong with the robot itself; hold otherwise."""
        if not fault.can_retreat or not self._played:
            return
        self._retreating = True
        try:
            if any(isinstance(s, Grip) and s.holds for s in self._program.steps):
                await self._node.controllers.grip(gripper.OPENING_MAX_M, gripper.EFFORT_MAX_N)
            for move in reversed(self._played):
                begin = self._node.now_s() + 0.1
                back = entered_from(reversed_move(move), self._node.positions_rad())
                await self._send(back, begin)
                await self._till(begin + back.duration_s)
                await self._arrive(back.phase)
        except (Fault, Impossible, Overdue) as error:
            self.halt()
            self._node.get_logger().error(f"the arm holds; it cannot retreat: {error}")


def _code(error: Exception) -> int:
    """Interact's error code of what is not a Fault."""
    return int(Code.TIMED_OUT if isinstance(error, Overdue) else Code.REFUSED if isinstance(error, Impossible) else Code.INTERNAL)
