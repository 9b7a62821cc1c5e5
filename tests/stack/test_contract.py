"""The simulated rig keeps the rig's contract: names, types, stamps, and answers like the real controllers'."""

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from geometry_msgs.msg import WrenchStamped
from live_graph import running
from rclpy.action import ActionClient
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from physad_msgs.msg import LightLevels, MotorCommand
from physad_msgs.srv import PlaceSpecimen
from physad_ros.core.types import Move
from physad_ros.dataset.video import decode_jpeg
from physad_ros.motion import trajectory, ur5
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED
from physad_ros.nodes.mujoco_rig import MujocoRig

TOPICS = {
    "/clock": Clock,
    "/joint_states": JointState,
    "/force_torque_sensor_broadcaster/ft_data": WrenchStamped,
    "/motor/state": JointState,
    "/light/state": LightLevels,
    "/camera/image_raw": Image,
    "/camera/image_raw/compressed": CompressedImage,
    "/camera/camera_info": CameraInfo,
}
COMMANDS = {"/motor/command": MotorCommand, "/light/command": LightLevels}
ACTIONS = {
    "/scaled_joint_trajectory_controller/follow_joint_trajectory": FollowJointTrajectory,
    "/gripper_controller/gripper_cmd": ParallelGripperCommand,
}


@pytest.fixture(scope="module")
def graph():
    values = {"category": "fan", "defect": "anomaly_free", "seed": 1, "height": 144, "real_time_factor": 0.0}
    with running(lambda: [MujocoRig(values)]) as running_graph:
        yield running_graph


@pytest.fixture(autouse=True)
def whole(graph):
    """No fault outlives its test."""
    yield
    graph.fault(camera_stalled=False, camera_frozen=False, robot_stopped=False, controllers_active=True, nan_joint_state=False)


@pytest.fixture(scope="module")
def arm(graph):
    client = graph.make(ActionClient, graph.probe, FollowJointTrajectory, "/scaled_joint_trajectory_controller/follow_joint_trajectory")
    graph.wait(client.server_is_ready)
    return client


@pytest.fixture(scope="module")
def hand(graph):
    client = graph.make(ActionClient, graph.probe, ParallelGripperCommand, "/gripper_controller/gripper_cmd")
    graph.wait(client.server_is_ready)
    return client


def now_rad(graph):
    return graph["mujoco_rig"].joints.positions_rad.copy()


def move(graph, by_rad, duration_s=1.0) -> Move:
    start = now_rad(graph)
    return trajectory.to_joints("test", start, start + np.array([by_rad, 0, 0, 0, 0, 0]), duration_s=duration_s)


def send(graph, client, goal, feedback=None):
    handle = graph.result(client.send_goal_async(goal, feedback))
    return handle, handle.get_result_async() if handle.accepted else None


def follow(motion, begin_s=0.0):
    return FollowJointTrajectory.Goal(trajectory=convert.trajectory_msg(motion, ur5.JOINTS, begin_s))


@pytest.mark.parametrize("topic", [*TOPICS, *COMMANDS])
def test_every_topic_is_there_by_its_name_and_type(graph, topic):
    expected = {**TOPICS, **COMMANDS}[topic]
    graph.wait(lambda: topic in dict(graph.probe.get_topic_names_and_types()))
    kinds = dict(graph.probe.get_topic_names_and_types())[topic]
    assert kinds == [f"{expected.__module__.split('.')[0]}/msg/{expected.__name__}"]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_speaks(graph, topic):
    got = graph.collect(TOPICS[topic], topic, LATCHED if topic == "/light/state" else 10)
    graph.wait(lambda: len(got) >= 2, 5.0, topic)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_there(graph, action):
    client = graph.make(ActionClient, graph.probe, ACTIONS[action], action)
    graph.wait(client.server_is_ready)


def test_it_offers_nothing_but_the_contract_and_what_is_its_own(graph):
    mine = {
        *TOPICS, *COMMANDS, "/diagnostics", "/rosout", "/parameter_events", "/mujoco_rig/alive", "/mujoco_rig/truth",
        "/mujoco_rig/transition_event",
    }  # fmt: skip
    offered = {name for name, _ in graph.probe.get_publisher_names_and_types_by_node("mujoco_rig", "/")}
    assert {n for n in offered if "_action" not in n} <= mine


