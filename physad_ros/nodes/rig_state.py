"""What the rig says of itself: joints, gripper, force and motors, as they are, or why that is not known."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Floats
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.base import STREAM, Adapter
from physad_ros.nodes.controllers import Code, Fault
from physad_ros.nodes.waiting import HANG_S, Overdue


class RigState:
    """The last message of each kind. All methods raise Fault where it is unknown, old or not in numbers."""

    def __init__(self, node: Adapter, age_max_s: float):
        self._node = node
        self._age_max_s = age_max_s
        self._last: dict[str, tuple[Any, float]] = {}  # by kind: message, and when it came on the wall clock
        node.subscribe(JointState, "joint_states", partial(self._on_message, "joint state"), STREAM)
        node.subscribe(JointState, "motor/state", partial(self._on_message, "motor state"), STREAM)
        node.subscribe(WrenchStamped, "force_torque_sensor_broadcaster/ft_data", partial(self._on_message, "force"), STREAM)

    def _on_message(self, what: str, message: Any) -> None:
        self._last[what] = message, time.monotonic()

    async def reported(self, what: str) -> None:
        """Wait a moment for the first message of a kind."""
        try:
            await self._node.until(lambda: what in self._last, 1.0)
        except Overdue as error:
            raise Fault(Code.NO_STATE, f"no {what}") from error

    def positions_rad(self) -> Floats:
        """(6,) joint positions."""
        return self._positions("joint state", JOINTS)

    def opening_m(self) -> float:
        """Opening of the gripper."""
        return float(self._positions("joint state", (gripper.JOINT,))[0])

    def check_motors(self, names: tuple[str, ...]) -> None:
        """Whether motors that are to be driven report."""
        self._positions("motor state", names)

    def force_n(self) -> Floats:
        """(3,) force at the tool."""
        f = self._fresh("force").wrench.force
        force = np.array([f.x, f.y, f.z])
        if not np.isfinite(force).all():
            raise Fault(Code.NO_STATE, "the force is not a number")
        return force

    def _positions(self, what: str, names: tuple[str, ...]) -> Floats:
        message = self._fresh(what)
        try:
            return convert.joint_positions(message, names)
        except BadData as error:
            raise Fault(Code.NO_STATE, why(error)) from error

    def _fresh(self, what: str) -> Any:
        message, seen_s = self._last.get(what, (None, -math.inf))
        if message is None:
            raise Fault(Code.NO_STATE, f"no {what}")
        age = time.monotonic() - seen_s
        # by both clocks: a rig that is simulated slower than real time has not lost its state
        late = min(age, self._node.now_s() - convert.seconds(message.header.stamp)) > self._age_max_s
        if late or age > HANG_S:
            raise Fault(Code.NO_STATE, f"the {what} is {age:.1f} s old")
        return message
