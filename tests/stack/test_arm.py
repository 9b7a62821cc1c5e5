"""The arm plays programs through the controllers as the direct player does on the simulator; what cannot be played is told."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import yaml
from action_msgs.msg import GoalStatus
from live_graph import running
from rclpy.action import ActionClient
from sensor_msgs.msg import JointState

from physad_msgs.action import Interact
from physad_msgs.msg import Interaction, Phase
from physad_ros.core.catalogue import load_category
from physad_ros.core.types import Box, World
from physad_ros.dataset.announced import timetable_of
from physad_ros.interactions.arm import Grasp
from physad_ros.interactions.base import plan
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.arm import Arm
from physad_ros.nodes.base import LATCHED, STREAM
from physad_ros.nodes.mujoco_rig import MujocoRig
from physad_ros.nodes.player import Player
from physad_ros.nodes.waiting import at_most
from physad_ros.sim import player
from physad_ros.sim.rig import STEP_S, Rig
from physad_ros.sim.specimen import random_specimen
from physad_ros.sim.twin import twins

SEED = 4
Code = Interact.Result
CATEGORIES = sorted(twins)
WHOLE = dict(camera_stalled=False, robot_stopped=False, controllers_active=True, nan_joint_state=False)


@pytest.fixture(scope="module")
def graph():
    rig = {"category": CATEGORIES[0], "defect": "anomaly_free", "seed": SEED, "height": 64, "real_time_factor": 2.0}
    with running(lambda: [MujocoRig(rig), Arm({"use_sim_time": True})]) as running_graph:
        running_graph.wait(lambda: running_graph["arm"].now_s() > 0.2)
        yield running_graph


@pytest.fixture(autouse=True)
def whole(graph):
    yield
    graph.fault(**WHOLE)


def fresh(arm):
    """Whether the arm has heard of its joints just now."""
    return time.monotonic() - max((told.seen_s for told in arm.rig._told["joint state"].values()), default=-math.inf) < 0.1


def begin(graph, category, clip_id="c", object=""):
    client = graph.make(ActionClient, graph.probe, Interact, "/interact")
    graph.wait(client.server_is_ready)
    graph.wait(lambda: fresh(graph["arm"]))  # placing takes a while, in which the rig says nothing
    handle = graph.result(client.send_goal_async(Interact.Goal(clip_id=clip_id, category=category, object=object)))
    assert handle.accepted
    return handle, handle.get_result_async()


def put(graph, category):
    specimen = random_specimen(SEED, category, defect="anomaly_free")
    rig = graph["mujoco_rig"].rig
    graph.rig_does(rig.place, specimen)
    graph.rig_does(rig.gripper.send, gripper.OPENING_MAX_M, 20.0)
    graph.wait(lambda: graph["mujoco_rig"].joints.opening_m > gripper.OPENING_MAX_M - 0.001)
    return specimen


def took_to_notice(graph, ended, event, timeout_s=10.0):
    """Seconds from an event to the ABORTED phase, and the phase's message."""
    phases = graph.collect(Phase, "/interaction/phase", 50)
    event()
    began = time.monotonic()
    graph.wait(lambda: any(p.state == Phase.ABORTED for p in phases), timeout_s)
    return time.monotonic() - began, next(p.message for p in phases if p.state == Phase.ABORTED)


