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
from physad_ros.core.types import Drive, Grip, Move, Program
from physad_ros.motion import gripper
from physad_ros.motion.trajectory import entered_from
from physad_ros.nodes import convert
from physad_ros.nodes.controllers import Fault
from physad_ros.nodes.waiting import result, until

if TYPE_CHECKING:
    from physad_ros.nodes.arm import Arm

Code = Interact.Goal  # the error codes are named there
CLOCK_STOPPED_S = 2.0  # of wall clock without progress of the rig's
HELD_M = 0.0015  # a gripper that stays this much wider than commanded holds something
RAMP_HZ = 120.0


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
        self._goal: Any = None  # of the controller that moves now
        self._motors: set[str] = set()
        self._stopped_early = False  # the last motion was stopped by its guard
        self._retreating = False
        self._velocity_rad_s = 0.0  # that the motor was last commanded
        self._clock = (-math.inf, time.monotonic())  # rig's time, and when it last went on

    async def play(self) -> None:
        """Play to the end. On a fault stop, tell it, go back the way the arm came if it can, and raise Fault."""
        try:
            for step, begin in zip(self._program.steps, self._program.begins_s):
                await self._step(step, self._begin_s + begin)
        except Exception as error:
            fault = error if isinstance(error, Fault) else Fault(Code.TIMED_OUT, str(error))
            self._on_phase(max(self._phase, 0), Phase.ABORTED, str(fault))
            self.halt()
            await self._retreat(fault)
            raise fault from error
        self._on_phase(self._phase, Phase.DONE, "")

    def halt(self) -> None:
        """Stop what moves: the arm holds, motors rest."""
        if self._goal is not None:
            self._goal.cancel_goal_async()
            self._goal = None
        for name in self._motors:
            self._node.controllers.motor.publish(MotorCommand(name=name, mode=MotorCommand.VELOCITY, value=0.0))

    async def _step(self, step: Any, begin_s: float) -> None:
        end_s = begin_s + step.duration_s
        if isinstance(step, Move):
            await self._move(step, begin_s, end_s)
        elif isinstance(step, Grip):
            await self._grip(step, begin_s, end_s)
        else:
            await self._till(begin_s)
            self._enter(step.phase)
            if isinstance(step, Drive):
                self._drive(step, begin_s)
            await self._till(end_s)

    # -- steps --------------------------------------------------------------------------------------------------------

    async def _move(self, move: Move, begin_s: float, end_s: float) -> None:
        move = entered_from(move, self._node.positions_rad()) if self._stopped_early else move
        self._goal = await self._node.controllers.move(move, begin_s)
        ended = self._goal.get_result_async()
        self._played.append(move)
        await self._till(begin_s)
        self._enter(move.phase)
        before = self._node.wrench
        if move.guard_n is not None and before is None:
            raise Fault(Code.NO_STATE, f"{move.phase} is guarded by force, but no force is reported")
        await self._till(end_s + self._node.config.late_s, lambda: ended.done() or self._pushes(move, before), move.phase)
        self._stopped_early = not ended.done()
        if self._stopped_early:
            await result(self._goal.cancel_goal_async(), 1.0, "the controller's answer to a cancellation")
            await result(ended, 1.0, "the controller's end after a cancellation")
        else:
            outcome = ended.result()
            if outcome.status != GoalStatus.STATUS_SUCCEEDED:
                raise Fault(Code.CONTROLLER_FAILED, f"{move.phase}: the controller ended with status {outcome.status}, "
                                                 f"error {outcome.result.error_code} {outcome.result.error_string}")
        self._goal = None
        await self._till(end_s)

    def _pushes(self, move: Move, before: Any) -> bool:
        return move.guard_n is not None and float(np.linalg.norm(self._node.wrench - before)) > move.guard_n

    async def _grip(self, grip: Grip, begin_s: float, end_s: float) -> None:
        await self._till(begin_s)
        self._enter(grip.phase)
        handle = await self._node.controllers.grip(grip.opening_m, grip.effort_n)
        ended = handle.get_result_async()
        await self._till(end_s)
        opening = self._node.opening_m()
        if grip.holds and opening <= grip.opening_m + HELD_M:
            raise Fault(Code.GRIPPER_MISSED, f"{grip.phase}: the gripper closed on nothing ({1e3 * opening:.1f} mm)")
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

    async def _till(self, stamp_s: float, or_if: Callable[[], bool] | None = None, what: str = "") -> None:
        """Wait until the rig's clock shows ``stamp_s`` or, if given, ``or_if``; Fault when that does not come in time."""

        def over() -> bool:
            now = self._node.now_s()
            self._watch(now)
            return now >= stamp_s or (or_if is not None and or_if())

        await until(over)
        if or_if is not None and not or_if():
            raise Fault(Code.TIMED_OUT, f"{what}: the robot did not end in time; it may be stopped")

    def _watch(self, now_s: float) -> None:
        last, wall = self._clock
        if now_s != last:
            self._clock = (now_s, time.monotonic())
        elif time.monotonic() - wall > CLOCK_STOPPED_S:
            raise Fault(Code.TIMED_OUT, "the rig's clock stands still")
        if self._retreating:
            return
        if self._canceled():
            raise Fault(Code.CANCELED, "canceled")
        self._node.positions_rad()  # raises where the state is lost

    async def _retreat(self, fault: Fault) -> None:
        """Go back the way the arm came, where its controllers still answer; hold otherwise."""
        if fault.code not in (Code.CANCELED, Code.GRIPPER_MISSED) or not self._played:
            return
        self._retreating = True
        try:
            if any(isinstance(s, Grip) and s.holds for s in self._program.steps):
                await self._node.controllers.grip(gripper.OPENING_MAX_M, gripper.EFFORT_MAX_N)
            for move in reversed(self._played):
                begin = self._node.now_s() + 0.1
                back = entered_from(reversed_move(move), self._node.positions_rad())
                goal = await self._node.controllers.move(back, begin)
                ended = goal.get_result_async()
                await self._till(begin + back.duration_s + self._node.config.late_s, ended.done, "retreat")
        except Exception as error:
            if not isinstance(error, (Fault, Impossible, TimeoutError)):
                raise
            self._node.get_logger().error(f"the arm holds; it cannot retreat: {error}")


def reversed_move(move: Move) -> Move:
    """The same path backwards."""
    return Move("retreat", move.duration_s - move.times_s[::-1], move.positions_rad[::-1], -move.velocities_rad_s[::-1])
