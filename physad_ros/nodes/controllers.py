"""Goals to the rig's controllers."""

from __future__ import annotations

from typing import Any

from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from sensor_msgs.msg import JointState

from physad_msgs.action import Interact
from physad_msgs.msg import MotorCommand
from physad_ros.core.types import Move
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.base import Adapter
from physad_ros.nodes.waiting import send

Code = Interact.Result  # the error codes are named there
ANSWER_S = 1.0


class Fault(Exception):
    """The interaction cannot go on; carries Interact's error code, and whether the robot itself is well."""

    def __init__(self, code: int, reason: str, can_retreat: bool = False):
        super().__init__(reason)
        self.code = code
        self.can_retreat = can_retreat


class Controllers:
    """Goals to the rig's controllers."""

    def __init__(self, node: Adapter, trajectory_action: str, gripper_action: str):
        self._node = node
        self._arm = node.action(FollowJointTrajectory, trajectory_action)
        self._gripper = node.action(ParallelGripperCommand, gripper_action)
        self.motor = node.publisher(MotorCommand, "motor/command", 240)

    async def move(self, move: Move, begin_s: float) -> Any:
        """Goal handle of a motion that begins at ``begin_s``; Fault where the controller is away or rejects it."""
        goal = FollowJointTrajectory.Goal(trajectory=convert.trajectory_msg(move, JOINTS, begin_s))
        return await self._send(self._arm, goal, "trajectory")

    async def grip(self, opening_m: float, effort_n: float) -> Any:
        """Goal handle of a gripper motion; Fault likewise."""
        goal = ParallelGripperCommand.Goal()
        goal.command = JointState(name=[gripper.JOINT], position=[float(opening_m)], effort=[float(effort_n)])
        return await self._send(self._gripper, goal, "gripper")

    async def _send(self, client: Any, goal: Any, name: str) -> Any:
        if not client.server_is_ready():
            raise Fault(Code.CONTROLLER_FAILED, f"the {name} controller is not there")
        handle = await send(client, goal, ANSWER_S, f"the {name} controller's answer", self._node.rig_clock)
        if not handle.accepted:
            raise Fault(Code.CONTROLLER_FAILED, f"the {name} controller rejected the goal: it is not active")
        return handle
