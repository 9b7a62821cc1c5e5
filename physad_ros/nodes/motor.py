"""One motor of the rig, run for a while and left at rest; what it measured is the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from rclpy.action import GoalResponse
from sensor_msgs.msg import JointState

from physad_msgs.action import Drive
from physad_msgs.msg import MotorCommand
from physad_ros.dataset.signals import motors_told
from physad_ros.nodes.base import Adapter
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run
from physad_ros.nodes.waiting import Stopwatch, at_most

Code = Drive.Result  # the error codes are named there
FEEDBACK_S = 0.05


@dataclass(frozen=True)
class MotorConfig:
    """Parameters of the node `motor`."""

    driver: str = parameter("rig", "what turns the motors: the rig's own topics", choices=("rig",))
    velocity_max_rad_s: float = parameter(60.0, "highest velocity that is commanded", unit="rad/s", low=0.0)
    position_max_rad: float = parameter(1000.0, "largest position that is commanded", unit="rad", low=0.0)
    duration_max_s: float = parameter(60.0, "longest run", unit="s", low=0.0)
    state_timeout_s: float = parameter(1.0, "age at which the measured state counts as lost", unit="s", low=0.1)


class MotorDriver(Protocol):
    """A controller of motors."""

    def command(self, command: MotorCommand) -> None:
        """Pass a command on."""

    def state(self, name: str) -> tuple[float, ...] | None:
        """Position [rad], velocity [rad/s] and torque [N m] of a motor; None while unknown."""

    def names(self) -> tuple[str, ...]:
        """Motors that report."""

    def lost(self, name: str, timeout_s: float) -> bool:
        """Whether a motor has told of no state for that long, or of none at all."""


class RigMotors:
    """Motors of a rig that offers /motor/command and /motor/state."""

    def __init__(self, node: Adapter):
        self._node = node
        self._state: dict[str, tuple[tuple[float, ...], Stopwatch]] = {}  # and since when it is known
        self._command = node.publisher(MotorCommand, "motor/command")
        node.subscribe(JointState, "motor/state", self._on_state)

    def command(self, command: MotorCommand) -> None:
        self._command.publish(command)

    def state(self, name: str) -> tuple[float, ...] | None:
        return self._state[name][0] if name in self._state else None

    def names(self) -> tuple[str, ...]:
        return tuple(self._state)

    def lost(self, name: str, timeout_s: float) -> bool:
        return name not in self._state or self._state[name][1].exceeds(timeout_s)

    def _on_state(self, message: JointState) -> None:
        """Others may tell of motors of their own on the same topic."""
        _, told = motors_told(0.0, message)
        self._state |= {name: (tuple(values), Stopwatch(self._node.rig_clock)) for name, values in told.items()}


class Motor(Adapter):
    """Runs one motor for a while, then leaves it at rest."""

    config_type = MotorConfig
    config: MotorConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("motor", values, **options)

    def activate(self) -> None:
        self.driver: MotorDriver = RigMotors(self)
        self._runs: dict[int, str] = {}  # by identity of the goal, the motor that it is to leave at rest
        self.offer(Drive, "drive", self._drive, lambda _: GoalResponse.ACCEPT)

    def deactivate(self) -> None:
        """Nothing turns on where the end of its run is not waited for."""
        while self._runs:
            self._release(self._runs.popitem()[1])

    def _release(self, name: str) -> None:
        self.driver.command(MotorCommand(name=name, mode=MotorCommand.RELEASE))

    async def _drive(self, handle: Any) -> Drive.Result:
        goal = handle.request
        code, reason = self._refusal(goal)
        if code:
            handle.abort()
            return Drive.Result(error_code=code, error_string=reason)
        runs = self._runs
        runs[id(handle)] = goal.command.name
        self.driver.command(goal.command)
        try:
            code, reason = await self._run(handle, self.now_s() + goal.duration_s, runs)
        finally:
            if runs.pop(id(handle), ""):  # else it is at rest, and may have been turned anew
                self._release(goal.command.name)
        if code:
            handle.abort()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.succeed()
        return Drive.Result(error_code=code, error_string=reason)

    async def _run(self, handle: Any, end_s: float, runs: dict[int, str]) -> tuple[int, str]:
        name = handle.request.command.name
        running = Stopwatch(self.rig_clock)
        while self.now_s() < end_s and not handle.is_cancel_requested:
            if id(handle) not in runs:
                return Code.NO_STATE, "the node was deactivated"
            if self.driver.lost(name, self.config.state_timeout_s):
                return Code.NO_STATE, f"motor {name!r} stopped reporting"
            position, velocity, effort = self.driver.state(name) or (math.nan,) * 3
            handle.publish_feedback(Drive.Feedback(position=position, velocity=velocity, effort=effort))
            if running.exceeds(2.0 * handle.request.duration_s + 5.0):
                return Code.NO_STATE, "the rig's clock stands still"
            await at_most(FEEDBACK_S, lambda: self.now_s() >= end_s or handle.is_cancel_requested)
        return Code.SUCCESSFUL, ""

    def _refusal(self, goal: Drive.Goal) -> tuple[int, str]:
        """Why the goal cannot be run; 0 if it can."""
        c, config = goal.command, self.config
        if all(self.driver.lost(name, config.state_timeout_s) for name in self.driver.names()):
            return Code.NO_STATE, "no motor reports"
        if c.name not in self.driver.names():
            return Code.UNKNOWN_MOTOR, f"no motor {c.name!r}; known: {', '.join(sorted(self.driver.names()))}"
        if self.driver.lost(c.name, config.state_timeout_s):
            return Code.NO_STATE, f"motor {c.name!r} does not report any more"
        highest = {MotorCommand.VELOCITY: config.velocity_max_rad_s, MotorCommand.POSITION: config.position_max_rad}
        if c.mode not in (*highest, MotorCommand.RELEASE):
            return Code.OUT_OF_LIMITS, f"no mode {c.mode}; known: 0 velocity, 1 position, 2 release"
        if c.mode in highest and not abs(c.value) <= highest[c.mode]:
            return Code.OUT_OF_LIMITS, f"{c.value} is beyond {highest[c.mode]:g}"
        if not 0 <= goal.duration_s <= config.duration_max_s:
            return Code.OUT_OF_LIMITS, f"a run lasts from 0 to {config.duration_max_s:g} s, not {goal.duration_s}"
        return Code.SUCCESSFUL, ""


def main() -> None:
    run(Motor)


if __name__ == "__main__":
    main()
