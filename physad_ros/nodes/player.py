"""Plays a program through the rig's controllers by its timetable, with deadlines of its own: a stopped robot leaves a goal hanging."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from action_msgs.msg import GoalStatus

from physad_msgs.msg import MotorCommand, Phase
from physad_ros.core.errors import Impossible, why
from physad_ros.core.types import Drive, Grip, Move, Program
from physad_ros.motion import playing
from physad_ros.motion.segments import Group, grouped, moves_of, reversed_move
from physad_ros.nodes import convert
from physad_ros.nodes.controllers import Code, Fault
from physad_ros.nodes.motions import Motions, RigTime
from physad_ros.nodes.waiting import Overdue

if TYPE_CHECKING:
    from physad_ros.nodes.arm import Arm



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
        self._gripped: list[Grip] = []
        self._motors: set[str] = set()
        self._retreating = False
        self._velocity_rad_s = 0.0  # that the motor was last commanded
        self._time = RigTime(node, self._check)
        self._arm = Motions(node, self._time, program.world)

    async def play(self) -> None:
        """Play to the end. On a fault stop, tell it, go back the way the arm came if it can, and raise Fault."""
        try:
            groups = grouped(self._program, self._begin_s)
            for i, group in enumerate(groups):
                await self._send_ahead(groups[i : i + 2])
                await self._play_group(group)
        except Exception as error:
            fault = error if isinstance(error, Fault) else Fault(_code(error), why(error))
            self._on_phase(max(self._phase, 0), Phase.ABORTED, str(fault))
            self.halt()
            await self._retreat(fault)
            raise fault from error
        self._on_phase(self._phase, Phase.DONE, "")

    def halt(self) -> None:
        """Stop what moves: the arm holds, motors rest."""
        self._arm.halt()
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
        if moves and not self._arm.runs:
            await self._arm.give(moves)

    async def _play_group(self, group: Group) -> None:
        for step, begin in group:
            await self._time.till(begin)
            self._enter(step.phase)
            if isinstance(step, Move):
                await self._arm.follow(step, begin, [m for m in moves_of(group) if m[1] >= begin])
            elif isinstance(step, Grip):
                await self._grip(step, begin + step.duration_s)
            else:
                await self._time.till(begin + step.duration_s)
        moves = moves_of(group)
        if moves:
            await self._arm.arrive(moves[-1][0].phase)

    async def _grip(self, grip: Grip, end_s: float) -> None:
        self._gripped.append(grip)
        handle = await self._node.controllers.grip(grip.opening_m, grip.effort_n)
        ended = handle.get_result_async()
        await self._time.till(end_s)
        opening = self._node.rig.opening_m()
        if reason := playing.missed(grip, opening):
            raise Fault(Code.GRIPPER_MISSED, reason, True)
        if ended.done() and ended.result().status == GoalStatus.STATUS_ABORTED and not ended.result().result.stalled:
            raise Fault(Code.CONTROLLER_FAILED, f"{grip.phase}: the gripper controller aborted")
        if reason := playing.misplaced(grip, opening):
            raise Fault(Code.CONTROLLER_FAILED, reason)

    def _drive(self, drive: Drive, begin_s: float) -> None:
        """The ramp as stamped commands, sent ahead; each takes effect at its stamp."""
        self._motors.add(drive.motor)
        for stamp_s, value in playing.ramp(drive, begin_s, self._velocity_rad_s):
            command = MotorCommand(header=convert.header(stamp_s), name=drive.motor, value=float(value))
            self._node.controllers.motor.publish(command)
        self._velocity_rad_s = drive.velocity_rad_s

    def _enter(self, phase: str) -> None:
        names = [p.name for p in self._program.phases]
        if self._phase >= 0 and names[self._phase] == phase:
            return  # a further step of the same phase
        self._phase = names.index(phase, self._phase + 1)
        self._on_phase(self._phase, Phase.RUNNING, "")

    def _check(self) -> None:
        """Fault where the interaction cannot or shall not go on."""
        if self._retreating:
            return
        if self._canceled():
            raise Fault(Code.CANCELED, "canceled", True)
        self._node.rig.positions_rad()  # raises where the state is lost
        if self._motors:
            self._node.rig.check_motors(tuple(self._motors))

    # -- after a fault ------------------------------------------------------------------------------------------------

    async def _retreat(self, fault: Fault) -> None:
        """Go back the way the arm came, where nothing is wrong with the robot itself; hold otherwise."""
        if not fault.can_retreat or not self._arm.played:
            return
        self._retreating = True
        try:
            await self._let_go()
            for move in reversed(self._arm.played):
                back = self._arm.entered(reversed_move(move))
                begin = self._node.now_s() + 0.1
                await self._arm.send(back, begin)
                await self._time.till(begin + back.duration_s)
                await self._arm.arrive(back.phase)
        except (Fault, Impossible, Overdue) as error:
            self.halt()
            self._node.get_logger().error(f"the arm holds; it cannot retreat: {why(error)}")

    async def _let_go(self) -> None:
        """Open the fingers, if they may hold something, to where they were before: with that opening the way back was planned."""
        before = [grip for grip in self._gripped if not grip.holds]
        if len(before) == len(self._gripped) or not before:
            return
        grip = before[-1]
        await self._node.controllers.grip(grip.opening_m, grip.effort_n)
        limit_s = self._node.now_s() + grip.duration_s + self._node.config.late_s
        await self._time.till(limit_s, lambda: playing.is_placed(grip, self._node.rig.opening_m()))
        if reason := playing.misplaced(grip, self._node.rig.opening_m()):
            raise Fault(Code.CONTROLLER_FAILED, reason)


def _code(error: Exception) -> int:
    """Interact's error code of what is not a Fault."""
    return int(Code.TIMED_OUT if isinstance(error, Overdue) else Code.REFUSED if isinstance(error, Impossible) else Code.INTERNAL)
