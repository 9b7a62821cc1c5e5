"""The thread of the simulated rig: physics and pictures in lockstep with the clock that it tells."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from physad_ros.core.errors import PhysadError, kept_traceback, why
from physad_ros.nodes.rig_topics import RigTopics
from physad_ros.sim.rig import Rig
from physad_ros.sim.scene import STEP_HZ

if TYPE_CHECKING:
    from physad_ros.nodes.mujoco_rig import MujocoRig

TELL_STEPS = 4  # 120 times a simulated second
SLOW_STEPS = 16
BACKLOG = 4  # pictures that may wait to be encoded before the simulation waits for them
START_S = 60.0


class SimThread:
    """Makes the rig and steps it; everything else asks this thread between two steps."""

    def __init__(self, node: MujocoRig, topics: RigTopics, make: Callable[[], Rig]):
        """Raises what ``make`` raises."""
        self._node = node
        self._topics = topics
        self._inbox: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._over = threading.Event()  # nothing that is asked from now on is answered
        self._ready: Future[Rig] = Future()
        self._thread = threading.Thread(target=self._body, args=(make,), name="mujoco_rig", daemon=True)
        self._thread.start()
        self.rig: Rig = self._ready.result(START_S)

    def stop(self) -> None:
        """End it; what was asked and not done by then fails."""
        self._stop.set()
        self._thread.join(10.0)

    def ask(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have the thread make a call between two steps; PhysadError where it has ended."""
        future: Future[Any] = Future()
        self._inbox.put((future, call, arguments))
        if self._over.is_set():
            self._refuse_rest()
        return future

    def _refuse_rest(self) -> None:
        """Nobody waits for ever for a simulation that has ended."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._inbox.get_nowait()[0].set_exception(PhysadError("the simulation has ended"))

    def _body(self, make: Callable[[], Rig]) -> None:
        try:
            rig = make()
            self.joints = rig.joint_state()  # as last told
        except Exception as error:
            self._ready.set_exception(error)
            return
        self._ready.set_result(rig)
        try:
            self._simulate(rig)
        except Exception as error:
            self._node.trouble = f"the simulation has ended: {why(error)}; {kept_traceback()}"
            self._node.get_logger().fatal(self._node.trouble)  # who waits for this rig sees only its clock stand still
        finally:
            self._over.set()  # before the rest is refused, so that nothing comes between
            self._refuse_rest()
            rig.close()

    def _simulate(self, rig: Rig) -> None:
        encoding: deque[Future[None]] = deque()
        ahead_s, wall = 0.0, time.monotonic()
        while not self._stop.is_set():
            while not self._inbox.empty():
                _answer(*self._inbox.get())
            if rig.frame_due:
                encoding.append(self._node.workers.submit(self._topics.show, rig.render(), rig.scene.category.camera.fovy_deg))
                while len(encoding) > BACKLOG:
                    encoding.popleft().result()
            if rig.steps % TELL_STEPS == 0:
                self.joints = rig.joint_state()
                self._topics.tell(rig, self.joints)
                now = time.monotonic()
                ahead_s = self._pace(ahead_s - (now - wall))
                wall = now
            if rig.steps % SLOW_STEPS == 0:
                self._topics.tell_slowly(rig)
            rig.step()
            if rig.steps % TELL_STEPS == 0 and self._node.config.real_time_factor:
                ahead_s += TELL_STEPS / STEP_HZ / self._node.config.real_time_factor

    def _pace(self, ahead_s: float) -> float:
        """Wait while the simulation is ahead of the wall clock; what it is behind beyond a tenth of a second is forgotten."""
        if ahead_s > 0.0005:
            self._stop.wait(ahead_s)
        return max(ahead_s, -0.1)


def _answer(future: Future[Any], call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        future.set_result(call(*arguments))
    except Exception as error:
        future.set_exception(error)
