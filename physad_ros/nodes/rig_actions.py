"""The simulated rig's two actions, answering as ros2_control's controllers do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from rclpy.action import GoalResponse
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectoryPoint

from physad_ros.core.errors import why
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.waiting import at_most, result
from physad_ros.sim import readings
from physad_ros.sim.controllers import Handle, Rejected, Status, Tolerances, TrajectoryGoal

if TYPE_CHECKING:
    from physad_ros.nodes.mujoco_rig import MujocoRig

FEEDBACK_S = 0.05


class GoalServer(ABC):
    """What both have in common: a goal is taken or rejected by the simulated controller, then watched to its end."""

    def __init__(self, node: MujocoRig, kind: type, name: str):
        self._node = node
        self._taken: dict[int, Handle] = {}  # by identity of the goal, between its acceptance and its execution
        node.offer(kind, name, self._execute, self._accept)

    async def _accept(self, goal: Any) -> GoalResponse:
        try:
            self._taken[id(goal)] = await result(self._node.in_sim(self._send, goal))
        except Rejected as error:
            self._node.get_logger().warning(f"goal rejected: {why(error)}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    async def _execute(self, goal: Any) -> Any:
        handle = self._taken.pop(id(goal.request))
        while not handle.done:
            await at_most(FEEDBACK_S, lambda: handle.done or goal.is_cancel_requested)
            if goal.is_cancel_requested and not handle.done:
                await result(self._node.in_sim(self._cancel, handle))
            self._feed_back(goal)
        answer = await result(self._node.in_sim(self._result, handle))
        end: dict[Status, Callable[[], None]] = {Status.SUCCEEDED: goal.succeed, Status.CANCELED: goal.canceled}
        end.get(handle.status, goal.abort)()
        return answer

    @abstractmethod
    def _send(self, goal: Any) -> Handle:
        """Give the goal to the controller, in the simulation's thread; Rejected where it does not take it."""

    @abstractmethod
    def _cancel(self, handle: Handle) -> None:
        """Stop, in the simulation's thread."""

    @abstractmethod
    def _feed_back(self, goal: Any) -> None:
        """Tell how far it is."""

    @abstractmethod
    def _result(self, handle: Handle) -> Any:
        """What the action answers at its end, in the simulation's thread: of the rig as it is, not as it was last told."""


class TrajectoryServer(GoalServer):
    """FollowJointTrajectory."""

    def __init__(self, node: MujocoRig):
        super().__init__(
            node, FollowJointTrajectory, "scaled_joint_trajectory_controller/follow_joint_trajectory"
        )

    def _send(self, goal: FollowJointTrajectory.Goal) -> Handle:
        rig = self._node.rig
        return rig.trajectory.send(trajectory_goal(goal), rig.time_s)

    def _cancel(self, handle: Handle) -> None:
        self._node.rig.trajectory.cancel(handle)

    def _feed_back(self, goal: Any) -> None:
        state = self._node.joints
        actual = JointTrajectoryPoint(positions=state.positions_rad.tolist(), velocities=state.velocities_rad_s.tolist())
        head = convert.header(self._node.time_s)
        goal.publish_feedback(FollowJointTrajectory.Feedback(header=head, joint_names=list(JOINTS), actual=actual))

    def _result(self, handle: Handle) -> FollowJointTrajectory.Result:
        return FollowJointTrajectory.Result(error_code=int(handle.code), error_string=handle.text)


class GripperServer(GoalServer):
    """ParallelGripperCommand."""

    def __init__(self, node: MujocoRig):
        super().__init__(node, ParallelGripperCommand, "gripper_controller/gripper_cmd")

    def _send(self, goal: ParallelGripperCommand.Goal) -> Handle:
        command = goal.command
        if len(command.position) != 1:
            raise Rejected(f"one position is needed, not {len(command.position)}")
        effort = command.effort[0] if len(command.effort) else 0.0
        return self._node.rig.gripper.send(float(command.position[0]), float(effort))

    def _cancel(self, handle: Handle) -> None:
        rig = self._node.rig
        rig.gripper.cancel(handle, rig.joint_state().opening_m)

    def _state(self, s: readings.JointState) -> JointState:
        return JointState(header=convert.header(self._node.time_s), name=[gripper.JOINT], position=[s.opening_m],
                          velocity=[s.opening_m_s], effort=[s.grip_n])

    def _feed_back(self, goal: Any) -> None:
        goal.publish_feedback(ParallelGripperCommand.Feedback(state=self._state(self._node.joints)))

    def _result(self, handle: Handle) -> ParallelGripperCommand.Result:
        state = self._state(self._node.rig.joint_state())
        return ParallelGripperCommand.Result(state=state, stalled=handle.stalled, reached_goal=handle.reached_goal)


def trajectory_goal(goal: FollowJointTrajectory.Goal) -> TrajectoryGoal:
    """The goal in the arm's order of joints; Rejected where it names others or lacks velocities."""
    trajectory = goal.trajectory
    if sorted(trajectory.joint_names) != sorted(JOINTS):
        raise Rejected(f"the joints are {', '.join(JOINTS)}, not {', '.join(trajectory.joint_names)}")
    order = [list(trajectory.joint_names).index(name) for name in JOINTS]
    rows = [(p.positions, p.velocities) for p in trajectory.points]
    if not rows or any(len(q) != 6 or len(v) != 6 for q, v in rows):
        raise Rejected("each point needs six positions and six velocities")
    times = np.array([convert.seconds(p.time_from_start) for p in trajectory.points])
    positions, velocities = (np.array([row[i] for row in rows])[:, order] for i in (0, 1))
    return TrajectoryGoal(times, positions, velocities, convert.seconds(trajectory.header.stamp), _tolerances(goal))


def _tolerances(goal: FollowJointTrajectory.Goal) -> Tolerances:
    """The strictest that the goal states; 0 stands for the controller's own, negative for none."""
    own = Tolerances()
    time_s = convert.seconds(goal.goal_time_tolerance)
    return Tolerances(
        path_rad=_strictest([t.position for t in goal.path_tolerance], own.path_rad),
        goal_rad=_strictest([t.position for t in goal.goal_tolerance], own.goal_rad),
        goal_time_s=time_s or own.goal_time_s,
    )


def _strictest(stated: list[float], own: float) -> float:
    if any(value > 0 for value in stated):
        return min(value for value in stated if value > 0)
    return 0.0 if any(value < 0 for value in stated) else own