@pytest.mark.parametrize("category", CATEGORIES)
def test_through_ros_and_directly_a_program_ends_in_the_same_states(graph, category):
    """Tolerances: arm 2 mrad, gripper 0.2 mm, the object's joints 2 % of what they moved and 2 mrad or 2 mm at least."""
    specimen = put(graph, category)
    phases = graph.collect(Phase, "/interaction/phase", 50)
    _handle, ended = begin(graph, category, object=specimen.object)
    answer = graph.result(ended, 60.0)
    assert (answer.result.error_code, answer.result.error_string) == (Code.SUCCESSFUL, "")
    later = graph["mujoco_rig"].time_s + 1.0  # all at rest
    graph.wait(lambda: graph["mujoco_rig"].time_s > later)
    live, live_truth = graph.rig_does(lambda: (graph["mujoco_rig"].rig.joint_state(), graph["mujoco_rig"].rig.truth()))

    direct = Rig((64, 36), specimen)
    program = plan(load_category(category), specimen.object, direct.joint_state().positions_rad)
    traces = []
    player.play(program, direct, look=False, on_frame=lambda stamp, _: traces.append(direct.truth()))
    for _ in range(round(1.0 / STEP_S)):
        direct.step()
    state, truth = direct.joint_state(), direct.truth()
    np.testing.assert_allclose(live.positions_rad, state.positions_rad, atol=2e-3)
    assert live.opening_m == pytest.approx(state.opening_m, abs=2e-4)
    for name, value in truth.items():
        moved = np.ptp([t[name] for t in traces])
        assert live_truth[name] == pytest.approx(value, abs=max(2e-3, 0.02 * moved)), name
    names = [p.name for p in phases]
    assert names[:-1] == [p.name for p in program.phases]
    assert phases[-1].state == Phase.DONE


def test_joints_of_others_on_the_topic_do_not_disturb_the_arm(graph):
    """As those of a conveyor with a controller manager of its own, far more often than the arm's."""
    put(graph, "slide")
    publisher = graph.make(graph.probe.create_publisher, JointState, "/joint_states", STREAM)

    def tell():
        stamp = convert.header(graph["mujoco_rig"].time_s)
        publisher.publish(JointState(header=stamp, name=["conveyor_joint"], position=[0.5], velocity=[0.0]))

    timer = graph.make(graph.probe.create_timer, 0.002, tell)
    try:
        graph.wait(lambda: "conveyor_joint" in graph["arm"].rig._told["joint state"])
        answer = graph.result(begin(graph, "slide")[1], 60.0)
        assert (answer.result.error_code, answer.result.error_string) == (Code.SUCCESSFUL, "")
    finally:
        graph.make(graph.probe.destroy_timer, timer)


def test_the_plan_is_announced_before_anything_moves_and_its_window_starts_on_a_frame(graph):
    put(graph, "clip")
    plans = graph.collect(Interaction, "/interaction/plan", LATCHED)
    before = graph["mujoco_rig"].time_s
    handle, ended = begin(graph, "clip", "announced")
    graph.wait(lambda: any(p.clip_id == "announced" for p in plans), 3.0)
    timetable = timetable_of(next(p for p in plans if p.clip_id == "announced"))
    assert timetable.phases[0].begin_s > before
    frames = timetable.window_begin_s * 60
    assert frames == pytest.approx(round(frames), abs=1e-4)
    assert timetable.frames == load_category("clip").frames
    assert timetable.object == ""  # nobody has said which type it is
    graph.result(handle.cancel_goal_async())
    graph.result(ended, 30.0)


def test_an_unknown_category_or_object_is_refused_with_the_known_ones(graph):
    answer = graph.result(begin(graph, "spoon")[1])
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, Code.UNKNOWN_CATEGORY)
    assert "clip" in answer.result.error_string
    assert "clip_1" in graph.result(begin(graph, "clip", object="clip_77")[1]).result.error_string


def test_an_impossible_program_is_refused_before_anything_moves(graph, monkeypatch, tmp_path):
    folder = tmp_path / "far"
    folder.mkdir()
    data = yaml.safe_load((load_category("clip").folder / "category.yaml").read_text())
    data["name"], data["fixture"]["position_m"] = "far", [5.0, 0.0, 0.0]
    (folder / "category.yaml").write_text(yaml.safe_dump(data))
    monkeypatch.setenv("PHYSAD_CATEGORY_PATH", str(tmp_path))
    stood = graph["mujoco_rig"].joints.positions_rad.copy()
    answer = graph.result(begin(graph, "far")[1])
    assert answer.result.error_code == Code.REFUSED
    assert "reach" in answer.result.error_string
    np.testing.assert_allclose(graph["mujoco_rig"].joints.positions_rad, stood, atol=2e-3)