def test_frames_come_60_times_a_second_by_their_stamps_and_info_with_the_same(graph):
    frames, infos = graph.collect(CompressedImage, "/camera/image_raw/compressed", 200), graph.collect(
        CameraInfo, "/camera/camera_info", 200
    )
    graph.wait(lambda: len(frames) > 61 and len(infos) > 61)
    stamps = [Time.from_msg(m.header.stamp).nanoseconds for m in frames]
    indices = [round(s * 60 / 1e9) for s in stamps]
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    assert all(s == round(k * 1e9 / 60) for s, k in zip(stamps, indices))
    told = {Time.from_msg(m.header.stamp).nanoseconds for m in infos}
    assert len(told & set(stamps)) > 50
    assert decode_jpeg(frames[0].data).shape == (144, 256, 3)


def test_the_clock_never_goes_back_and_a_new_specimen_does_not_set_it_back(graph):
    got = graph.collect(Clock, "/clock", 500)
    request = PlaceSpecimen.Request(category="clip", defect="anomaly_free", severity=-1.0, seed=3)
    assert graph.call(PlaceSpecimen, "/mujoco_rig/place", request).success
    graph.wait(lambda: len(got) > 100)
    times = [convert.seconds(m.clock) for m in got]
    assert times == sorted(times)
    back = PlaceSpecimen.Request(category="fan", defect="anomaly_free", severity=-1.0, seed=1)
    assert graph.call(PlaceSpecimen, "/mujoco_rig/place", back).success


def test_what_cannot_be_placed_is_refused_with_the_valid_names(graph):
    answer = graph.call(PlaceSpecimen, "/mujoco_rig/place", PlaceSpecimen.Request(category="fan", defect="bent", seed=3))
    assert not answer.success
    assert "stuck, uneven, vibrate" in answer.message


def test_a_trajectory_begins_at_its_stamp_and_succeeds(graph, arm):
    motion = move(graph, 0.1)
    begin = graph["mujoco_rig"].time_s + 0.5
    handle, ended = send(graph, arm, follow(motion, begin))
    assert handle.accepted
    answer = graph.result(ended, 20.0)
    assert answer.status == GoalStatus.STATUS_SUCCEEDED
    assert answer.result.error_code == FollowJointTrajectory.Result.SUCCESSFUL
    assert begin + motion.duration_s <= graph["mujoco_rig"].time_s
    np.testing.assert_allclose(now_rad(graph), motion.positions_rad[-1], atol=0.01)


def test_a_canceled_trajectory_holds(graph, arm):
    feedback = []
    handle, ended = send(graph, arm, follow(move(graph, -0.3, 3.0)), feedback.append)
    graph.wait(lambda: len(feedback) > 3)
    graph.result(handle.cancel_goal_async())
    assert graph.result(ended).status == GoalStatus.STATUS_CANCELED
    graph.wait(lambda: np.abs(graph["mujoco_rig"].joints.velocities_rad_s).max() < 0.005)
    stood = now_rad(graph)
    later = graph["mujoco_rig"].time_s + 1.0
    graph.wait(lambda: graph["mujoco_rig"].time_s > later)
    np.testing.assert_allclose(now_rad(graph), stood, atol=0.005)


def test_a_new_trajectory_preempts_the_old_one_which_aborts(graph, arm):
    _, first = send(graph, arm, follow(move(graph, 0.3, 3.0)))
    _, second = send(graph, arm, follow(move(graph, 0.05, 1.0)))
    answer = graph.result(first)
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, -1)
    assert graph.result(second, 20.0).status == GoalStatus.STATUS_SUCCEEDED


def test_a_stopped_robot_leaves_its_goal_hanging_and_goes_on_later(graph, arm):
    graph.fault(robot_stopped=True)
    handle, ended = send(graph, arm, follow(move(graph, 0.1, 0.5)))
    assert handle.accepted
    later = graph["mujoco_rig"].time_s + 3.0
    graph.wait(lambda: graph["mujoco_rig"].time_s > later, 20.0)
    assert not ended.done()
    graph.fault(robot_stopped=False)
    assert graph.result(ended, 20.0).status == GoalStatus.STATUS_SUCCEEDED


def test_inactive_controllers_reject(graph, arm, hand):
    graph.fault(controllers_active=False)
    assert not send(graph, arm, follow(move(graph, 0.1)))[0].accepted
    goal = ParallelGripperCommand.Goal(command=JointState(name=["finger_joint"], position=[0.03], effort=[20.0]))
    assert not send(graph, hand, goal)[0].accepted


