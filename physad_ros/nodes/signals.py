"""What the rig felt, collected from its topics into core Signals."""

from __future__ import annotations

import math

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from physad_ros.core.ring import Ring
from physad_ros.core.types import Floats, Signals, Timetable
from physad_ros.dataset.reading import MARGIN_S
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.base import STREAM, Adapter

SPAN_S = 60.0


class SignalsCollector:
    """The last minute of joints, wrench and motor, cut by stamp."""

    def __init__(self, node: Adapter):
        self._joints: Ring[Floats] = Ring(SPAN_S)
        self._wrench: Ring[Floats] = Ring(SPAN_S)
        self._motor: Ring[Floats] = Ring(SPAN_S)
        node.subscribe(JointState, "joint_states", self._on_joints, STREAM)
        node.subscribe(WrenchStamped, "force_torque_sensor_broadcaster/ft_data", self._on_wrench, STREAM)
        node.subscribe(JointState, "motor/state", self._on_motor, STREAM)

    def _on_joints(self, message: JointState) -> None:
        at = dict(zip(message.name, message.position))
        values = np.array([at.get(name, math.nan) for name in (*JOINTS, gripper.JOINT)])
        self._joints.push(convert.seconds(message.header.stamp), values)

    def _on_wrench(self, message: WrenchStamped) -> None:
        f, t = message.wrench.force, message.wrench.torque
        self._wrench.push(convert.seconds(message.header.stamp), np.array([f.x, f.y, f.z, t.x, t.y, t.z]))

    def _on_motor(self, message: JointState) -> None:
        first = (message.position, message.velocity, message.effort)
        values = np.array([v[0] if len(v) else math.nan for v in first])
        self._motor.push(convert.seconds(message.header.stamp), values)

    def of(self, timetable: Timetable) -> Signals:
        """What was felt during a window, and as long before and after it as a bag keeps: the same as is read from the bag."""
        begin_s, end_s = timetable.window_begin_s - MARGIN_S, timetable.window_end_s + MARGIN_S
        joint_stamps, joints = _stacked(self._joints, begin_s, end_s, 7)
        wrench_stamps, wrench = _stacked(self._wrench, begin_s, end_s, 6)
        motor_stamps, motor = _stacked(self._motor, begin_s, end_s, 3)
        return Signals(joint_stamps, joints[:, :6], joints[:, 6], wrench_stamps, wrench, motor_stamps, motor)


def _stacked(ring: Ring[Floats], begin_s: float, end_s: float, width: int) -> tuple[Floats, Floats]:
    """Stamps (N,) and values (N, width)."""
    items = ring.window(begin_s, end_s)
    values = np.array([v for _, v in items], dtype=float).reshape(len(items), width)
    return np.array([s for s, _ in items]), values
