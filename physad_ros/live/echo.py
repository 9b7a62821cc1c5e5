"""The messages of one topic in a terminal, as they come."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from physad_ros.core.errors import Exit
from physad_ros.live.looking import looking
from physad_ros.live.message import text


def echo(name: str, domain: int, once: bool, full: bool) -> int:
    """Print them until Ctrl-C, or one. Returns the exit status: 0 after one, 130 after Ctrl-C or where it was terminated.

    Raises:
        WrongUse: no such topic; names the nearest.
        BadData: its type is not installed here.
    """
    heard: list[Any] = []
    with looking(domain) as look:
        topic = look.topic(name)
        if topic is not None and not topic.publishers:
            print(f"nobody publishes {topic.name} now; waiting for somebody who does, until Ctrl-C", file=sys.stderr)
        while topic is not None and not topic.publishers and not look.interrupted:  # what a publisher offers decides how it is asked
            time.sleep(0.1)
            topic = next((t for t in look.onlooker.topics() if t.name == topic.name), topic)
        if topic is not None and not look.interrupted:
            look.onlooker.listen(topic, heard.append)
        try:
            while not look.interrupted:
                look.spin(lambda: bool(heard))
                for message in heard[: 1 if once else None]:
                    print(text(message, full) + "---", flush=True)
                    if once:
                        return 0
                heard.clear()
        except BrokenPipeError:  # who read along, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return Exit.INTERRUPTED