def test_a_goal_that_runs_when_its_controller_is_deactivated_is_aborted(graph, arm):
    handle, ended = send(graph, arm, follow(move(graph, 0.3, 3.0)))
    assert handle.accepted
    graph.fault(controllers_active=False)
    answer = graph.result(ended)
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, -1)
    graph.wait(lambda: np.abs(graph["mujoco_rig"].joints.velocities_rad_s).max() < 0.005)


def test_the_force_is_told_in_the_driver_s_frame(graph):
    got = graph.collect(WrenchStamped, "/force_torque_sensor_broadcaster/ft_data")
    graph.wait(lambda: got)
    assert got[0].header.frame_id == "tool0_controller"


def test_a_trajectory_of_nan_or_of_other_joints_is_rejected(graph, arm):
    bad = follow(move(graph, 0.1))
    bad.trajectory.points[-1].positions[0] = float("nan")
    assert not send(graph, arm, bad)[0].accepted
    other = follow(move(graph, 0.1))
    other.trajectory.joint_names[0] = "hip_joint"
    assert not send(graph, arm, other)[0].accepted


def test_the_gripper_reaches_its_opening_or_is_rejected_beyond_it(graph, hand):
    def goal(opening_m):
        return ParallelGripperCommand.Goal(command=JointState(name=["finger_joint"], position=[opening_m], effort=[20.0]))

    answer = graph.result(send(graph, hand, goal(0.02))[1])
    assert answer.status == GoalStatus.STATUS_SUCCEEDED
    assert answer.result.reached_goal and not answer.result.stalled
    assert answer.result.state.position[0] == pytest.approx(0.02, abs=6e-4)
    assert not send(graph, hand, goal(0.5))[0].accepted


def test_lights_change_as_commanded_and_the_picture_with_them(graph):
    frames = graph.collect(CompressedImage, "/camera/image_raw/compressed", 10)
    command = graph.make(graph.probe.create_publisher, LightLevels, "/light/command", 10)
    graph.wait(lambda: command.get_subscription_count() == 1)
    bright = {}
    for level in (0.1, 0.9):
        command.publish(convert.levels_msg({"left": level, "right": level}, 0.0))
        graph.wait(lambda: abs(graph["mujoco_rig"].rig.light_state()["left"] - level) < 1e-3)  # noqa: B023
        frames.clear()
        graph.wait(lambda: len(frames) > 8)
        bright[level] = decode_jpeg(frames[-1].data).mean()
    assert bright[0.9] > 1.3 * bright[0.1]


def test_a_motor_command_takes_effect_at_its_stamp(graph):
    command = graph.make(graph.probe.create_publisher, MotorCommand, "/motor/command", 10)
    graph.wait(lambda: command.get_subscription_count() == 1)
    states = graph.collect(JointState, "/motor/state", 500)
    begin = graph["mujoco_rig"].time_s + 1.0
    command.publish(MotorCommand(header=convert.header(begin), name="motor", value=5.0))
    graph.wait(lambda: graph["mujoco_rig"].time_s > begin + 1.0)
    fast = [convert.seconds(m.header.stamp) for m in states if abs(m.velocity[0]) > 0.5]
    assert fast and begin <= fast[0] < begin + 0.3
    command.publish(MotorCommand(name="motor", value=0.0))


def test_a_stalled_camera_is_silent_and_a_frozen_one_repeats_itself(graph):
    frames = graph.collect(CompressedImage, "/camera/image_raw/compressed", 100)
    graph.wait(lambda: len(frames) > 5)
    assert len({bytes(m.data) for m in frames[-5:]}) == 5  # a real sensor never shows the same twice
    graph.fault(camera_frozen=True)
    frames.clear()
    graph.wait(lambda: len(frames) > 10)
    assert len({bytes(m.data) for m in frames[-3:]}) == 1
    graph.fault(camera_frozen=False, camera_stalled=True)
    later = graph["mujoco_rig"].time_s + 0.5
    graph.wait(lambda: graph["mujoco_rig"].time_s > later)
    count = len(frames)
    graph.wait(lambda: graph["mujoco_rig"].time_s > later + 0.5)
    assert len(frames) == count
