"""Waiting in coroutines without burning a core.

rclpy resumes a coroutine that awaits in a closed loop, 400,000 times a second, in every executor it has (9.1). So all our
coroutines wait through ``until``, which counts these resumptions, and ``run.spin`` sleeps for a millisecond once a whole round of
them found nothing to do. Never await an rclpy future directly: ``await result(future)``.
"""

from __future__ import annotations

import math
import time
import types
from collections.abc import Callable, Generator
from typing import Any

POLL_S = 0.001
HANG_S = 10.0  # of wall clock, in which something happens on the slowest simulated rig
SLOWEST = 20.0  # wall seconds that it takes for a simulated one


class Polls:
    """How often waiting coroutines were resumed for nothing, and how many wait; of this process's one executor."""

    count = 0
    waiting = 0


@types.coroutine
def _pause() -> Generator[None, None, None]:
    Polls.count += 1
    yield


class Overdue(Exception):
    """Something waited for did not come in time."""


class Stopwatch:
    """How long something has lasted, by the wall clock and by the rig's: to be too long, both must say so.

    A rig that is simulated on a busy machine is slow, not broken. The wall clock decides alone only where it shows far more
    than the slowest rig takes, so that nothing waits for ever where the rig's clock stands still.
    """

    def __init__(self, rig_s: Callable[[], float] = time.monotonic):
        self._rig_s = rig_s
        self._began_wall_s, self._began_rig_s = time.monotonic(), rig_s()

    def exceeds(self, timeout_s: float) -> bool:
        wall_s, rig_s = time.monotonic() - self._began_wall_s, self._rig_s() - self._began_rig_s
        return min(wall_s, rig_s) > timeout_s or wall_s > HANG_S + SLOWEST * timeout_s


async def until(
    done: Callable[[], bool], timeout_s: float = math.inf, what: str = "an answer", rig_s: Callable[[], float] = time.monotonic
) -> None:
    """Wait until ``done()``; at most ``timeout_s`` by the wall clock and by ``rig_s``, see Stopwatch.

    Raises:
        Overdue: it was not done in time; names ``what``.
    """
    stopwatch = Stopwatch(rig_s)
    Polls.waiting += 1
    try:
        while not done():
            if stopwatch.exceeds(timeout_s):
                raise Overdue(f"{what} did not come within {timeout_s:g} s")
            await _pause()
    finally:
        Polls.waiting -= 1


async def at_most(duration_s: float, done: Callable[[], bool] = lambda: False) -> None:
    """Wait for a while of wall clock, or until ``done()``."""
    end = time.monotonic() + duration_s
    await until(lambda: done() or time.monotonic() > end)


async def result(future: Any, timeout_s: float = math.inf, what: str = "an answer", rig_s: Callable[[], float] = time.monotonic) -> Any:
    """Result of a future, be it rclpy's or a thread pool's. Raises what the future raised, or Overdue as ``until`` does."""
    await until(lambda: future.done() or future.cancelled(), timeout_s, what, rig_s)
    return future.result()


async def send(client: Any, goal: Any, timeout_s: float, what: str, rig_s: Callable[[], float] = time.monotonic) -> Any:
    """Handle of an action's goal, accepted or not; one that is accepted too late is canceled, since nobody would watch it.

    Raises:
        Overdue: no answer in time; names ``what``.
    """
    asked = client.send_goal_async(goal)
    try:
        return await result(asked, timeout_s, what, rig_s)
    except Overdue:
        asked.add_done_callback(lambda late: late.result().cancel_goal_async())
        raise
