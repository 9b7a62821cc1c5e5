"""One executor for the nodes of a process: started, spun, and ended so that nothing stays behind."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.signals import SignalHandlerOptions

from physad_ros.core.errors import ending
from physad_ros.core.paths import keep_writable, share_dir
from physad_ros.nodes.waiting import POLL_S, Polls

SHARED_MEMORY = Path("/dev/shm")


def make_executor() -> Any:
    """The events executor (a third of the others' cost); rclpy's single-threaded one where this rclpy has none that serves us."""
    ours = version("rclpy")
    if serves(ours):
        from rclpy.experimental import EventsExecutor

        return EventsExecutor()
    from rclpy.executors import SingleThreadedExecutor

    rclpy.logging.get_logger("physad").warning(f"the EventsExecutor of rclpy {ours} does not serve; the SingleThreadedExecutor does, slower")
    return SingleThreadedExecutor()


def serves(rclpy_version: str) -> bool:
    """Whether that rclpy has an events executor whose services may be coroutines (rclpy#1478, in Jazzy's 7.1.11 and Kilted's 9.1.2)."""
    number = tuple(int(part) for part in rclpy_version.split(".")[:3])
    return number >= ((7, 1, 11) if number < (8,) else (9, 1, 2))


def spin(executor: Any, stop: Callable[[], bool]) -> None:
    """Run callbacks until ``stop()``. ``EventsExecutor.spin()`` was seen to run none, so this spins by finite turns."""
    idle = 0
    while not stop() and rclpy.ok():
        before = Polls.count
        executor.spin_once(0.1)
        idle = idle + 1 if Polls.count > before else 0
        if idle > Polls.waiting:  # a whole round of waiting coroutines and no event between them
            time.sleep(POLL_S)
            idle = 0


@contextlib.contextmanager
def interrupts() -> Iterator[list[int]]:
    """Signals that came while inside, instead of the deaths they would be: nodes end in order, and an arm is not left moving."""
    came: list[int] = []
    before = {s: signal.signal(s, lambda number, _: came.append(number)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def session(nodes: Callable[[], Sequence[Any]], domain: int | None = None) -> Iterator[tuple[Any, Sequence[Any]]]:
    """rclpy, one executor and the nodes, started where they can be; all closed again at the end, whatever happened between.

    ``domain``: ROS domain; None: the environment's.
    """
    stay_local()
    sweep_shared_memory()
    rclpy.init(domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    built: Sequence[Any] = ()
    executor = make_executor()
    try:
        built = nodes()
        for node in built:
            executor.add_node(node)
        for node in built:
            _if_it_can(node, "start")
        yield executor, built
    finally:
        for node in reversed(built):
            _if_it_can(node, "close")
        spin_out(executor, 0.2)  # what closing sent, goals' ends above all, goes out
        executor.shutdown()  # before what it serves is freed: see nodes.base
        for node in built:
            node.destroy_node()
        rclpy.try_shutdown()


def _if_it_can(node: Any, action: str) -> None:
    getattr(node, action, lambda: None)()


def stay_local() -> None:
    """Defaults of this process's transports, where the environment says nothing: this machine only, shared memory for pictures."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(share_dir() / "config" / "fastdds.xml"))
    keep_writable()


def spin_out(executor: Any, duration_s: float) -> None:
    """Run callbacks for a last while; what fails because nodes have ended is let go."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            spin(executor, lambda: time.monotonic() > end)


def main(make: Callable[..., Any]) -> None:
    """Entry point of a process that runs one node; ROS arguments name and configure it."""
    parser = argparse.ArgumentParser(description=make.__doc__, epilog="Takes ROS arguments: --ros-args -p name:=value")
    parser.parse_known_args()
    ended = contextlib.suppress(ExternalShutdownException)
    with ending("physad"), ended, interrupts() as came, session(lambda: [make()]) as (executor, _):
        spin(executor, lambda: bool(came))


def sweep_shared_memory() -> int:
    """Remove what processes of this user that died left of Fast DDS's shared memory; returns how many bytes.

    A living owner holds a lock on the ``_el`` file beside its segment, so one that can be locked has none.
    """
    freed = 0
    for lock in SHARED_MEMORY.glob("fast*_el"):
        with contextlib.suppress(OSError), lock.open() as handle:
            if lock.stat().st_uid != os.getuid():
                continue
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            segment = lock.with_name(lock.name.removesuffix("_el"))
            for file in (segment, lock.with_name(f"sem.{segment.name}_mutex"), lock):
                if file.exists():
                    freed += file.stat().st_size
                    file.unlink()
    return freed
