"""The nodes of the small devices alone, the rig behind them played by the test."""

import time

import pytest
from action_msgs.msg import GoalStatus
from live_graph import running
from rclpy.action import ActionClient
from sensor_msgs.msg import JointState

from physad_msgs.action import Drive
from physad_msgs.msg import LightLevels, MotorCommand
from physad_msgs.srv import SetLight
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED
from physad_ros.nodes.light import Light
from physad_ros.nodes.motor import Motor

Code = Drive.Result


class Rig:
    """What a rig says: a motor that turns as commanded, lights that shine as told by the test."""

    def __init__(self, graph):
        self.graph = graph
        self.commands = graph.collect(MotorCommand, "/motor/command", 100)
        self.lights = graph.collect(LightLevels, "/light/command", 100)
        self._motor = graph.make(graph.probe.create_publisher, JointState, "/motor/state", 10)
        self._light = graph.make(graph.probe.create_publisher, LightLevels, "/light/state", LATCHED)
        self.speaks = True
        graph.make(graph.probe.create_timer, 0.02, self._tell)

    def _tell(self):
        if self.speaks:
            turning = self.commands[-1].value if self.commands else 0.0
            self._motor.publish(JointState(name=["motor"], position=[0.5], velocity=[turning], effort=[0.1]))

    def shine(self, levels, stamp_s):
        self._light.publish(convert.levels_msg(levels, stamp_s))


@pytest.fixture(scope="module")
def rig():
    with running(lambda: [Motor(), Light({"timeout_s": 1.0})]) as graph:
        made = Rig(graph)
        graph.wait(lambda: graph["motor"].driver.names())
        yield made


def drive(rig, name="motor", mode=MotorCommand.VELOCITY, value=5.0, duration_s=0.3):
    """Goal handle, its result to come, and its feedback."""
    told = []
    client = rig.graph.make(ActionClient, rig.graph.probe, Drive, "/drive")
    rig.graph.wait(client.server_is_ready)
    goal = Drive.Goal(command=MotorCommand(name=name, mode=mode, value=value), duration_s=duration_s)
    handle = rig.graph.result(client.send_goal_async(goal, lambda m: told.append(m.feedback)))
    assert handle.accepted
    return handle, handle.get_result_async(), told


def at_rest(rig):
    rig.graph.wait(lambda: rig.commands and rig.commands[-1].mode == MotorCommand.RELEASE, 2.0)


def test_a_motor_runs_for_its_while_and_is_left_at_rest(rig):
    began = time.monotonic()
    _, ended, told = drive(rig)
    answer = rig.graph.result(ended, 10.0)
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_SUCCEEDED, Code.SUCCESSFUL)
    assert time.monotonic() - began >= 0.3
    assert any(f.velocity == 5.0 and f.effort == 0.1 for f in told)
    at_rest(rig)


def test_a_motor_that_is_canceled_is_left_at_rest_at_once(rig):
    handle, ended, told = drive(rig, duration_s=30.0)
    rig.graph.wait(lambda: told)
    handle.cancel_goal_async()
    assert rig.graph.result(ended, 2.0).status == GoalStatus.STATUS_CANCELED
    at_rest(rig)


@pytest.mark.parametrize(("asked", "code", "words"), [
    ({"name": "wheel"}, Code.UNKNOWN_MOTOR, "known: motor"),
    ({"value": 1e3}, Code.OUT_OF_LIMITS, "beyond 60"),
    ({"value": float("nan")}, Code.OUT_OF_LIMITS, "beyond"),
    ({"mode": 9}, Code.OUT_OF_LIMITS, "velocity"),
    ({"duration_s": 1e4}, Code.OUT_OF_LIMITS, "60 s"),
])
def test_what_a_motor_cannot_do_is_refused_before_it_turns(rig, asked, code, words):
    before = len(rig.commands)
    answer = rig.graph.result(drive(rig, **asked)[1], 2.0)
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, code)
    assert words in answer.result.error_string and len(rig.commands) == before


def test_a_motor_that_stops_reporting_ends_its_run(rig):
    _, ended, told = drive(rig, duration_s=30.0)
    rig.graph.wait(lambda: told)
    rig.speaks = False
    try:
        answer = rig.graph.result(ended, 5.0)
        assert (answer.result.error_code, "stopped reporting" in answer.result.error_string) == (Code.NO_STATE, True)
        assert rig.graph.result(drive(rig)[1], 2.0).result.error_code == Code.NO_STATE
    finally:
        rig.speaks = True
    at_rest(rig)
    rig.graph.wait(lambda: not rig.graph["motor"].driver.lost("motor", 0.5))


def test_a_motor_that_turns_when_its_node_ends_is_left_at_rest(rig):
    """At once: a process that ends does not wait for the end of the run."""
    node = rig.graph["motor"]
    _, ended, told = drive(rig, duration_s=30.0)
    rig.graph.wait(lambda: told)
    sent = []

    def deactivate():
        publish = node.driver.command
        node.driver.command = lambda command: (sent.append(command.mode), publish(command))
        node.trigger_deactivate()
        sent.append("ended")

    rig.graph.make(deactivate)
    assert sent[:2] == [MotorCommand.RELEASE, "ended"]
    at_rest(rig)
    rig.graph.make(node.trigger_activate)
    assert rig.graph.result(ended).status == GoalStatus.STATUS_ABORTED
    rig.graph.wait(lambda: node.driver.names())


def ask(rig, levels):
    """The answer to come, once the command has come to the rig."""
    told = len(rig.lights)
    client = rig.graph.make(rig.graph.probe.create_client, SetLight, "/set_light")
    rig.graph.wait(client.service_is_ready)
    answer = client.call_async(SetLight.Request(levels=convert.levels_msg(levels, 0.0)))
    rig.graph.wait(lambda: len(rig.lights) > told or answer.done())
    return answer


def test_lights_are_set_once_they_shine_as_asked(rig):
    answer = ask(rig, {"left": 0.5, "right": 0.25})
    assert dict(zip(rig.lights[-1].channel, rig.lights[-1].level)) == {"left": 0.5, "right": 0.25}
    rig.shine({"left": 0.4, "right": 0.25}, time.time())  # on its way
    time.sleep(0.2)
    assert not answer.done()
    rig.shine({"left": 0.501, "right": 0.25}, time.time())
    assert rig.graph.result(answer).success


def test_how_the_lights_shone_before_they_were_commanded_does_not_count(rig):
    levels = {"left": 0.7, "right": 0.7}
    before = time.time()
    rig.shine(levels, before)
    answer = ask(rig, levels)
    rig.shine(levels, before)  # one that was on its way
    answer = rig.graph.result(answer, 5.0)
    assert (answer.success, "new level" in answer.message) == (False, True)


@pytest.mark.parametrize(
    ("levels", "words"), [({"left": 1.5}, "from 0 to 1"), ({"left": float("nan")}, "from 0 to 1"), ({"top": 0.5}, "known: left, right")]
)
def test_lights_that_cannot_be_set_so_are_refused(rig, levels, words):
    answer = ask(rig, levels)
    rig.shine({"left": 0.5, "right": 0.5}, time.time())
    answer = rig.graph.result(answer, 5.0)
    assert (answer.success, words in answer.message) == (False, True), answer.message
