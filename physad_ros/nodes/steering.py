"""One inspection as it runs: events into the pure course of core.inspection, its commands out to the other nodes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from action_msgs.msg import GoalStatus

from physad_msgs.action import Inspect, Interact
from physad_msgs.msg import Verdict as VerdictMsg
from physad_msgs.srv import CutClip, Perceive, ScoreClip, SetLight
from physad_ros.core import inspection as course
from physad_ros.core.errors import PhysadError
from physad_ros.core.inspection import State
from physad_ros.core.types import Timetable, Verdict
from physad_ros.nodes import convert
from physad_ros.nodes.report import write
from physad_ros.nodes.waiting import Overdue, at_most, result, until

if TYPE_CHECKING:
    from physad_ros.nodes.inspector import Inspector, InspectorConfig

FEEDBACK_S = 0.1

#: for how long the camera may be silent [s]; in other states nothing is watched
PATIENCE: dict[State, Callable[[InspectorConfig], float]] = {
    State.CLEARING: lambda config: config.first_frame_s,
    State.LIGHTING: lambda config: config.first_frame_s,
    State.PERCEIVING: lambda config: config.first_frame_s,
    State.PLANNING: lambda config: config.stall_s,
    State.INTERACTING: lambda config: config.stall_s,
    State.JUDGING: lambda config: math.inf,
}


class Steering:
    """Feeds one inspection from beginning to end."""

    def __init__(self, node: Inspector, request: course.Request, folder: Path, seed: int):
        self.clip_id = request.clip_id
        self.folder = folder
        self.seed = seed
        self.phase = ""
        self.frame_scores: dict[int, float] = {}
        self.timings_s: dict[str, float] = {}  # since the begin, when each state was entered
        self.now = course.Inspection()
        self._node = node
        self._request = request
        self._events: deque[course.Event] = deque()
        self._arm_goal: Any = None
        self._cancel_arm = False
        self._moving_since_s: float | None = None  # stamp from which on pictures must differ
        self._began = self._entered = node.steady_s()

    def feed(self, event: course.Event) -> None:
        """Something has happened."""
        self._events.append(event)

    async def run(self, handle: Any) -> VerdictMsg:
        """The verdict, once nothing moves any more and the report is written."""
        self.feed(course.Started(self._request))
        told, canceled = -math.inf, False
        while self.now.state is not State.DONE:
            if handle.is_cancel_requested and not canceled:
                canceled = True
                self.feed(course.Canceled())
            while self._events:
                self._advance(self._events.popleft())
            self._look()
            if self._node.steady_s() - told > FEEDBACK_S:
                told = self._node.steady_s()
                share = course.progress(self.now, self._node.now_s())
                handle.publish_feedback(Inspect.Feedback(state=self.now.state.value, phase=self.phase, progress=share))
            await at_most(0.01, lambda: bool(self._events))
        assert self.now.verdict is not None
        self._node.trouble = await self._node.in_worker(write, self, self._node.config.rig)
        if self._node.trouble:
            self._node.get_logger().error(self._node.trouble)
        return self._message(self.now.verdict)

    def _advance(self, event: course.Event) -> None:
        before = self.now.state
        self.now, commands = course.advance(self.now, event)
        if self.now.state is not before:
            self._entered = self._node.steady_s()
            self.timings_s[self.now.state.value] = self._entered - self._began
            self._moving_since_s = self._node.watch.frame_stamp_s if self.now.state is State.INTERACTING else None
        for command in commands:
            self._carry_out(command)

    def _look(self) -> None:
        """Turn time and what is watched into events."""
        state, now = self.now.state, self._node.steady_s()
        if now - self._entered > course.DEADLINES_S.get(state, math.inf):
            self.feed(course.Expired(state))
        if state in PATIENCE:
            patience_s = PATIENCE[state](self._node.config)
            trouble = self._node.watch.trouble(self._began, patience_s, self._moving_since_s)
            if trouble:
                self.feed(course.Faulted(trouble))
        timetable = self.now.timetable
        if state is State.INTERACTING and timetable is not None and self._node.now_s() >= timetable.window_end_s:
            self.feed(course.WindowClosed())

    # -- commands -----------------------------------------------------------------------------------------------------

    def _carry_out(self, command: course.Command) -> None:
        if isinstance(command, course.Clear):
            self._begin(self._clear)
        elif isinstance(command, course.SetLights):
            self._begin(self._set_lights, command.levels)
        elif isinstance(command, course.Perceive):
            self._begin(self._perceive)
        elif isinstance(command, course.Interact):
            self._begin(self._interact, command)
        elif isinstance(command, course.CancelArm):
            self._cancel_arm = True
            if self._arm_goal is not None:
                self._arm_goal.cancel_goal_async()
        elif isinstance(command, course.Cut):
            self._begin(self._cut, command.timetable)
        elif isinstance(command, course.Judge):
            self._begin(self._judge, command.timetable)
        elif isinstance(command, course.Conclude):
            self.timings_s["verdict"] = self._node.steady_s() - self._began
            self.timings_s["verdict_after_last_frame"] = self._node.steady_s() - self._node.watch.last_in(self.now.timetable)
            self._node.verdict.publish(self._message(command.verdict))

    def _begin(self, call: Callable[..., Awaitable[course.Event]], *arguments: Any) -> None:
        """Run a command beside the course; what it returns, or why it failed, is the next event."""

        async def body() -> None:
            try:
                self.feed(await call(*arguments))
            except (PhysadError, Overdue) as error:
                self.feed(course.Faulted(str(error)))

        self._node.executor.create_task(body)

    async def _call(self, client: Any, request: Any, state: State) -> Any:
        """Answer of a service; waits a little longer than the course itself does, so that nothing waits for ever."""
        await until(client.service_is_ready, course.DEADLINES_S[state] + 1.0, f"somebody who offers {client.srv_name}")
        future = client.call_async(request)
        try:
            return await result(future, course.DEADLINES_S[state] + 1.0, f"an answer of {client.srv_name}")
        finally:
            client.remove_pending_request(future)

    async def _set_lights(self, levels: dict[str, float]) -> course.Event:
        request = SetLight.Request(levels=convert.levels_msg(levels, self._node.now_s()))
        answer = await self._call(self._node.set_light, request, State.LIGHTING)
        return course.LightsSet() if answer.success else course.Faulted(answer.message)

    async def _perceive(self) -> course.Event:
        answer = await self._call(self._node.perceive, Perceive.Request(), State.PERCEIVING)
        return course.Perceived(convert.percept_of(answer))

    async def _clear(self) -> course.Event:
        return await self._arm(Interact.Goal(clip_id=self.clip_id))

    async def _interact(self, command: course.Interact) -> course.Event:
        return await self._arm(Interact.Goal(clip_id=self.clip_id, category=command.category, object=command.object))

    async def _arm(self, goal: Interact.Goal) -> course.Event:
        if not self._node.interact.server_is_ready():
            raise PhysadError("no arm is there to interact")
        handle = await result(self._node.interact.send_goal_async(goal), course.DEADLINES_S[State.PLANNING], "the arm's answer")
        if not handle.accepted:
            return course.ArmDone("the arm does not take the interaction")
        self._arm_goal = handle
        if self._cancel_arm:
            handle.cancel_goal_async()
        limit = course.DEADLINES_S[State.INTERACTING] + course.DEADLINES_S[State.RETREATING]
        ended = await result(handle.get_result_async(), limit, "the end of the interaction")
        if ended.status == GoalStatus.STATUS_SUCCEEDED and ended.result.error_code == Interact.Result.SUCCESSFUL:
            return course.ArmDone()
        return course.ArmDone(ended.result.error_string or f"the interaction ended with status {ended.status}")

    async def _cut(self, timetable: Timetable) -> course.Event:
        interaction = convert.interaction_msg(timetable, self._node.now_s())
        try:
            request = CutClip.Request(interaction=interaction, out=str(self.folder.parent))
            answer = await self._call(self._node.cut_clip, request, State.JUDGING)
        except (PhysadError, Overdue) as error:
            return course.ClipCut("", 0, str(error))
        return course.ClipCut(answer.folder, answer.frames_received, "" if answer.success else answer.message)

    async def _judge(self, timetable: Timetable) -> course.Event:
        request = ScoreClip.Request(interaction=convert.interaction_msg(timetable, self._node.now_s()))
        answer = await self._call(self._node.score_clip, request, State.JUDGING)
        if not answer.success:
            return course.Faulted(answer.message)
        repeated = self._node.watch.repeated_in(timetable)
        if repeated > self._node.config.repeated_max:  # what a camera shows again it has not seen
            return course.Faulted(f"{repeated} of {timetable.frames} pictures only repeat the one before")
        self.timings_s["score_after_last_frame"] = answer.latency_s
        return course.Scored(convert.score_of(answer), answer.threshold, answer.detector, answer.frames)

    def _message(self, verdict: Verdict) -> VerdictMsg:
        now, percept = self.now, self.now.percept
        return convert.verdict_msg(
            verdict,
            self.clip_id,
            self._node.now_s(),
            category_confidence=float(percept.confidence) if percept is not None and not self._request.category else math.nan,
            frames_expected=now.timetable.frames if now.timetable else 0,
            frames_received=now.cut.frames_received if now.cut else 0,
            folder=str(self.folder),
        )
