"""What the rig felt, collected from its topics into core Signals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from physad_ros.core.ring import Ring
from physad_ros.core.types import Signals, Timetable
from physad_ros.dataset.signals import MARGIN_S, Told, joints_told, motors_told, signals_of, wrench_told
from physad_ros.nodes import convert
from physad_ros.nodes.base import STREAM, Adapter

SPAN_S = 60.0


class SignalsCollector:
    """The last minute of joints, wrench and motors, cut by stamp."""

    def __init__(self, node: Adapter):
        self._node = node
        self._joints = self._listen(JointState, "joint_states", joints_told)
        self._wrench = self._listen(WrenchStamped, "force_torque_sensor_broadcaster/ft_data", wrench_told)
        self._motors = self._listen(JointState, "motor/state", motors_told)

    def _listen(self, kind: type, topic: str, tells: Callable[[float, Any], Told]) -> Ring[Told]:
        ring: Ring[Told] = Ring(SPAN_S)
        self._node.subscribe(kind, topic, partial(_take, ring, tells), STREAM)
        return ring

    def of(self, timetable: Timetable) -> Signals:
        """What was felt during a window, and as long before and after it as a bag keeps: the same as is read from the bag."""
        begin_s, end_s = timetable.window_begin_s - MARGIN_S, timetable.window_end_s + MARGIN_S
        told = ([entry for _, entry in ring.window(begin_s, end_s)] for ring in (self._joints, self._wrench, self._motors))
        return signals_of(timetable, *told)


def _take(ring: Ring[Told], tells: Callable[[float, Any], Told], message: Any) -> None:
    stamp_s = convert.seconds(message.header.stamp)
    ring.push(stamp_s, tells(stamp_s, message))
