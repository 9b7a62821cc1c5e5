"""What every node of ours has: a lifecycle that starts by itself, parameters from a dataclass, diagnostics and a heartbeat.

Names are relative, so that a node serves in any namespace. Actions are made once and stay for the node's life, and topics have
no QoS event handlers: both are what rclpy calls waitables, and one that leaves a spinning EventsExecutor while an event of its
own is queued is a segmentation fault (rclpy 9.1: the queued event, then the waitable's last owner, is freed without the GIL).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Empty

from physad_ros.core.errors import PhysadError
from physad_ros.nodes import parameters
from physad_ros.nodes.waiting import result, until

BEAT_S = 0.2  # between two heartbeats of a node
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STREAM = QoSProfile(depth=240, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
LIFE = QoSProfile(depth=1)


class Adapter(LifecycleNode, ABC):
    """Base of our nodes. ``activate`` makes what the node offers, ``deactivate`` ends what runs; both may raise PhysadError."""

    config_type: ClassVar[type]
    threads: ClassVar[int] = 1

    def __init__(self, name: str, values: dict[str, Any] | None = None, **options: Any):
        overrides = [Parameter(key, value=list(v) if isinstance(v, tuple) else v) for key, v in (values or {}).items()]
        super().__init__(name, parameter_overrides=overrides, **options)
        parameters.declare(self, self.config_type)
        self.declare_parameter("autostart", True)
        self.group = ReentrantCallbackGroup()
        self.facts: dict[str, Any] = {}  # for diagnostics
        self._trouble = ""
        self._undo: list[Callable[[], Any]] = []
        self._taking: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}  # actions, while they take goals
        self._actions: dict[str, ActionServer | ActionClient] = {}  # by name, for the node's life
        self._failure: Exception | None = None
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
        """End what runs; entities made through the helpers below are removed after this."""

    # -- lifecycle --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Configure and activate, unless the parameter autostart says not to. Raises PhysadError where that fails."""
        if not self.get_parameter("autostart").value:
            return
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() is not TransitionCallbackReturn.SUCCESS:
                raise PhysadError(f"{self.get_name()} does not start: {self._failure}") from self._failure

    def close(self) -> None:
        """End in order, from any state."""
        if self._undo:
            self.trigger_deactivate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt(self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.trouble = ""
        self.workers = ThreadPoolExecutor(self.threads, thread_name_prefix=self.get_name())
        self._undo.append(lambda: self.workers.shutdown(wait=False, cancel_futures=True))
        outcome = self._attempt(self.activate)
        if outcome is not TransitionCallbackReturn.SUCCESS:
            self._remove_entities()
            return outcome
        alive = self.publisher(Empty, "~/alive", LIFE)  # last, so that who finds it finds the rest too
        self.every(BEAT_S, lambda: alive.publish(Empty()))
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        outcome = self._attempt(self.deactivate)
        self._remove_entities()
        return outcome

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.on_deactivate(state) if self._undo else TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self.config: Any = parameters.read(self, self.config_type)

    def _remove_entities(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _attempt(self, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except Exception as error:  # rclpy would swallow it; start raises it, and a remote caller gets FAILURE
            self._failure = error
            self.trouble = str(error) or type(error).__name__
            self.get_logger().error(self.trouble)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Free the node; its executor must have been shut down."""
        for made in self._actions.values():
            made.destroy()
        super().destroy_node()

    # -- what nodes are made of -------------------------------------------------------------------------------------

    def publisher(self, kind: type, topic: str, qos: QoSProfile | int = 10) -> Any:
        quiet = PublisherEventCallbacks(use_default_callbacks=False)
        made = self.create_publisher(kind, topic, qos, event_callbacks=quiet)
        self._undo.append(lambda: self.destroy_publisher(made))
        return made

    def subscribe(self, kind: type, topic: str, callback: Callable[..., Any], qos: Any = 10, **options: Any) -> Any:
        quiet = SubscriptionEventCallbacks(use_default_callbacks=False)
        made = self.create_subscription(kind, topic, callback, qos, callback_group=self.group, event_callbacks=quiet, **options)
        self._undo.append(lambda: self.destroy_subscription(made))
        return made

    def serve(self, kind: type, name: str, callback: Callable[..., Any]) -> None:
        made = self.create_service(kind, name, callback, callback_group=self.group)
        self._undo.append(lambda: self.destroy_service(made))

    def client(self, kind: type, name: str) -> Any:
        made = self.create_client(kind, name, callback_group=self.group)
        self._undo.append(lambda: self.destroy_client(made))
        return made

    def every(self, period_s: float, callback: Callable[[], Any]) -> None:
        """A timer on the steady clock, so that it also runs while simulated time stands still."""
        made = self.create_timer(period_s, callback, callback_group=self.group, clock=self._steady)
        self._undo.append(lambda: self.destroy_timer(made))

    def offer(self, kind: type, name: str, execute: Callable[..., Any], goal: Callable[..., Any]) -> None:
        """Take goals of an action until the node is deactivated; after that they are rejected."""
        self._taking[name] = execute, goal
        self._undo.append(lambda: self._taking.pop(name))
        if name in self._actions:
            return

        async def admit(request: Any) -> GoalResponse:
            if name not in self._taking:
                return GoalResponse.REJECT
            answer = self._taking[name][1](request)
            return answer if isinstance(answer, GoalResponse) else await answer

        async def run(handle: Any) -> Any:
            try:
                return await self._taking[name][0](handle)
            except Exception:
                if name in self._taking:
                    raise
            if handle.is_active:  # the node was deactivated meanwhile
                handle.abort()
            return kind.Result()  # type: ignore[attr-defined]

        self._actions[name] = ActionServer(
            self, kind, name, run, goal_callback=admit, cancel_callback=lambda _: CancelResponse.ACCEPT, callback_group=self.group
        )

    def action(self, kind: type, name: str) -> ActionClient:
        if name not in self._actions:
            self._actions[name] = ActionClient(self, kind, name, callback_group=self.group)
        return self._actions[name]

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