def test_a_cancellation_ends_the_interaction_and_brings_the_arm_back(graph):
    put(graph, "clip")
    stood = graph["mujoco_rig"].joints.positions_rad.copy()
    phases = graph.collect(Phase, "/interaction/phase", 50)
    handle, ended = begin(graph, "clip")
    graph.wait(lambda: any(p.name == "hold" for p in phases), 20.0)
    took, message = took_to_notice(graph, ended, lambda: graph.result(handle.cancel_goal_async()))
    assert took < 1.0 and "canceled" in message
    answer = graph.result(ended, 30.0)
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_CANCELED, Code.CANCELED)
    np.testing.assert_allclose(graph["mujoco_rig"].joints.positions_rad, stood, atol=0.02)


def test_the_fingers_let_go_before_the_arm_goes_back(graph):
    put(graph, "hinge")
    stood = graph["mujoco_rig"].joints.positions_rad.copy()
    phases = graph.collect(Phase, "/interaction/phase", 50)
    handle, ended = begin(graph, "hinge")
    graph.wait(lambda: any(p.name == "hold" for p in phases), 30.0)
    states = graph.collect(JointState, "/joint_states", STREAM)
    graph.result(handle.cancel_goal_async())
    assert graph.result(ended, 40.0).status == GoalStatus.STATUS_CANCELED
    open_m = load_category("hinge").recipe.parameters.get("open_m", Grasp.open_m)
    poses = np.array([[dict(zip(m.name, m.position))[name] for name in (*JOINTS, gripper.JOINT)] for m in states])
    let_go = int(np.argmax(poses[:, 6] > open_m - 0.009))
    assert poses[let_go:, 6].min() > open_m - 0.009 and poses[:, 6].max() < open_m + 0.009  # never wider than was planned for
    assert np.abs(poses[:let_go, :6] - poses[let_go, :6]).max() < 0.05
    np.testing.assert_allclose(poses[-1, :6], stood, atol=0.02)


def test_where_the_way_back_is_not_free_the_arm_holds(graph, monkeypatch):
    put(graph, "clip")
    planned = Arm._planned
    wall = World((Box("wall", (0.5, 0.0, 0.3), (2.0, 2.0, 0.6)),))

    async def walled(self, goal):
        return replace(await planned(self, goal), world=wall)

    monkeypatch.setattr(Arm, "_planned", walled)
    phases = graph.collect(Phase, "/interaction/phase", 50)
    handle, ended = begin(graph, "clip")
    graph.wait(lambda: any(p.name == "hold" for p in phases), 20.0)
    stood = graph["mujoco_rig"].joints.positions_rad.copy()
    graph.result(handle.cancel_goal_async())
    assert graph.result(ended, 10.0).status == GoalStatus.STATUS_CANCELED
    np.testing.assert_allclose(graph["mujoco_rig"].joints.positions_rad, stood, atol=0.02)
    monkeypatch.undo()
    assert graph.result(begin(graph, "")[1], 30.0).result.error_code == Code.SUCCESSFUL


def test_who_asks_to_clear_the_view_waits_for_a_retreat(graph, monkeypatch):
    """Longer than anybody waits for an interaction, but as long as the course of an inspection allows."""
    put(graph, "clip")
    retreat = Player._retreat

    async def slow(self, fault):
        await at_most(6.0)
        await retreat(self, fault)

    monkeypatch.setattr(Player, "_retreat", slow)
    phases = graph.collect(Phase, "/interaction/phase", 50)
    handle, ended = begin(graph, "clip")
    graph.wait(lambda: any(p.name == "approach" for p in phases), 20.0)
    handle.cancel_goal_async()
    _, other = begin(graph, "clip")
    _, clearing = begin(graph, "")
    given_up, unwanted = begin(graph, "")
    given_up.cancel_goal_async()
    assert graph.result(unwanted, 2.0).result.error_code == Code.CANCELED
    assert graph.result(other, 5.5).result.error_code == Code.BUSY
    assert graph.result(ended, 30.0).result.error_code == Code.CANCELED
    assert graph.result(clearing, 30.0).result.error_code == Code.SUCCESSFUL


