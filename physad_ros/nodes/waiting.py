"""Waiting in coroutines without burning a core.

rclpy resumes a coroutine that awaits in a closed loop, 400,000 times a second, in every executor it has (9.1). So all our
coroutines wait through ``until``, which counts these resumptions, and ``run.spin`` sleeps for a millisecond once a whole round of
them found nothing to do. Never await an rclpy future directly: ``await result(future)``.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Generator
from typing import Any

POLL_S = 0.001


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


async def until(done: Callable[[], bool], timeout_s: float | None = None, what: str = "an answer") -> None:
    """Wait until ``done()``; at most ``timeout_s`` of wall clock.

    Raises:
        Overdue: it was not done in time; names ``what``.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    Polls.waiting += 1
    try:
        while not done():
            if deadline is not None and time.monotonic() > deadline:
                raise Overdue(f"{what} did not come within {timeout_s:g} s")
            await _pause()
    finally:
        Polls.waiting -= 1


async def at_most(duration_s: float, done: Callable[[], bool] = lambda: False) -> None:
    """Wait for a while of wall clock, or until ``done()``."""
    end = time.monotonic() + duration_s
    await until(lambda: done() or time.monotonic() > end)


async def result(future: Any, timeout_s: float | None = None, what: str = "an answer") -> Any:
    """Result of a future, be it rclpy's or a thread pool's. Raises what the future raised, or Overdue."""
    await until(lambda: future.done() or future.cancelled(), timeout_s, what)
    return future.result()


async def send(client: Any, goal: Any, timeout_s: float, what: str) -> Any:
    """Handle of an action's goal, accepted or not; one that is accepted too late is canceled, since nobody would watch it.

    Raises:
        Overdue: no answer in time; names ``what``.
    """
    asked = client.send_goal_async(goal)
    try:
        return await result(asked, timeout_s, what)
    except Overdue:
        asked.add_done_callback(lambda late: late.result().cancel_goal_async())
        raise
