"""What every node of ours has: a lifecycle that starts by itself, parameters from a dataclass, diagnostics and a sign of life."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Empty

from physad_ros.core.errors import BadData, Exit, PhysadError, why
from physad_ros.nodes import parameters
from physad_ros.nodes.waiting import result

LEASE_S = 0.8  # less would be missed by a process that waits for a busy processor
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
STREAM = QoSProfile(depth=240, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
LIFE = QoSProfile(
    depth=1, liveliness=LivelinessPolicy.AUTOMATIC, liveliness_lease_duration=Duration(seconds=LEASE_S)
)


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
        """End what runs; entities made through the helpers below are removed after this."""

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
        self.publisher(Empty, "~/alive", LIFE)  # last, so that who finds it finds the rest too
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
            self.trouble = why(error)
            if not self._starting:
                self.get_logger().error(self.trouble)
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    # -- what nodes are made of -------------------------------------------------------------------------------------

    def publisher(self, kind: type, topic: str, qos: QoSProfile | int = 10) -> Any:
        made = self.create_publisher(kind, topic, qos)
        self._undo.append(lambda: self.destroy_publisher(made))
        return made

    def subscribe(self, kind: type, topic: str, callback: Callable[..., Any], qos: Any = 10, **options: Any) -> Any:
        made = self.create_subscription(kind, topic, callback, qos, callback_group=self.group, **options)
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

    def offer(self, kind: type, name: str, execute: Callable[..., Any], goal: Callable[..., GoalResponse]) -> ActionServer:
        made = ActionServer(
            self, kind, name, execute, goal_callback=goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT, callback_group=self.group,
        )
        self._undo.append(made.destroy)
        return made

    def action(self, kind: type, name: str) -> ActionClient:
        made = ActionClient(self, kind, name, callback_group=self.group)
        self._undo.append(made.destroy)
        return made

    async def in_worker(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Result of a call that takes long, made in a worker thread; raises what it raises."""
        return await result(self.workers.submit(call, *arguments))

    def now_s(self) -> float:
        """Seconds on the clock that stamps the frames."""
        return self.get_clock().now().nanoseconds * 1e-9

    def steady_s(self) -> float:
        """Seconds on a clock that always runs, for deadlines."""
        return float(self._steady.now().nanoseconds * 1e-9)

    def _report(self) -> None:
        level = DiagnosticStatus.ERROR if self.trouble else DiagnosticStatus.OK
        status = DiagnosticStatus(level=level, name=self.get_name(), message=self.trouble or "well", hardware_id="physad")
        status.values = [KeyValue(key=key, value=str(value)) for key, value in self.facts.items()]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)
