"""What runs in a ROS domain: its topics, how fast they come, and its nodes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

from rich.console import Console

from physad_ros.core.errors import BadData, Exit
from physad_ros.live.looking import Look, looking
from physad_ros.nodes.onlooker import Topic

UNKNOWN = "-"  # rate of a topic whose type is not installed here


def show_topics(domain: int, everything: bool, rate_s: float, console: Console) -> int:
    """List them, with their rates over ``rate_s`` unless that is 0. Returns the exit status."""
    with looking(domain) as look:
        topics = [topic for topic in look.topics() if everything or not topic.hidden]
        rates = _rates(look, topics, rate_s) if rate_s else {}
        if look.interrupted:
            return Exit.INTERRUPTED
    heads = ["topic", "type", "publishers", "subscribers", *(["messages/s"] if rate_s else [])]
    rows = [[t.name, " and ".join(t.types), str(t.publishers), str(t.subscribers), *([rates[t.name]] if rate_s else [])] for t in topics]
    _print(heads, rows, console)
    return 0


def show_nodes(domain: int, console: Console) -> int:
    """List them. Returns the exit status."""
    with looking(domain) as look:
        look.topics()  # every node has one
        members = look.onlooker.members()
        if look.interrupted:
            return Exit.INTERRUPTED
    rows = [[m.name, str(m.publishers), str(m.subscribers), str(m.services)] for m in members]
    _print(["node", "publishes", "subscribes to", "services"], rows, console)
    return 0


def _rates(look: Look, topics: Sequence[Topic], duration_s: float) -> dict[str, str]:
    """Messages a second of each topic, as it arrives here."""
    count: Counter[str] = Counter()
    rates = {}

    def hear(name: str, data: bytes) -> None:
        count[name] += 1

    for topic in topics:
        try:
            look.onlooker.listen(topic, partial(hear, topic.name), raw=True)
        except BadData:
            rates[topic.name] = UNKNOWN
    begin = time.monotonic()
    end = begin + duration_s
    look.spin(lambda: time.monotonic() > end)
    lasted_s = time.monotonic() - begin
    return {topic.name: f"{count[topic.name] / lasted_s:.1f}" for topic in topics} | rates


def _print(heads: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Columns as wide as what they hold: a name that is cut could not be told from another, nor found by grep."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    for row in (heads, *rows):
        # names to the left, numbers to the right
        cells = [cell.rjust(width) if row is not heads and cell[:1].isdecimal() else cell.ljust(width) for cell, width in zip(row, widths)]
        console.print("  ".join(cells).rstrip(), style="bold" if row is heads else None, markup=False, soft_wrap=True)
