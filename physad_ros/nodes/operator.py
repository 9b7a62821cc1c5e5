"""The person at the rig, for programs: puts specimens down and asks for inspections, from outside the graph."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node

from physad_msgs.action import Inspect
from physad_msgs.msg import Verdict
from physad_msgs.srv import PlaceSpecimen
from physad_ros.core.errors import BadData, PhysadError, WrongUse

LOOK_S = 0.2  # how often a wait looks whether the graph still runs


class Operator(Node):
    """Blocking calls for the main thread of a program while an executor spins this node in another thread."""

    def __init__(self) -> None:
        super().__init__("operator")
        self._inspect = ActionClient(self, Inspect, "/inspect")
        self._place = self.create_client(PlaceSpecimen, "/mujoco_rig/place")
        self._asked: Any = None  # future of the handle of the inspection that runs
        self.failure: BaseException | None = None  # of the graph, told by who spins it; nothing is waited for after that

    def close(self) -> None:
        """Stop what it asked for and nobody waits for any more."""
        self.cancel()

    def wait_ready(self, timeout_s: float) -> None:
        """Return once the inspector takes goals; PhysadError if it does not in time."""
        if not self._inspect.wait_for_server(timeout_sec=timeout_s):
            raise PhysadError(f"the inspector did not start within {timeout_s:g} s; see the messages above")

    def place(self, category: str, object: str, defect: str, severity: float, seed: int) -> None:
        """Put a specimen on the simulated rig."""
        request = PlaceSpecimen.Request(category=category, object=object, defect=defect, severity=severity, seed=seed)
        if not self._place.wait_for_service(timeout_sec=5.0):
            raise WrongUse("this rig has no simulated specimens to place")
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
        timeout_s: float = 300.0,
    ) -> Verdict:
        """One inspection. A KeyboardInterrupt meanwhile cancels it; call ``cancel`` and then ``result`` to see its end."""
        goal = Inspect.Goal(clip_id=clip_id, category=category, object=object, seed=seed, out=out)

        def told(message: Any) -> None:
            f = message.feedback
            on_feedback(f.state, f.phase, f.progress)

        self._asked = self._inspect.send_goal_async(goal, told)
        return self.result(timeout_s)

    def cancel(self) -> None:
        """Ask the running inspection, if any, to stop."""
        if self._asked is not None:  # also one that is yet to be accepted
            self._asked.add_done_callback(lambda asked: asked.result().cancel_goal_async())

    def result(self, timeout_s: float) -> Verdict:
        """The verdict of the inspection that runs, once it is over."""
        if self._asked is None:
            raise PhysadError("no inspection runs")
        goal = self._wait(self._asked, 10.0, "the inspector did not answer")
        if not goal.accepted:
            self._asked = None
            raise WrongUse("the inspector refused: it is busy with another inspection, or not active")
        answer = self._wait(goal.get_result_async(), timeout_s, "the inspection did not end")
        self._asked = None
        return answer.result.verdict

    def _wait(self, future: Any, timeout_s: float, otherwise: str) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        end = time.monotonic() + timeout_s
        while not done.wait(LOOK_S):
            if self.failure is not None:
                raise PhysadError(f"the graph has failed: {self.failure!r}") from self.failure
            if time.monotonic() > end:
                raise PhysadError(f"{otherwise} within {timeout_s:g} s")
        return future.result()
