"""What the rig says of itself: joints, gripper, force and motors, as they are, or why that is not known."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from physad_ros.core.types import Floats
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.base import STREAM, Adapter
from physad_ros.nodes.controllers import Code, Fault
from physad_ros.nodes.waiting import HANG_S, Overdue

ALL_JOINTS = (*JOINTS, gripper.JOINT)


@dataclass(frozen=True)
class _Told:
    """A value with its two times."""

    value: Any
    stamp_s: float  # of the rig's clock
    seen_s: float  # on the wall clock


class RigState:
    """The latest of each joint, motor and force, by name: several may publish on one topic, each of its own joints.

    All methods raise Fault where what they are asked for is unknown, old or not in numbers.
    """

    def __init__(self, node: Adapter, age_max_s: float):
        self._node = node
        self._age_max_s = age_max_s
        self._told: dict[str, dict[str, _Told]] = {"joint state": {}, "motor state": {}, "force": {}}
        node.subscribe(JointState, "joint_states", partial(self._on_joints, "joint state"), STREAM)
        node.subscribe(JointState, "motor/state", partial(self._on_joints, "motor state"), STREAM)
        node.subscribe(WrenchStamped, "force_torque_sensor_broadcaster/ft_data", self._on_force, STREAM)

    def _on_joints(self, what: str, message: JointState) -> None:
        for name, position in zip(message.name, message.position):
            self._tell(what, name, position, message)

    def _on_force(self, message: WrenchStamped) -> None:
        force = message.wrench.force
        self._tell("force", "", (force.x, force.y, force.z), message)

    def _tell(self, what: str, name: str, value: Any, message: Any) -> None:
        self._told[what][name] = _Told(value, convert.seconds(message.header.stamp), time.monotonic())

    async def reported(self, what: str, names: Sequence[str] = ALL_JOINTS) -> None:
        """Wait a moment until these joints have been told of."""
        with contextlib.suppress(Overdue):
            await self._node.until(lambda: set(names) <= set(self._told[what]), 1.0)
        self._fresh(what, names)

    def positions_rad(self) -> Floats:
        """(6,) joint positions."""
        return self._numbers("joint state", JOINTS)

    def opening_m(self) -> float:
        """Opening of the gripper."""
        return float(self._numbers("joint state", (gripper.JOINT,))[0])

    def check_motors(self, names: tuple[str, ...]) -> None:
        """Whether motors that are to be driven report."""
        self._numbers("motor state", names)

    def force_n(self) -> Floats:
        """(3,) force at the tool."""
        return self._numbers("force", ("",))[0]

    def _numbers(self, what: str, names: Sequence[str]) -> Floats:
        values = np.array([told.value for told in self._fresh(what, names)], dtype=float)
        if not np.isfinite(values).all():
            raise Fault(Code.NO_STATE, f"the {what} is not a number" if what == "force" else "a joint position is not a number")
        return values

    def _fresh(self, what: str, names: Sequence[str]) -> list[_Told]:
        known = self._told[what]
        if not known:
            raise Fault(Code.NO_STATE, f"no {what}")
        if missing := [name for name in names if name not in known]:
            raise Fault(Code.NO_STATE, f"the {what} lacks {', '.join(missing)}; it tells of {', '.join(sorted(known))}")
        told = [known[name] for name in names]
        steady_s, now_s = time.monotonic(), self._node.now_s()
        age = max(steady_s - t.seen_s for t in told)
        # by both clocks: a rig that is simulated slower than real time has not lost its state
        late = any(min(steady_s - t.seen_s, now_s - t.stamp_s) > self._age_max_s for t in told)
        if late or age > HANG_S:
            raise Fault(Code.NO_STATE, f"the {what} is {age:.1f} s old")
        return told
