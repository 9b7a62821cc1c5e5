"""Looking into a ROS domain from outside: for the commands that show what runs."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from physad_ros.core.errors import WrongUse
from physad_ros.nodes.domain import given, running_stacks
from physad_ros.nodes.onlooker import Onlooker, Topic
from physad_ros.nodes.run import interrupts, stay_local

DOMAINS = range(233)  # what the ports of UDP leave room for
MOST_S, STILL_S = 6.0, 1.0  # of looking: until what is found has stayed the same for a while
OTHERS_S = 0.2  # until all publishers of a topic are known, where one is


@dataclass(frozen=True)
class Look:
    """An onlooker in a domain, and its turns."""

    domain: int
    onlooker: Onlooker
    executor: SingleThreadedExecutor
    interrupts: list[int]  # signals that came

    @property
    def interrupted(self) -> bool:
        return bool(self.interrupts)

    def spin(self, stop: Callable[[], bool]) -> None:
        """Hand over messages until ``stop()`` or an interrupt."""
        while not self.interrupted and not stop():
            self.executor.spin_once(timeout_sec=0.1)

    def topics(self, wanted: str = "") -> list[Topic]:
        """All topics, once no more are found or somebody publishes the wanted one. Raises WrongUse where the domain is empty."""
        began = changed = time.monotonic()
        found: list[Topic] = []
        while not self.interrupted and (now := time.monotonic()) - began < MOST_S:
            if (seen := self.onlooker.topics()) != found:
                found, changed = seen, now
            heard = any(topic.name == wanted and topic.publishers for topic in found)
            if found and now - changed > (OTHERS_S if heard else STILL_S):
                break
            time.sleep(0.05)
        if not found and not self.interrupted:
            raise WrongUse(nothing_runs(self.domain))
        return found

    def topic(self, name: str) -> Topic | None:
        """The topic of that name; None where interrupted. Raises WrongUse, naming the nearest, where there is none."""
        full = "/" + name.lstrip("/")
        known = {topic.name: topic for topic in self.topics(full)}
        if self.interrupted or full in known:
            return known.get(full)
        raise WrongUse(f"no topic {full} in ROS domain {self.domain}; {near(full, list(known))}")


def near(name: str, known: list[str]) -> str:
    """What somebody may have meant: the same name in a namespace first, then what is spelt much alike; else all there is."""
    meant = [other for other in known if other.endswith(name)]
    meant += [other for other in difflib.get_close_matches(name, known, n=4, cutoff=0.6) if other not in meant]
    return f"did you mean {' or '.join(meant)}?" if meant else f"there are {', '.join(n for n in known if '/_' not in n)}"


def nothing_runs(domain: int) -> str:
    """For a domain without anybody."""
    where = "" if os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") != "LOCALHOST" else " on this machine"
    return (f"nothing runs in ROS domain {domain}{where}; while an inspection runs there is something to see. "
            "Another domain is named with --domain N or ROS_DOMAIN_ID")


def domain_of(named: int | None) -> int:
    """The ROS domain to look into: the named one, else the shell's, else that of the stack that runs on this machine, else 0.

    Raises:
        WrongUse: it is none, or several stacks run and none is named.
    """
    if named is not None:
        if named not in DOMAINS:
            raise WrongUse(f"{named} is no ROS domain; it is a number from 0 to {DOMAINS[-1]}")
        return named
    told = given()
    if told is not None:
        return told
    running = running_stacks()
    if len({stack.domain for stack in running}) > 1:
        each = ", ".join(f"{stack.domain} (process {stack.pid})" for stack in running)
        raise WrongUse(f"several stacks run on this machine, in the ROS domains {each}; name one with --domain")
    return running[0].domain if running else 0


@contextmanager
def looking(domain: int) -> Iterator[Look]:
    """An onlooker in that domain for as long as it is needed; Ctrl-C ends its turns in order."""
    stay_local()
    context = Context()
    with interrupts() as came:
        context.init(domain_id=domain)
        onlooker = Onlooker(context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(onlooker)
        try:
            yield Look(domain, onlooker, executor, came)
        finally:
            executor.shutdown()
            onlooker.destroy_node()
            context.try_shutdown()
