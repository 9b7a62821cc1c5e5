"""The whole stack in this process: an executor in a thread of its own, an operator for the caller's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from physad_ros.bringup import NodeSpec, compose
from physad_ros.core.errors import PhysadError
from physad_ros.nodes.domain import held
from physad_ros.nodes.operator import Operator
from physad_ros.nodes.run import interrupts, session, spin, stay_local

START_S = 120.0  # compiling a scene and loading models on a busy machine


@contextmanager
def running(specs: Sequence[NodeSpec], namespace: str = "", drivers: bool = False) -> Iterator[Operator]:
    """Start the nodes, hand out an operator once the inspector takes goals, end everything in order afterwards.

    A signal meanwhile is a KeyboardInterrupt in what the operator waits for, one each time; the end is never interrupted.

    Args:
        specs: the nodes.
        namespace: of the nodes, and the operator's.
        drivers: the stack joins other packages' drivers in their ROS domain; else it takes one that nobody uses, unless the
            environment names one.

    Raises:
        WrongUse: another stack runs in the domain.
        PhysadError: the stack does not start.
    """
    stay_local()  # before the look for another stack: who cannot reach this one is not in its way, and transports are read once a process
    with held(namespace, drivers=drivers) as domain, interrupts() as came:
        yield from _spun(specs, namespace, domain, came)


def _spun(specs: Sequence[NodeSpec], namespace: str, domain: int, came: Sequence[int]) -> Iterator[Operator]:
    started: Future[Operator] = Future()
    stop = threading.Event()

    def body() -> None:
        try:
            with session(lambda: [*compose(specs), Operator(namespace=namespace)], domain) as (executor, nodes):
                nodes[-1].interrupts = came
                started.set_result(nodes[-1])
                spin(executor, stop.is_set)
        except BaseException as error:  # handed to the caller's thread, which decides
            if started.done():
                started.result().failure = error
            else:
                started.set_exception(error)

    thread = threading.Thread(target=body, name="graph")
    thread.start()
    try:
        operator = _started(started, came)
        operator.wait_ready(START_S)
        yield operator
    finally:
        stop.set()
        thread.join()


def _started(started: Future[Operator], came: Sequence[int]) -> Operator:
    end_s = time.monotonic() + START_S
    while not started.done():
        if came:
            raise KeyboardInterrupt
        if time.monotonic() > end_s:
            raise PhysadError(f"the nodes did not start within {START_S:g} s")
        time.sleep(0.05)
    return started.result()
