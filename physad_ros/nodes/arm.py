"""The arm: plans an interaction, checks it, announces when what will happen, and plays it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from rclpy.action import GoalResponse

from physad_msgs.action import Interact
from physad_msgs.msg import Interaction, Phase
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import PhysadError, UnknownName, kept_traceback, why
from physad_ros.core.inspection import DEADLINES_S, State
from physad_ros.core.types import Drive, Program, Timetable
from physad_ros.interactions.arm import park
from physad_ros.interactions.base import plan
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, Adapter
from physad_ros.nodes.controllers import Code, Controllers, Fault
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.player import Player
from physad_ros.nodes.rig_state import RigState
from physad_ros.nodes.run import main as run
from physad_ros.nodes.waiting import Overdue


@dataclass(frozen=True)
class ArmConfig:
    """Parameters of the node `arm`."""

    trajectory_action: str = parameter(
        "scaled_joint_trajectory_controller/follow_joint_trajectory", "the arm's trajectory controller"
    )
    gripper_action: str = parameter("gripper_controller/gripper_cmd", "the gripper's controller")
    lead_s: float = parameter(0.4, "from the announcement to the first step", unit="s", low=0.05, high=5.0)
    late_s: float = parameter(0.5, "how late a controller may report the end of a step", unit="s", low=0.05, high=5.0)
    state_age_s: float = parameter(0.5, "age at which the joint state counts as lost", unit="s", low=0.05, high=5.0)


class Arm(Adapter):
    """Plays a category's interaction through the rig's controllers, one at a time."""

    config_type = ArmConfig
    config: ArmConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("arm", values, **options)
        # not at each activation: what ran at the last deactivation may not have ended yet, and is waited for
        self._busy = False
        self._player: Player | None = None

    def activate(self) -> None:
        self.rig = RigState(self, self.config.state_age_s)
        self.controllers = Controllers(self, self.config.trajectory_action, self.config.gripper_action)
        self._plan = self.publisher(Interaction, "interaction/plan", LATCHED)
        self._phase = self.publisher(Phase, "interaction/phase")
        self.offer(Interact, "interact", self._interact, lambda _: GoalResponse.ACCEPT)

    def deactivate(self) -> None:
        if self._player is not None:
            self._player.halt()

    # -- the action -------------------------------------------------------------------------------------------------

    async def _interact(self, handle: Any) -> Interact.Result:
        answer = Interact.Result(error_code=Code.SUCCESSFUL)
        try:
            await self._alone(handle, answer)
        except (Fault, PhysadError, Overdue) as error:
            answer.error_code, answer.error_string = getattr(error, "code", Code.REFUSED), why(error)
            if isinstance(error, UnknownName):
                answer.error_code = Code.UNKNOWN_CATEGORY
        except Exception as error:  # an action whose callback raises would answer with error code 0
            answer.error_code, answer.error_string = Code.INTERNAL, f"the arm's program has failed: {error!r}; {kept_traceback()}"
        self.trouble = answer.error_string
        if answer.error_code == Code.SUCCESSFUL:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return answer

    async def _alone(self, handle: Any, answer: Interact.Result) -> None:
        """One interaction at a time; the end of the one before, which may still retreat, is waited for as long as the course allows."""
        allowed_s = DEADLINES_S[State.PLANNING if handle.request.category else State.CLEARING] - 1.0
        try:
            await self.until(
                lambda: not self._busy or handle.is_cancel_requested, allowed_s, "the end of the interaction before this one"
            )
        except Overdue as error:
            raise Fault(Code.BUSY, why(error)) from error
        _check_wanted(handle)
        self._busy, self.trouble = True, ""
        try:
            program = await self._planned(handle.request)
            if program is not None:
                answer.interaction = await self._play(handle, program)
        finally:
            self._busy = False

    async def _planned(self, goal: Interact.Goal) -> Program | None:
        """The checked program, None where there is nothing to do; UnknownName or Impossible where there can be none."""
        if not goal.category:
            await self.rig.reported("joint state")
            return await self.in_worker(park, self.rig.positions_rad(), self.rig.opening_m())
        category = load_category(goal.category)
        thing = category.object_named(goal.object) if goal.object else category.objects[0]
        await self.rig.reported("joint state")
        began = time.monotonic()
        program: Program = await self.in_worker(plan, category, thing.name, self.rig.positions_rad())
        motors = tuple({step.motor for step in program.steps if isinstance(step, Drive)})
        if motors:  # one that is not there is no object that is stuck
            await self.rig.reported("motor state", motors)
            self.rig.check_motors(motors)
        self.facts["planning_ms"] = round(1e3 * (time.monotonic() - began), 1)
        return program

    async def _play(self, handle: Any, program: Program) -> Interaction:
        _check_wanted(handle)
        # on a frame, where frames keep step with the clock: programs put a whole number of them before the window
        begin_s = math.ceil((self.now_s() + self.config.lead_s) * program.fps) / program.fps
        # which type it is nobody knows unless it was said: types differ in looks and are planned alike
        timetable = replace(Timetable.of(program, handle.request.clip_id, begin_s), object=handle.request.object)
        message = convert.interaction_msg(timetable, self.now_s())
        if program.frames:  # there is something to record
            self._plan.publish(message)
        names = [p.name for p in timetable.phases]

        def on_phase(index: int, state: int, text: str) -> None:
            head = convert.header(self.now_s())
            self._phase.publish(Phase(header=head, clip_id=timetable.clip_id, name=names[index], index=index,
                                      count=len(names), state=state, message=text))
            elapsed_s = max(self.now_s() - begin_s, 0.0)
            share = min(elapsed_s / program.duration_s, 1.0)
            handle.publish_feedback(Interact.Feedback(phase=names[index], progress=share, elapsed_s=elapsed_s))

        self._player = Player(self, program, begin_s, lambda: handle.is_cancel_requested, on_phase)
        try:
            await self._player.play()
        finally:
            self._player = None
        return message


def _check_wanted(handle: Any) -> None:
    """Fault where nobody wants the interaction any more, before it has begun."""
    if handle.is_cancel_requested:
        raise Fault(Code.CANCELED, "canceled")


def main() -> None:
    run(Arm)


if __name__ == "__main__":
    main()
