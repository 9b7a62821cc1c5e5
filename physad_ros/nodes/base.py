"""What every node of ours has: a lifecycle that starts by itself, parameters from a dataclass, diagnostics and a heartbeat.

Names are relative, so that a node serves in any namespace. What a node makes it keeps until it is destroyed, after its executor has
ended; while it is inactive, nothing of what comes in reaches it. For to take an entity from a spinning EventsExecutor is a
segmentation fault where an event of it is queued (rclpy 9.1: Python objects are freed or used without the interpreter's lock).
"""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Empty

from physad_ros.core.errors import BadData, Exit, PhysadError, why
from physad_ros.nodes import parameters
from physad_ros.nodes.waiting import result, until

BEAT_S = 0.2  # between two heartbeats of a node
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STREAM = QoSProfile(depth=240, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
LIFE = QoSProfile(depth=1)


class _Gate:
    """What an entity calls: a node's callback while the node is active, nothing otherwise."""

    callback: Any = None

    def __call__(self, *arguments: Any) -> Any:
        return self.callback(*arguments) if self.callback is not None else None


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


class Adapter(LifecycleNode, ABC):
    """Base of our nodes. ``activate`` makes what the node offers, ``deactivate`` ends what runs; both may raise PhysadError.

    What runs may take a moment to end: it can still publish and call others, but nothing new reaches it.
    """

    config_type: ClassVar[type]
    threads: ClassVar[int] = 1

    def __init__(self, name: str, values: dict[str, Any] | None = None, **options: Any):
        overrides = [Parameter(key, value=list(v) if isinstance(v, tuple) else v) for key, v in (values or {}).items()]
        self._entities: dict[tuple[Any, ...], tuple[Any, _Gate]] = {}  # and what they call; before what may fail, for destroy_node
        super().__init__(name, parameter_overrides=overrides, **options)
        parameters.declare(self, self.config_type)
        self.declare_parameter("autostart", True)
        self.group = ReentrantCallbackGroup()
        self.facts: dict[str, Any] = {}  # for diagnostics
        self._trouble = ""
        self._active = False
        self._wanted: list[tuple[Any, ...]] = []  # keys of those that this activity has asked for
        self._failure: Exception | None = None
        self._starting = False
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._report, callback_group=self.group, clock=self._steady)

    @property
    def trouble(self) -> str:
        """What is wrong, for diagnostics; empty while all is well. A new one is told at once, from any thread."""
        return self._trouble

    @trouble.setter
    def trouble(self, text: str) -> None:
        new, self._trouble = text != self._trouble, text
        if new:
            self._report()

    # -- to be overridden -------------------------------------------------------------------------------------------

    @abstractmethod
    def activate(self) -> None:
        """Make publishers, subscriptions, services, actions and timers."""

    def deactivate(self) -> None:
        """End what runs; what was made through the helpers below calls nothing after this."""

    # -- lifecycle --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Configure and activate, unless the parameter autostart says not to. Raises PhysadError where that fails."""
        if not self.get_parameter("autostart").value:
            return
        self._starting = True  # what goes wrong is raised here, so that nothing else need tell it
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() is not TransitionCallbackReturn.SUCCESS:
                failure = self._failure
                kind = BadData if isinstance(failure, PhysadError) and failure.status is Exit.WRONG_USE else PhysadError
                raise kind(f"{self.get_name()} does not start: {why(failure) if failure else 'unknown why'}") from failure
        self._starting = False

    def close(self) -> None:
        """End in order, from any state."""
        if self._active:
            self.trigger_deactivate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt(self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.trouble = ""
        self.workers = ThreadPoolExecutor(self.threads, thread_name_prefix=self.get_name())
        self._active = True
        outcome = self._attempt(self.activate)
        if outcome is not TransitionCallbackReturn.SUCCESS:
            self._close_gates()
            return outcome
        alive = self.publisher(Empty, "~/alive", LIFE)  # last, so that who finds it finds the rest too
        self.every(BEAT_S, lambda: alive.publish(Empty()))
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        outcome = self._attempt(self.deactivate)
        self._close_gates()
        return outcome

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.on_deactivate(state) if self._active else TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self.config: Any = parameters.read(self, self.config_type)

    def _close_gates(self) -> None:
        self._active = False
        for _, gate in self._entities.values():
            gate.callback = None
        self._wanted.clear()
        self.workers.shutdown(wait=False, cancel_futures=True)

    def _attempt(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as error:  # rclpy would swallow it; start raises it, and a remote caller gets FAILURE
            self._failure = error
            self.trouble = why(error)
            if not self._starting:
                self.get_logger().error(self.trouble)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Free the node; its executor must have been shut down."""
        for made, _ in self._entities.values():
            if isinstance(made, (ActionServer, ActionClient)):
                made.destroy()
        super().destroy_node()

    # -- what nodes are made of -------------------------------------------------------------------------------------

    def _entity(self, make: Callable[[_Gate], Any], callback: Any, *key: Any) -> Any:
        """What was made for this key in an earlier activity, or is now; it calls ``callback`` until the node is deactivated."""
        key = (*key, self._wanted.count(key))  # there may be two subscriptions to one topic
        self._wanted.append(key[:-1])
        if key not in self._entities:
            gate = _Gate()
            self._entities[key] = make(gate), gate
        made, gate = self._entities[key]
        gate.callback = callback
        return made

    def publisher(self, kind: type, topic: str, qos: QoSProfile | int = 10) -> Any:
        return self._entity(lambda _: self.create_publisher(kind, topic, qos), None, "publisher", kind, topic)

    def subscribe(self, kind: type, topic: str, callback: Callable[..., Any], qos: Any = 10, **options: Any) -> Any:
        def make(gate: _Gate) -> Any:
            return self.create_subscription(kind, topic, lambda message: gate(message), qos, callback_group=self.group, **options)

        return self._entity(make, callback, "subscription", kind, topic)

    def serve(self, kind: type, name: str, callback: Callable[..., Any]) -> None:
        def make(gate: _Gate) -> Any:
            async def answer(request: Any, response: Any) -> Any:
                try:
                    answered = await _awaited(gate(request, response))
                except Exception:
                    if gate.callback is not None:
                        raise
                    answered = None
                if answered is None:  # the node is not active, or was deactivated meanwhile
                    response.message = f"{self.get_name()} is not active"
                return answered or response

            return self.create_service(kind, name, answer, callback_group=self.group)

        self._entity(make, callback, "service", kind, name)

    def client(self, kind: type, name: str) -> Any:
        return self._entity(lambda _: self.create_client(kind, name, callback_group=self.group), None, "client", kind, name)

    def every(self, period_s: float, callback: Callable[[], Any]) -> None:
        """A timer on the steady clock, so that it also runs while simulated time stands still."""
        def make(gate: _Gate) -> Any:
            return self.create_timer(period_s, lambda: gate(), callback_group=self.group, clock=self._steady)

        self._entity(make, callback, "timer", period_s)

    def offer(self, kind: type, name: str, execute: Callable[..., Any], goal: Callable[..., Any]) -> None:
        """Take goals of an action until the node is deactivated; after that they are rejected."""
        def make(gate: _Gate) -> Any:
            async def admit(request: Any) -> GoalResponse:
                return GoalResponse.REJECT if gate.callback is None else await _awaited(gate.callback[1](request))

            async def run(handle: Any) -> Any:
                try:
                    return await gate.callback[0](handle)
                except Exception:
                    if gate.callback is not None:
                        raise
                if handle.is_active:  # the node was deactivated meanwhile
                    handle.abort()
                return kind.Result()  # type: ignore[attr-defined]

            return ActionServer(
                self, kind, name, run, goal_callback=admit, cancel_callback=lambda _: CancelResponse.ACCEPT, callback_group=self.group
            )

        self._entity(make, (execute, goal), "offer", kind, name)

    def action(self, kind: type, name: str) -> ActionClient:
        return self._entity(lambda _: ActionClient(self, kind, name, callback_group=self.group), None, "action", kind, name)

    async def in_worker(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Result of a call that takes long, made in a worker thread; raises what it raises."""
        return await result(self.workers.submit(call, *arguments))

    @property
    def rig_clock(self) -> Callable[[], float]:
        """Seconds on the clock that deadlines of the rig go by: simulated time where there is one."""
        return self.now_s if self.get_clock().ros_time_is_active else time.monotonic

    async def until(self, done: Callable[[], bool], timeout_s: float, what: str = "an answer") -> None:
        """Wait until ``done()``; Overdue where it is not in time, also by the rig's clock."""
        await until(done, timeout_s, what, self.rig_clock)

    def now_s(self) -> float:
        """Seconds on the clock that stamps the frames."""
        return self.get_clock().now().nanoseconds * 1e-9

    def steady_s(self) -> float:
        """Seconds on a clock that always runs, for deadlines."""
        return float(self._steady.now().nanoseconds * 1e-9)

    @property
    def title(self) -> str:
        """Name in diagnostics: with the namespace, where there is one."""
        return titled(self.get_namespace(), self.get_name())

    def _report(self) -> None:
        level = DiagnosticStatus.ERROR if self.trouble else DiagnosticStatus.OK
        status = DiagnosticStatus(level=level, name=self.title, message=self.trouble or "well", hardware_id="physad")
        status.values = [KeyValue(key=key, value=str(value)) for key, value in self.facts.items()]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)


def titled(namespace: str, name: str) -> str:
    """Name of a node in diagnostics, whose topic all namespaces share."""
    return f"{namespace}/{name}".lstrip("/")
