"""The executor and our coroutines: callbacks run, waiting is cheap, deadlines hold."""

import resource
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from live_graph import running
from rclpy.node import Node
from std_msgs.msg import Int32
from std_srvs.srv import Trigger

from physad_msgs.srv import RevealSpecimen
from physad_ros.core.errors import BadData
from physad_ros.core.inspection import Faulted
from physad_ros.nodes import commands, convert, run, steering
from physad_ros.nodes.commands import Commands
from physad_ros.nodes.inspector import InspectorConfig
from physad_ros.nodes.run import serves, session
from physad_ros.nodes.steering import Steering
from physad_ros.nodes.waiting import HANG_S, Overdue, result, send, until
from physad_ros.nodes.watch import Watch


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def test_the_executor_runs_callbacks_at_a_thousand_a_second():
    with running(list) as graph:
        got = graph.collect(Int32, "/count", 1000)
        sender = graph.make(graph.probe.create_publisher, Int32, "/count", 1000)
        graph.wait(lambda: sender.get_subscription_count() == 1)
        for i in range(1000):
            sender.publish(Int32(data=i))
            time.sleep(0.0005)
        graph.wait(lambda: len(got) == 1000, 2.0)
        assert [m.data for m in got] == list(range(1000))


def test_waiting_costs_little_and_others_run_meanwhile():
    with running(list) as graph:
        gate, entered = threading.Event(), []

        async def slow(request, response):
            entered.append(request)
            await until(gate.is_set)
            response.message = "done"
            return response

        graph.make(graph.probe.create_service, Trigger, "/slow", slow)
        client = graph.make(graph.probe.create_client, Trigger, "/slow")
        graph.wait(client.service_is_ready)
        answers = [client.call_async(Trigger.Request()) for _ in range(5)]
        graph.wait(lambda: len(entered) == 5)
        before, began = cpu_s(), time.monotonic()
        got = graph.collect(Int32, "/meanwhile")
        sender = graph.make(graph.probe.create_publisher, Int32, "/meanwhile", 10)
        graph.wait(lambda: sender.get_subscription_count() == 1)
        time.sleep(1.0)
        sender.publish(Int32(data=1))
        graph.wait(lambda: len(got) == 1)
        assert (cpu_s() - before) / (time.monotonic() - began) < 0.7  # rclpy's own way takes all of a core
        gate.set()
        for answer in answers:
            assert graph.result(answer).message == "done"


def test_what_does_not_come_is_overdue():
    with running(list) as graph:
        caught = []

        async def body():
            began = time.monotonic()
            try:
                await until(lambda: False, 0.2, "the moon")
            except Overdue as error:
                caught.append((str(error), time.monotonic() - began))

        graph.executor.create_task(body)
        graph.wait(lambda: caught, 1.0)
        text, took = caught[0]
        assert "the moon did not come within 0.2 s" in text
        assert 0.2 <= took < 0.5


def test_a_worker_s_failure_reaches_who_waits():
    from concurrent.futures import ThreadPoolExecutor

    with running(list) as graph, ThreadPoolExecutor(1) as workers:
        caught = []

        async def body():
            try:
                await result(workers.submit(lambda: 1 / 0))
            except ZeroDivisionError as error:
                caught.append(error)

        graph.executor.create_task(body)
        graph.wait(lambda: caught, 1.0)


@pytest.mark.parametrize("round", range(3))
def test_a_session_ends_and_starts_again(round):
    began = time.monotonic()
    with running(list):
        pass
    assert time.monotonic() - began < 5


class Answers:
    """A client of an action whose goals are accepted when the test says."""

    def __init__(self):
        self.future, self.canceled = Future(), []

    def send_goal_async(self, goal):
        return self.future

    def cancel_goal_async(self):
        self.canceled.append(True)


def test_a_goal_that_is_accepted_too_late_is_canceled():
    with running(list) as graph:
        client, caught = Answers(), []

        async def body():
            try:
                await send(client, None, 0.2, "the arm's answer")
            except Overdue as error:
                caught.append(str(error))

        graph.executor.create_task(body)
        graph.wait(lambda: caught, 2.0)
        assert "the arm's answer" in caught[0] and not client.canceled
        client.future.set_result(client)  # which is its own handle
        assert client.canceled


@pytest.mark.parametrize(("version", "good"), [
    ("7.1.4", False), ("7.1.10", False), ("7.1.11", True), ("7.2.0", True), ("9.1.1", False), ("9.1.2", True), ("10.0.1", True),
])
def test_an_rclpy_whose_events_executor_takes_no_coroutines_is_known(version, good):
    assert serves(version) == good


