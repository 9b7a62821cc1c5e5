"""The person at the rig, for programs: puts specimens down and asks for inspections, from outside the graph."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node

from physad_msgs.action import Inspect
from physad_msgs.msg import Verdict
from physad_msgs.srv import PlaceSpecimen
from physad_ros.core.errors import BadData, PhysadError, WrongUse

LOOK_S = 0.05  # how often a wait looks whether the graph still runs and nobody interrupted
SILENT_S = 120.0  # without a word of an inspection that runs


class Operator(Node):
    """Blocking calls for the main thread of a program while an executor spins this node in another thread."""

    def __init__(self, **options: Any) -> None:
        super().__init__("operator", **options)
        self._inspect = ActionClient(self, Inspect, "inspect")
        self._place = self.create_client(PlaceSpecimen, "mujoco_rig/place")
        self._asked: Any = None  # future of the handle of the inspection that runs
        self.failure: BaseException | None = None  # of the graph, told by who spins it; nothing is waited for after that
        self.interrupts: Sequence[int] = ()  # signals that came; a wait that sees a new one raises KeyboardInterrupt
        self._interrupts_seen = 0
        self._heard_s = 0.0  # steady clock, of the last feedback

    def close(self) -> None:
        """Stop what it asked for and nobody waits for any more."""
        self.cancel()

    def wait_ready(self, timeout_s: float) -> None:
        """Return once the inspector takes goals; PhysadError if it does not in time."""
        self._until(self._inspect.server_is_ready, timeout_s, "the inspector did not start, see the messages above,")

    def place(self, category: str, object: str, defect: str, severity: float, seed: int) -> None:
        """Put a specimen on the simulated rig."""
        request = PlaceSpecimen.Request(category=category, object=object, defect=defect, severity=severity, seed=seed)
        self._until(self._place.service_is_ready, 5.0, "no simulated rig, which has specimens to place, was found")
        answer = self._wait(self._place.call_async(request), 30.0, "the rig did not place the specimen")
        if not answer.success:
            raise BadData(answer.message)

    def inspect(
        self,
        clip_id: str,
        category: str,
        object: str,
        seed: int,
        out: str,
        on_feedback: Callable[[str, str, float], None] = lambda state, phase, progress: None,
    ) -> Verdict:
        """One inspection, waited for as long as it tells where it stands.

        After a KeyboardInterrupt call ``cancel`` and then ``result`` to see its end.
        """
        goal = Inspect.Goal(clip_id=clip_id, category=category, object=object, seed=seed, out=out)

        def told(message: Any) -> None:
            f = message.feedback
            self._heard_s = time.monotonic()
            on_feedback(f.state, f.phase, f.progress)

        self._asked = self._inspect.send_goal_async(goal, told)
        return self.result()

    def cancel(self) -> None:
        """Ask the running inspection, if any, to stop."""
        if self._asked is not None:  # also one that is yet to be accepted
            self._asked.add_done_callback(lambda asked: asked.result().cancel_goal_async())

    def result(self, timeout_s: float = math.inf) -> Verdict:
        """The verdict of the inspection that runs, once it is over; PhysadError where that takes too long, or nothing is told."""
        if self._asked is None:
            raise PhysadError("no inspection runs")
        goal = self._wait(self._asked, 10.0, "the inspector did not answer")
        if not goal.accepted:
            self._asked = None
            raise WrongUse("the inspector refused: it is busy with another inspection, or not active")
        self._heard_s = time.monotonic()
        ended = goal.get_result_async()
        self._until(lambda: ended.done() or time.monotonic() - self._heard_s > SILENT_S, timeout_s, "the inspection did not end")
        answer = self._wait(ended, 0.0, f"the inspector has told nothing for {SILENT_S:g} s, and its verdict did not come")
        self._asked = None
        return answer.result.verdict

    def _wait(self, future: Any, timeout_s: float, otherwise: str) -> Any:
        self._until(future.done, timeout_s, otherwise)
        return future.result()

    def _until(self, done: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        """Wait by polling: whatever happens in the graph's thread is seen within a moment."""
        end = time.monotonic() + timeout_s
        while not done():
            if len(self.interrupts) > self._interrupts_seen:
                self._interrupts_seen += 1
                raise KeyboardInterrupt
            if self.failure is not None:
                raise PhysadError(f"the graph has failed: {self.failure!r}") from self.failure
            if time.monotonic() > end:
                raise PhysadError(f"{otherwise} within {timeout_s:g} s")
            time.sleep(LOOK_S)
