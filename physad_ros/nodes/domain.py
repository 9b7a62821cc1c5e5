"""Which ROS domain a stack runs in: one of its own, or the one that is given, where no other stack uses it.

Two stacks that share a domain and a namespace mix their clocks, frames and goals. Each holds a lock file named after both for as
long as it lives, so that the next one on this machine knows at once; stacks on other machines are looked for on the network.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from physad_ros.core.errors import WrongUse

VARIABLE = "ROS_DOMAIN_ID"
DOMAINS = range(99, 0, -1)  # whose ports every system leaves free; people mostly count from 0 up
LOOK_S = 1.0  # what discovery takes at most on one network
TRIES, TRY_S = 5, 0.02  # to lock a file that others may only be looking at, see running_stacks
PREFIX = "physad-domain-"
ALONE = ("clock", "camera/image_raw/compressed", "interaction/plan")  # what one node of a stack tells, and no other
DRIVERS = ("clock", "camera/image_raw/compressed")  # of these, what drivers tell that are not ours


@dataclass(frozen=True)
class RunningStack:
    """A stack on this machine."""

    domain: int
    namespace: str
    pid: int


def given() -> int | None:
    """The domain that the environment names; None where it names none."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise WrongUse(f"{VARIABLE}={text} is not a whole number; it is 0 to 101, or 215 to 232") from None
    if not (0 <= number <= 101 or 215 <= number <= 232):
        raise WrongUse(f"{VARIABLE}={number} is not a domain that every system has ports for; it is 0 to 101, or 215 to 232")
    return number


@contextlib.contextmanager
def held(namespace: str = "", own: bool = True, drivers: bool = False) -> Iterator[int]:
    """Context in which a stack has its domain for itself.

    Args:
        namespace: of the stack's nodes; stacks with different ones may share a domain.
        own: take a free domain where the environment names none; False: ROS's own default, 0.
        drivers: other packages' drivers are part of the stack; they may run in the domain already.

    Raises:
        WrongUse: another stack is there; names it, and what to do.
    """
    number = given()
    if number is None and own and not drivers:
        with _free(namespace) as number:
            yield number
        return
    number = number or 0
    lock = _lock(number, namespace)
    if lock is None:
        other = next((s for s in running_stacks() if (s.domain, s.namespace) == (number, namespace)), None)
        raise WrongUse(_taken(number, namespace, f"process {other.pid}" if other else "another process"))
    with lock:
        if found := look(number, namespace, [topic for topic in ALONE if not (drivers and topic in DRIVERS)]):
            raise WrongUse(_taken(number, namespace, f"it publishes {', '.join(found)}"))
        yield number


def running_stacks() -> list[RunningStack]:
    """Stacks that run on this machine, by domain."""
    found = []
    for file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*.lock"):
        with contextlib.suppress(OSError, ValueError, TypeError), file.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # its stack lives
                found.append(RunningStack(**json.load(handle)))
    return sorted(found, key=lambda stack: (stack.domain, stack.namespace))


def _taken(number: int, namespace: str, by: str) -> str:
    place = f"ROS domain {number}" + (f", namespace {namespace}" if namespace else "")
    return f"another physad stack already runs in {place} ({by}); set {VARIABLE} to another number, or give this one a namespace"


@contextlib.contextmanager
def _free(namespace: str) -> Iterator[int]:
    busy = {stack.domain for stack in running_stacks()}
    for number in DOMAINS:
        lock = None if number in busy else _lock(number, namespace)
        if lock is not None:
            with lock:
                yield number
            return
    raise WrongUse(f"physad stacks run in all {len(DOMAINS)} ROS domains of this machine")


def _lock(number: int, namespace: str) -> IO[str] | None:
    """The locked file of a domain and namespace; None where somebody else holds it."""
    path = Path(tempfile.gettempdir()) / f"{PREFIX}{number}{namespace.replace('/', '.')}.lock"
    try:
        handle = path.open("a+")
    except PermissionError:  # another user's; it can be locked where it can be read
        try:
            handle = path.open()
        except PermissionError:
            return None
    if not _locked(handle):
        handle.close()
        return None
    if handle.writable():
        handle.truncate(0)
        json.dump(asdict(RunningStack(number, namespace, os.getpid())), handle)
        handle.flush()
    return handle


def _locked(handle: IO[str]) -> bool:
    """Lock a file for this process alone; False where somebody holds it."""
    for attempt in range(TRIES):
        time.sleep(TRY_S if attempt else 0.0)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


@contextlib.contextmanager
def observer(number: int, namespace: str = "") -> Iterator[Any]:
    """Context of a node that only looks into a domain: with no arguments of this program and no handlers of signals."""
    import rclpy
    from rclpy.context import Context
    from rclpy.node import Node
    from rclpy.signals import SignalHandlerOptions

    context = Context()
    rclpy.init(args=[], context=context, domain_id=number, signal_handler_options=SignalHandlerOptions.NO)
    node = Node("physad_look", namespace=namespace, context=context, enable_rosout=False, start_parameter_services=False)
    try:
        yield node
    finally:
        node.destroy_node()
        context.try_shutdown()


def look(number: int, namespace: str, topics: Sequence[str]) -> list[str]:
    """Topics among ``topics`` that somebody in the domain publishes, and the action of an inspector; empty after a moment's look."""
    with observer(number, namespace) as node:
        end_s, found = time.monotonic() + LOOK_S, list[str]()
        while not found and time.monotonic() < end_s:
            time.sleep(0.05)
            found = [node.resolve_topic_name(topic) for topic in topics if node.count_publishers(topic)]
            found += [node.resolve_service_name("inspect")] if node.count_services("inspect/_action/send_goal") else []
        return found
