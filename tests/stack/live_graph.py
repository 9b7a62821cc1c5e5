"""A live graph in a thread, for tests to ask."""

import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from rclpy.node import Node

from physad_msgs.action import Inspect
from physad_msgs.msg import FrameScore, Verdict
from physad_ros.bringup import StackArguments, compose, stack
from physad_ros.nodes.base import LATCHED, STREAM
from physad_ros.nodes.operator import Operator
from physad_ros.nodes.run import session, spin


class Graph:
    """Nodes that run in a thread of their own, and a node to ask them with."""

    def __init__(self, nodes, probe, executor):
        self.nodes = {n.get_name(): n for n in nodes}
        self.probe = probe
        self.executor = executor

    def __getitem__(self, name):
        return self.nodes[name]

    def make(self, kind, *arguments, **options):
        """Make an entity of the probe in the executor's thread: rclpy's own are not safe to be made beside it."""
        done = Future()

        def body():
            try:
                done.set_result(kind(*arguments, **options))
            except Exception as error:
                done.set_exception(error)

        self.executor.create_task(body)
        return done.result(20.0)

    def wait(self, done, timeout_s=30.0, what=""):
        """Wait until ``done()``; an assertion fails if that does not come in time."""
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, f"{what or done} did not come within {timeout_s} s"
            time.sleep(0.002)

    def result(self, future, timeout_s=30.0):
        self.wait(future.done, timeout_s)
        return future.result()

    def collect(self, kind, topic, qos=10):
        """A list that fills with the messages of a topic."""
        got = []
        self.make(self.probe.create_subscription, kind, topic, got.append, qos)
        return got

    def call(self, kind, name, request, timeout_s=20.0):
        client = self.make(self.probe.create_client, kind, name)
        self.wait(client.service_is_ready, 10.0, name)
        return self.result(client.call_async(request), timeout_s)

    def rig_does(self, call, *arguments):
        """Have the simulated rig's thread make a call."""
        return self["mujoco_rig"].in_sim(call, *arguments).result(20.0)

    def fault(self, **parameters):
        """Switch faults of the simulated rig on or off."""
        from rclpy.parameter import Parameter

        results = self["mujoco_rig"].set_parameters([Parameter(k, value=v) for k, v in parameters.items()])
        assert all(r.successful for r in results), results


class running:
    """Context of a Graph."""

    def __init__(self, make, kind=Graph):
        self._make = make
        self._kind = kind

    def __enter__(self):
        self._stop, ready = threading.Event(), threading.Event()
        self.error = None

        def body():
            try:
                with session(lambda: [*self._make(), Node("probe")]) as (executor, nodes):
                    self.graph = self._kind(nodes[:-1], nodes[-1], executor)
                    ready.set()
                    spin(executor, self._stop.is_set)
            except BaseException as error:
                self.error = error
                ready.set()

        self._thread = threading.Thread(target=body)
        self._thread.start()
        assert ready.wait(120)
        if self.error:
            raise self.error
        return self.graph

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the graph does not end"
        if self.error:
            raise self.error


class Inspecting(Graph):
    """A whole stack, with an operator to ask it for inspections."""

    operator = None
    out = ""

    def begin(self, category="", seed=0):
        """Handle of an inspection that has begun."""
        goal = Inspect.Goal(category=category, seed=seed, out=self.out)
        handle = self.result(self.operator._inspect.send_goal_async(goal))
        assert handle.accepted
        self.wait(lambda: self["inspector"]._course is not None)
        return handle

    def inspect(self, category="", seed=0):
        """The verdict of an inspection."""
        return self.operator.inspect("", category, "", seed, self.out)

    def state(self):
        """Where the inspection that runs stands."""
        course = self["inspector"]._course
        return None if course is None else course.now.state

    def folder(self, verdict):
        return Path(verdict.folder)

    def frame_scores(self, verdict):
        """Scores of a clip's frames as they were published live."""
        return [m.value for m in self.scores if m.clip_id == verdict.clip_id]


@contextmanager
def inspecting(without=(), **arguments):
    """The stack for these arguments, less some nodes."""
    operators = []

    def make():
        operators.append(Operator())
        return [*compose([s for s in stack(StackArguments(**arguments)) if s.name not in without]), *operators]

    with running(make, Inspecting) as graph:
        graph.operator, graph.out = operators[0], arguments["out"]
        graph.verdicts = graph.collect(Verdict, "/verdict", LATCHED)
        graph.scores = graph.collect(FrameScore, "/frame_score", STREAM)
        graph.operator.wait_ready(30.0)
        yield graph
