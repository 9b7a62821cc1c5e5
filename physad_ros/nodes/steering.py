"""One inspection as it runs: events into the pure course of core.inspection, its commands out to the other nodes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from physad_msgs.action import Inspect
from physad_msgs.msg import Verdict as VerdictMsg
from physad_ros.core import inspection as course
from physad_ros.core.decision import defects_shown
from physad_ros.core.errors import why
from physad_ros.core.inspection import State
from physad_ros.core.types import Truth, Verdict
from physad_ros.dataset.finishing import MANIFEST
from physad_ros.nodes import convert
from physad_ros.nodes.commands import Commands
from physad_ros.nodes.report import write
from physad_ros.nodes.waiting import Overdue, Stopwatch, at_most

if TYPE_CHECKING:
    from physad_ros.nodes.inspector import Inspector, InspectorConfig

FEEDBACK_S = 0.1
CLIP_S = 30.0  # that the recorder may take for the clip's files; more where the machine is too busy to simulate in real time

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
        self.concluded: datetime | None = None  # when the verdict was told
        self.truth: Truth | None = None  # learnt after that
        self.now = course.Inspection()
        self._node = node
        self._request = request
        self._events: deque[course.Event] = deque()
        self._commands = Commands(node, request.clip_id, folder.parent, self.feed)
        self._moving_since_s: float | None = None  # stamp from which on pictures must differ
        self._judged_s = math.inf  # stamp by which what is judged lay before the camera
        self._began = node.steady_s()
        self._in_state = Stopwatch(node.rig_clock)

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
        return self._message(await self._report())

    # -- the report ---------------------------------------------------------------------------------------------------

    async def _report(self) -> Verdict:
        """Write the report; the verdict that stands with it, told anew where that is not the one that was told before."""
        if self._node.reveal is not None:
            self.truth = await self._commands.reveal(self._node.reveal, self._judged_s)
        verdict, trouble = await self._node.in_worker(write, self, self._node.config.rig, await self._clip_fault())
        self._node.trouble = trouble
        if trouble and trouble not in verdict.reason:
            self._node.get_logger().error(trouble)
        if verdict is not self.now.verdict:
            self._node.verdict.publish(self._message(verdict))
        return verdict

    @property
    def leaves_clip(self) -> bool:
        """Whether the recorder was asked for the clip's files and could begin with them."""
        return self.now.cut is not None and not self.now.cut.fault

    async def _clip_fault(self) -> str:
        """Why the recorder's files of the clip do not come, as soon as that is known; empty where they are there."""
        if not self.leaves_clip:
            return ""
        manifest = self.folder / MANIFEST
        try:
            await self._node.until(lambda: manifest.exists() or bool(self._recorder_fault()), CLIP_S, "the clip's manifest")
        except Overdue as error:
            return why(error)
        return "" if manifest.exists() else self._recorder_fault()

    def _recorder_fault(self) -> str:
        return self._node.watch.fault_of("recorder", self._began)

    # -- events and commands ------------------------------------------------------------------------------------------

    def _advance(self, event: course.Event) -> None:
        before = self.now.state
        self.now, commands = course.advance(self.now, event)
        if self.now.state is not before:
            self._in_state = Stopwatch(self._node.rig_clock)
            self.timings_s[self.now.state.value] = self._node.steady_s() - self._began
            self._moving_since_s = self._node.watch.frame_stamp_s if self.now.state is State.INTERACTING else None
        for command in commands:
            if isinstance(command, course.Conclude):
                self._conclude(command.verdict)
            else:
                self._commands.carry_out(command)

    def _conclude(self, verdict: Verdict) -> None:
        self.concluded = datetime.now().astimezone()
        self._judged_s = self.now.timetable.window_begin_s if self.now.timetable else self._node.now_s()
        self.timings_s["verdict"] = self._node.steady_s() - self._began
        self.timings_s["verdict_after_last_frame"] = self._node.steady_s() - self._node.watch.last_in(self.now.timetable)
        if self.now.scored is not None:
            self.timings_s["score_after_last_frame"] = self.now.scored.latency_s
        self._node.verdict.publish(self._message(verdict))

    def _look(self) -> None:
        """Turn time and what is watched into events."""
        state = self.now.state
        if self._in_state.exceeds(course.DEADLINES_S.get(state, math.inf)):
            self.feed(course.Expired(state))
        if state in PATIENCE:
            patience_s = PATIENCE[state](self._node.config)
            trouble = self._node.watch.trouble(self._began, patience_s, self._moving_since_s)
            if trouble:
                self.feed(course.Faulted(trouble))
        timetable = self.now.timetable
        if state is State.INTERACTING and timetable is not None and self._node.now_s() >= timetable.window_end_s:
            self.feed(course.WindowClosed())

    def _message(self, verdict: Verdict) -> VerdictMsg:
        now, percept = self.now, self.now.percept
        return convert.verdict_msg(
            verdict,
            self.clip_id,
            self._node.now_s(),
            category_confidence=float(percept.confidence) if percept is not None and not self._request.category else math.nan,
            frames_expected=now.timetable.frames if now.timetable else 0,
            frames_received=now.cut.frames_received if now.cut else 0,
            defects=list(defects_shown(verdict)),
            folder=str(self.folder),
        )
