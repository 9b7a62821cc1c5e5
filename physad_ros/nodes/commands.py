"""The inspector's commands, given to the other nodes; what each returns is the event that answers it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalStatus

from physad_msgs.action import Interact
from physad_msgs.srv import CutClip, Perceive, RevealSpecimen, ScoreClip, SetLight
from physad_ros.core import inspection as course
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import PhysadError, kept_traceback, why
from physad_ros.core.inspection import State
from physad_ros.core.types import Timetable, Truth
from physad_ros.nodes import convert
from physad_ros.nodes.waiting import Overdue, result, send, until

if TYPE_CHECKING:
    from physad_ros.nodes.inspector import Inspector

REVEAL_S = 20.0  # of wall clock, that the rig may take to tell what lies on it: its own clock stands still where it has died


class Commands:
    """Calls to the other nodes for one inspection."""

    def __init__(self, node: Inspector, clip_id: str, out: Path, feed: Callable[[course.Event], None]):
        self._node = node
        self._clip_id = clip_id
        self._out = out
        self._feed = feed
        self._arm_goal: Any = None
        self._arm_canceled = False

    def carry_out(self, command: course.Command) -> None:
        """Begin a command; the event that answers it is fed once it is there."""
        if isinstance(command, course.Clear):
            self._begin(self.clear(), course.ArmDone)
        elif isinstance(command, course.SetLights):
            self._begin(self.set_lights(command.levels), course.Faulted)
        elif isinstance(command, course.Perceive):
            self._begin(self.perceive(command.named), course.Faulted)
        elif isinstance(command, course.Interact):
            self._begin(self.interact(command), course.ArmDone)
        elif isinstance(command, course.CancelArm):
            self._cancel_arm()
        elif isinstance(command, course.Cut):
            self._begin(self.cut(command.timetable), lambda reason: course.ClipCut("", 0, reason))
        elif isinstance(command, course.Judge):
            self._begin(self.judge(command.timetable), course.Faulted)

    def _begin(self, call: Awaitable[course.Event], failed: Callable[[str], course.Event]) -> None:
        """Run a command beside the course; where it fails, ``failed`` makes the event of the reason."""

        async def body() -> None:
            try:
                event = await call
            except (PhysadError, Overdue) as error:
                event = failed(why(error))
            except Exception as error:  # of whatever kind: nobody reads what a task raises, and the course waits for an answer
                event = failed(f"{why(error)}; {kept_traceback()}")
            self._feed(event)

        self._node.executor.create_task(body)

    # -- services -----------------------------------------------------------------------------------------------------

    async def _call(self, client: Any, request: Any, limit_s: float, clock: Callable[[], float] | None = None) -> Any:
        """Answer of a service; Overdue where none comes, by the rig's clock unless another is given, so that nothing waits for ever."""
        clock = clock or self._node.rig_clock
        await until(client.service_is_ready, limit_s, f"somebody who offers {client.srv_name}", clock)
        future = client.call_async(request)
        try:
            return await result(future, limit_s, f"an answer of {client.srv_name}", clock)
        finally:
            client.remove_pending_request(future)

    async def set_lights(self, levels: dict[str, float]) -> course.Event:
        request = SetLight.Request(levels=convert.levels_msg(levels, self._node.now_s()))
        answer = await self._call(self._node.set_light, request, _limit_s(State.LIGHTING))
        return course.LightsSet() if answer.success else course.Faulted(answer.message)

    async def perceive(self, named: str) -> course.Event:
        doubted = named if self._node.config.doubts else ""
        answer = await self._call(self._node.perceive, Perceive.Request(named=doubted), _limit_s(State.PERCEIVING))
        percept = convert.percept_of(answer)
        return course.Perceived(percept, load_category(percept.category).lights if percept.outcome == "known" else {})

    async def cut(self, timetable: Timetable) -> course.Event:
        request = CutClip.Request(interaction=convert.interaction_msg(timetable, self._node.now_s()), out=str(self._out))
        answer = await self._call(self._node.cut_clip, request, _limit_s(State.JUDGING))
        return course.ClipCut(answer.folder, answer.frames_received, "" if answer.success else answer.message)

    async def judge(self, timetable: Timetable) -> course.Event:
        request = ScoreClip.Request(interaction=convert.interaction_msg(timetable, self._node.now_s()))
        answer = await self._call(self._node.score_clip, request, _limit_s(State.JUDGING))
        if not answer.success:
            return course.Faulted(answer.message)
        repeated = self._node.watch.repeated_in(timetable)
        if repeated > self._node.config.repeated_max:  # what a camera shows again it has not seen
            return course.Faulted(f"{repeated} of {timetable.frames} pictures only repeat those just before")
        model = dict(zip(answer.model_files, answer.model_sha256))
        return course.Scored(convert.score_of(answer), answer.threshold, answer.detector, answer.frames, answer.latency_s, model)

    async def reveal(self, client: Any, judged_s: float) -> Truth | None:
        """What the simulated specimen really is; None where that is not told, or it was put down only after ``judged_s``."""
        try:
            answer = await self._call(client, RevealSpecimen.Request(clip_id=self._clip_id), REVEAL_S, time.monotonic)
        except Overdue as error:
            self._node.get_logger().warning(str(error))
            return None
        if not answer.success:
            self._node.get_logger().warning(f"what lies on the rig is not told: {answer.message}")
            return None
        return convert.truth_of(answer) if convert.seconds(answer.since) <= judged_s else None

    # -- the arm ------------------------------------------------------------------------------------------------------

    async def clear(self) -> course.Event:
        return await self._arm(Interact.Goal(clip_id=self._clip_id))

    async def interact(self, command: course.Interact) -> course.Event:
        return await self._arm(Interact.Goal(clip_id=self._clip_id, category=command.category, object=command.object))

    async def _arm(self, goal: Interact.Goal) -> course.Event:
        """The end of an interaction, or why it did not begin: only what moves is waited for."""
        if not self._node.interact.server_is_ready():
            return course.ArmDone("no arm is there to interact")
        handle = await send(self._node.interact, goal, course.DEADLINES_S[State.PLANNING], "the arm's answer", self._node.rig_clock)
        if not handle.accepted:
            return course.ArmDone("the arm does not take the interaction")
        self._arm_goal = handle
        if self._arm_canceled:
            handle.cancel_goal_async()
        ended = handle.get_result_async()
        limit = course.DEADLINES_S[State.INTERACTING] + course.DEADLINES_S[State.RETREATING]
        await self._node.until(lambda: ended.done() or self._node.watch.arm_is_dead(), limit, "the end of the interaction")
        if not ended.done():
            return course.ArmDone("the arm does not answer any more")
        answer = ended.result()
        if answer.status == GoalStatus.STATUS_SUCCEEDED and answer.result.error_code == Interact.Result.SUCCESSFUL:
            return course.ArmDone()
        return course.ArmDone(answer.result.error_string or f"the interaction ended with status {answer.status}")

    def _cancel_arm(self) -> None:
        self._arm_canceled = True  # also what it is yet to accept
        if self._arm_goal is not None:
            self._arm_goal.cancel_goal_async()


def _limit_s(state: State) -> float:
    """For how long an answer is waited for: a little longer than the course itself waits in that state."""
    return course.DEADLINES_S[state] + 1.0