def test_a_stopped_robot_is_noticed_within_a_second_of_the_step_s_end(graph):
    put(graph, "clip")
    phases = graph.collect(Phase, "/interaction/phase", 50)
    plans = graph.collect(Interaction, "/interaction/plan", LATCHED)
    _handle, ended = begin(graph, "clip", "stopped")
    graph.wait(lambda: any(p.name == "approach" for p in phases), 20.0)
    graph.fault(robot_stopped=True)
    graph.wait(lambda: any(p.state == Phase.ABORTED for p in phases), 20.0)
    noticed = graph["arm"].now_s()
    timetable = timetable_of(next(p for p in plans if p.clip_id == "stopped"))
    due = next(p for p in timetable.phases if p.name == phases[-1].name).end_s
    assert noticed - due < 1.0
    answer = graph.result(ended, 20.0)
    assert answer.result.error_code == Code.TIMED_OUT
    assert "stopped" in answer.result.error_string


def test_controllers_that_reject_are_told(graph):
    put(graph, "clip")
    graph.fault(controllers_active=False)
    answer = graph.result(begin(graph, "clip")[1], 10.0)
    assert answer.result.error_code == Code.CONTROLLER_FAILED
    assert "not active" in answer.result.error_string


def test_a_joint_state_that_is_not_a_number_ends_it_at_once(graph):
    put(graph, "clip")
    phases = graph.collect(Phase, "/interaction/phase", 50)
    _handle, ended = begin(graph, "clip")
    graph.wait(lambda: any(p.name == "approach" for p in phases), 20.0)
    took, message = took_to_notice(graph, ended, lambda: graph.fault(nan_joint_state=True))
    assert took < 1.0 and "not a number" in message
    assert graph.result(ended).result.error_code == Code.NO_STATE
    graph.fault(nan_joint_state=False)
    graph.wait(lambda: np.isfinite([told.value for told in graph["arm"].rig._told["joint state"].values()]).all())
    assert graph.result(begin(graph, "clip")[1], 30.0).result.error_code == Code.SUCCESSFUL  # from wherever it held


@pytest.mark.parametrize("category", [c for c in CATEGORIES if c in ("hinge", "slide")])
def test_a_gripper_that_closes_on_nothing_is_told_and_the_arm_goes_back(graph, category):
    graph.rig_does(graph["mujoco_rig"].rig.place, None, category)
    phases = graph.collect(Phase, "/interaction/phase", 50)
    _handle, ended = begin(graph, category)
    graph.wait(lambda: any(p.state == Phase.ABORTED for p in phases), 20.0)
    answer = graph.result(ended, 30.0)
    assert answer.result.error_code == Code.GRIPPER_MISSED
    assert "closed on nothing" in answer.result.error_string


def test_an_arm_that_is_active_again_first_ends_what_it_did_before(graph):
    put(graph, "clip")
    phases = graph.collect(Phase, "/interaction/phase", 50)
    handle, ended = begin(graph, "clip")
    graph.wait(lambda: any(p.name == "press" for p in phases))
    graph.result(handle.cancel_goal_async())
    graph.wait(lambda: any(p.state == Phase.ABORTED for p in phases))  # it goes back now
    arm = graph["arm"]
    for change in (arm.trigger_deactivate, arm.trigger_activate):
        graph.make(change)
    assert arm._busy and not ended.done()
    assert graph.result(begin(graph, "clip", "next")[1], 60.0).result.error_code == Code.SUCCESSFUL
    assert graph.result(ended, 1.0).status == GoalStatus.STATUS_CANCELED
