"""A live graph in a thread, for tests to ask."""

import threading
import time

from rclpy.node import Node

from physad_ros.nodes.run import session, spin


class Graph:
    """Nodes that run in a thread of their own, and a node to ask them with."""

    def __init__(self, nodes, probe, executor):
        self.nodes = {n.get_name(): n for n in nodes}
        self.probe = probe
        self.executor = executor

    def __getitem__(self, name):
        return self.nodes[name]

    def wait(self, done, timeout_s=10.0, what=""):
        """Wait until ``done()``; an assertion fails if that does not come in time."""
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, f"{what or done} did not come within {timeout_s} s"
            time.sleep(0.002)

    def result(self, future, timeout_s=10.0):
        self.wait(future.done, timeout_s)
        return future.result()

    def collect(self, kind, topic, qos=10):
        """A list that fills with the messages of a topic."""
        got = []
        self.probe.create_subscription(kind, topic, got.append, qos)
        return got

    def call(self, kind, name, request, timeout_s=20.0):
        client = self.probe.create_client(kind, name)
        self.wait(client.service_is_ready, 5.0, name)
        answer = self.result(client.call_async(request), timeout_s)
        self.probe.destroy_client(client)
        return answer

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

    def __init__(self, make):
        self._make = make

    def __enter__(self):
        self._stop, ready = threading.Event(), threading.Event()
        self.error = None

        def body():
            try:
                with session(lambda: [*self._make(), Node("probe")]) as (executor, nodes):
                    self.graph = Graph(nodes[:-1], nodes[-1], executor)
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
