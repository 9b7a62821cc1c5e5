"""The whole stack in this process: an executor in a thread of its own, an operator for the caller's thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from physad_ros.bringup import NodeSpec, compose
from physad_ros.nodes.operator import Operator
from physad_ros.nodes.run import session, spin

START_S = 60.0  # compiling a scene and loading models on a busy machine


@contextmanager
def running(specs: Sequence[NodeSpec]) -> Iterator[Operator]:
    """Start the nodes, hand out an operator once the inspector takes goals, end everything in order afterwards."""
    started: Future[Operator] = Future()
    stop = threading.Event()

    def body() -> None:
        try:
            with session(lambda: [*compose(specs), Operator()]) as (executor, nodes):
                started.set_result(nodes[-1])
                spin(executor, stop.is_set)
        except BaseException as error:  # handed to the caller's thread, which decides
            if started.done():
                started.result().failure = error
            else:
                started.set_exception(error)

    thread = threading.Thread(target=body, name="graph")
    thread.start()
    # to be terminated is to be interrupted: the arm is stopped and the recording closed
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        operator = started.result(START_S)
        operator.wait_ready(START_S)
        yield operator
    finally:
        stop.set()
        thread.join()
        signal.signal(signal.SIGTERM, before)