def test_the_executor_of_an_older_rclpy_serves_too(monkeypatch):
    monkeypatch.setattr(run, "version", lambda name: "7.1.10")
    with running(list) as graph:
        async def answer(request, response):
            await until(lambda: True)
            response.message = type(graph.executor).__name__
            return response

        graph.make(graph.probe.create_service, Trigger, "/which", answer)
        assert graph.call(Trigger, "/which", Trigger.Request()).message == "SingleThreadedExecutor"


def test_whatever_can_be_started_or_closed_is():
    log = []

    class Asking(Node):
        def start(self):
            log.append("started")

        def close(self):
            log.append("closed")

    with session(lambda: [Node("plain"), Asking("asking")]):
        assert log == ["started"]
    assert log == ["started", "closed"]


STILL = float  # clock of a rig that has died: always 0


def turns(coroutine, most=50):
    """Resume a coroutine so often, a millisecond between two; its value where it has ended, else the coroutine."""
    for _ in range(most):
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
        time.sleep(0.001)
    return coroutine


def test_the_truth_is_not_waited_for_where_the_rig_has_died(monkeypatch):
    monkeypatch.setattr(commands, "REVEAL_S", 0.0)
    warned = []
    node = SimpleNamespace(rig_clock=STILL, get_logger=lambda: SimpleNamespace(warning=warned.append))
    client = SimpleNamespace(service_is_ready=lambda: False, srv_name="/mujoco_rig/reveal")
    assert turns(Commands(node, "c", None, None).reveal(client, 0.0)) is None
    assert "/mujoco_rig/reveal" in warned[0]


def test_why_the_truth_is_not_told_is(monkeypatch):
    answer = Future()
    answer.set_result(RevealSpecimen.Response(message="no verdict on 'c' was told"))
    warned = []
    node = SimpleNamespace(get_logger=lambda: SimpleNamespace(warning=warned.append))
    client = SimpleNamespace(
        service_is_ready=lambda: True, srv_name="/mujoco_rig/reveal", call_async=lambda _: answer, remove_pending_request=lambda _: None
    )
    assert turns(Commands(node, "c", None, None).reveal(client, 0.0)) is None
    assert "no verdict on 'c' was told" in warned[0]


def test_the_clip_s_files_take_as_long_as_the_machine_is_busy(monkeypatch, tmp_path):
    monkeypatch.setattr(steering, "CLIP_S", 0.0)
    inspection = Steering.__new__(Steering)
    inspection.folder, inspection._began = tmp_path, 0.0
    inspection.now = SimpleNamespace(cut=SimpleNamespace(fault=""))
    inspection._node = SimpleNamespace(
        until=lambda done, timeout_s, what: until(done, timeout_s, what, STILL), watch=SimpleNamespace(fault_of=lambda *_: ""),
    )
    waiting = inspection._clip_fault()
    assert turns(waiting) is waiting
    (tmp_path / steering.MANIFEST).write_text("{}")
    assert turns(waiting) == ""


@pytest.mark.parametrize(
    ("error", "kept"), [(Overdue("no light"), False), (BadData("no light"), False), (ZeroDivisionError("no light"), True)]
)
def test_a_command_that_fails_answers_and_what_nobody_expected_leaves_its_traceback(monkeypatch, tmp_path, error, kept):
    async def call():
        raise error

    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    events = []
    node = SimpleNamespace(executor=SimpleNamespace(create_task=lambda body: turns(body())))
    Commands(node, "c", None, events.append)._begin(call(), Faulted)
    assert events[0].reason.startswith("no light")
    assert ["ZeroDivisionError" in file.read_text() for file in tmp_path.iterdir()] == [True] * kept


class Watcher:
    """A node that sees pictures: the wall's clock and the rig's, as set."""

    steady_s_, now_s_ = 100.0, 1.0

    def __init__(self):
        self.heard = {}

    def subscribe(self, kind, topic, callback, *_):
        self.heard[topic] = callback

    def get_namespace(self):
        return "/"

    def count_publishers(self, _):
        return 1

    count_services = count_publishers

    def steady_s(self):
        return self.steady_s_

    def now_s(self):
        return self.now_s_


@pytest.mark.parametrize(("wall_s", "rig_s", "stalled"), [
    (0.9 * HANG_S, 0.1, False),  # a large picture on a busy machine
    (1.1 * HANG_S, 0.0, True),  # a rig that has died
    (0.6, 0.6, True),  # a camera that has
])
def test_a_camera_has_stalled_by_the_rig_s_clock_or_by_far(wall_s, rig_s, stalled):
    node = Watcher()
    watch = Watch(node, InspectorConfig(partners=()))
    node.heard["camera/image_raw/compressed"](convert.jpeg_msg(b"picture", node.now_s_, "camera"))
    node.steady_s_ += wall_s
    node.now_s_ += rig_s
    assert ("stalled" in watch.trouble(99.0, 0.5, None)) == stalled
