"""The inspector: takes one inspection at a time, hears what the graph tells of it, and tells the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rclpy.action import GoalResponse

from physad_msgs.action import Inspect, Interact
from physad_msgs.msg import FrameScore, Interaction, Phase
from physad_msgs.msg import Verdict as VerdictMsg
from physad_msgs.srv import CutClip, Perceive, RevealSpecimen, ScoreClip, SetLight
from physad_ros.core import inspection as course
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData, PhysadError, why
from physad_ros.dataset.announced import timetable_of
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, STREAM, Adapter
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run
from physad_ros.nodes.steering import Steering
from physad_ros.nodes.watch import Watch


@dataclass(frozen=True)
class InspectorConfig:
    """Parameters of the node `inspector`."""

    rig: str = parameter("mujoco", "noted in the report; only of mujoco the truth is asked for, once the verdict is told")
    doubts: bool = parameter(False, "perception was learnt from this rig's pictures, so it may contradict a category that is named")
    out: str = parameter("inspections", "folder that receives a folder for each inspection, where the goal names none")
    stall_s: float = parameter(0.5, "without a frame for this long the camera has stalled", unit="s", low=0.05, high=10.0)
    first_frame_s: float = parameter(2.0, "the same where a specimen may just have been put down", unit="s", low=0.05, high=30.0)
    frozen_s: float = parameter(0.5, "the same picture for this long is frozen", unit="s", low=0.05, high=10.0)
    repeated_max: int = parameter(3, "pictures of a clip that may have been shown just before", low=0, high=1000)
    patience_s: float = parameter(30.0, "how long to wait for the others at the start", unit="s", low=0.0, high=600.0)
    partners: tuple[str, ...] = parameter(
        ("arm", "detector", "light", "perceiver", "recorder"), "nodes without which there is no inspection"
    )


class Inspector(Adapter):
    """Offers the action Inspect, drives the other nodes, publishes the verdict."""

    config_type = InspectorConfig
    config: InspectorConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("inspector", values, **options)

    def activate(self) -> None:
        self._busy = False
        self._course: Steering | None = None
        self.watch = Watch(self, self.config)
        self.set_light = self.client(SetLight, "set_light")
        self.perceive = self.client(Perceive, "perceive")
        self.cut_clip = self.client(CutClip, "cut_clip")
        self.score_clip = self.client(ScoreClip, "score_clip")
        self.reveal = self.client(RevealSpecimen, "mujoco_rig/reveal") if self.config.rig == "mujoco" else None
        self.interact = self.action(Interact, "interact")
        self.verdict = self.publisher(VerdictMsg, "verdict", LATCHED)
        self.subscribe(Interaction, "interaction/plan", self._on_plan, LATCHED)
        self.subscribe(Phase, "interaction/phase", self._on_phase)
        self.subscribe(FrameScore, "frame_score", self._on_score, STREAM)
        self._offered = False
        self._began_s = self.steady_s()
        self.every(0.05, self._offer)

    def _offer(self) -> None:
        """Take goals once all that an inspection needs is there; after a while also without, to say what is missing."""
        if self._offered:
            return
        missing, stranger = self.watch.missing(), self.watch.stranger()
        self.trouble = stranger or (f"waiting for {', '.join(missing)}" if missing else "")
        if not self.trouble or self.steady_s() - self._began_s > self.config.patience_s:
            self._offered = True
            self.offer(Inspect, "inspect", self._inspect, lambda _: self._admit())

    def deactivate(self) -> None:
        if self._course is not None:
            self._course.feed(course.Canceled())
        self.workers.shutdown(wait=True, cancel_futures=True)  # a report that is being written

    def _of(self, clip_id: str) -> Steering | None:
        """The inspection that runs, if it is of this clip."""
        return self._course if self._course is not None and self._course.clip_id == clip_id else None

    def _on_plan(self, message: Interaction) -> None:
        running = self._of(message.clip_id)
        if running is None:
            return
        try:
            running.feed(course.Announced(timetable_of(message)))
        except BadData as error:
            running.feed(course.Faulted(why(error)))

    def _on_phase(self, message: Phase) -> None:
        running = self._of(message.clip_id)
        if running is None:
            return
        running.phase = message.name
        if message.state == Phase.ABORTED:  # told before the arm has retreated
            running.feed(course.Faulted(message.message))

    def _on_score(self, message: FrameScore) -> None:
        running = self._of(message.clip_id)
        if running is not None:
            running.frame_scores[message.index] = message.value

    def _admit(self) -> GoalResponse:
        if self._busy:
            return GoalResponse.REJECT
        self._busy = True
        return GoalResponse.ACCEPT

    async def _inspect(self, handle: Any) -> Inspect.Result:
        goal = handle.request
        clip_id = goal.clip_id or datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
        folder = Path(goal.out or self.config.out) / clip_id
        steering: Steering | None = None
        try:
            request = self._request(goal, clip_id)
            steering = self._course = Steering(self, request, folder, goal.seed)
            message = await steering.run(handle)
        except PhysadError as error:
            verdict = course.Verdict(course.Outcome.INCONCLUSIVE, goal.category, reason=why(error))
            message = convert.verdict_msg(verdict, clip_id, self.now_s(), folder=str(folder))
            self.verdict.publish(message)
        finally:
            if self._course is steering:  # else the node was deactivated and is active again: another inspection may run
                self._busy, self._course = False, None
        self.facts = {"clip": clip_id, "verdict": message.verdict, "reason": message.reason}
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.succeed()
        return Inspect.Result(verdict=message)

    def _request(self, goal: Inspect.Goal, clip_id: str) -> course.Request:
        """What is asked for; UnknownName where the category or object is not known."""
        request = course.Request(clip_id, trust_category=goal.trust_category, part=goal.part, serial=goal.serial)
        if not goal.category:
            return request
        category = load_category(goal.category)
        if goal.object:
            category.object_named(goal.object)
        return replace(request, category=goal.category, object=goal.object, lights=dict(category.lights))


def main() -> None:
    run(Inspector)


if __name__ == "__main__":
    main()
