"""What the inspector keeps an eye on: the camera's pictures, and whether the nodes it depends on live."""

from __future__ import annotations

import math
import zlib
from collections import deque
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Empty

from physad_ros.core.ring import Ring
from physad_ros.core.types import Timetable
from physad_ros.nodes import convert
from physad_ros.nodes.base import LIFE, STREAM, Adapter, titled
from physad_ros.nodes.domain import ALONE
from physad_ros.nodes.waiting import HANG_S

ARM = "arm"  # tells its troubles with its answers: told on their own they may be of the interaction before
BEATS_MISSED = 6  # heartbeats of a partner, while the watcher's own come: a process that waits for a processor misses some
MEET_S = 1.0  # for nodes that have just started to find each other
RECENT = 8  # pictures that are not to come again: a camera that is stuck may show its few buffers in turn


class Watch:
    """Knows when the last picture came, since when none was new, and who is alive."""

    def __init__(self, node: Adapter, config: Any):
        self._node = node
        self._config = config
        self.frame_seen_s = -math.inf  # steady clock
        self.frame_stamp_s = -math.inf
        self._prints: deque[int] = deque(maxlen=RECENT)  # checksums of the last pictures that were new
        self._changed_s = -math.inf  # stamp of the last frame that was new
        self._missed: dict[str, int | None] = dict.fromkeys(config.partners)  # heartbeats since the last; None: none came yet
        self._troubles: dict[str, tuple[str, float]] = {}  # a partner's own word, and since when on the steady clock
        self._arrivals: Ring[tuple[float, bool]] = Ring(10.0)  # by stamp: steady clock, and whether the picture was new
        self._titles = {titled(node.get_namespace(), name): name for name in config.partners}
        node.subscribe(CompressedImage, "camera/image_raw/compressed", self._on_frame, STREAM)
        node.subscribe(DiagnosticArray, "/diagnostics", self._on_diagnostics)
        node.subscribe(Empty, "~/alive", lambda _: self._on_own_beat(), LIFE)
        for name in config.partners:
            node.subscribe(Empty, f"{name}/alive", partial(self._on_beat, name), LIFE)

    def _on_frame(self, message: CompressedImage) -> None:
        stamp = convert.seconds(message.header.stamp)
        now = zlib.crc32(message.data)
        new = now not in self._prints or stamp < self.frame_stamp_s
        if new:
            self._prints.append(now)
            self._changed_s = stamp
        self.frame_stamp_s, self.frame_seen_s = stamp, self._node.steady_s()
        self._arrivals.push(stamp, (self.frame_seen_s, new))

    def _on_own_beat(self) -> None:
        """Partners are counted out by the watcher's own heartbeats: where it hears nothing itself, nobody is missing."""
        for name, missed in self._missed.items():
            if missed is not None:
                self._missed[name] = missed + 1

    def _on_beat(self, name: str, message: Empty) -> None:
        self._missed[name] = 0

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            name = self._titles.get(status.name)
            if name is None:
                continue
            if status.level != DiagnosticStatus.ERROR:
                self._troubles.pop(name, None)
            elif self._troubles.get(name, ("", 0.0))[0] != status.message:
                self._troubles[name] = status.message, self._node.steady_s()

    def dead(self, met: bool) -> tuple[str, ...]:
        """Partners that have fallen silent; with ``met`` also those that were never heard."""
        return tuple(name for name, missed in self._missed.items() if (met if missed is None else missed > BEATS_MISSED))

    def _told_by(self, name: str, since_s: float) -> str:
        """A partner's trouble; what is older than ``since_s`` is of an inspection before."""
        text, at_s = self._troubles.get(name, ("", 0.0))
        return text if at_s > since_s else ""

    def fault_of(self, name: str, since_s: float) -> str:
        """Why a partner does not do what is waited for; empty if nothing is known."""
        return f"{name} does not answer any more" if name in self.dead(met=True) else self._told_by(name, since_s)

    def arm_is_dead(self) -> bool:
        """Whether who interacts does not live any more: the arm, or the camera that plays a film in its place."""
        return (ARM if ARM in self._missed else "camera") in self.dead(met=True)

    def stranger(self) -> str:
        """What another stack in this domain and namespace doubles; empty where none is. Clocks and frames of two would be mixed.

        One that was killed counts until its lease has run out, some twenty seconds.
        """
        node = self._node
        doubled = [node.resolve_topic_name(topic) for topic in ALONE if node.count_publishers(topic) > 1]
        doubled += [node.resolve_service_name("inspect")] if node.count_services("inspect/_action/send_goal") > 1 else []
        if not doubled:
            return ""
        domain = node.context.get_domain_id()
        return f"another stack runs in ROS domain {domain} ({', '.join(doubled)} come twice); set ROS_DOMAIN_ID, or give one a namespace"

    def missing(self) -> tuple[str, ...]:
        """What has not been there yet: partners, pictures."""
        away = self.dead(met=True)
        return away if math.isfinite(self.frame_seen_s) else (*away, "the camera")

    def trouble(self, since_s: float, patience_s: float, moving_since_s: float | None) -> str:
        """What is wrong; empty if nothing.

        Args:
            since_s: when watching began, on the steady clock.
            patience_s: for how long the camera may be silent.
            moving_since_s: pictures must differ from this stamp on; None: need not.
        """
        stranger = self.stranger()
        if stranger:
            return stranger
        dead = self.dead(met=self._node.steady_s() - since_s > MEET_S)
        if dead:
            return f"{' and '.join(dead)} {'does' if len(dead) == 1 else 'do'} not answer any more"
        told = [text for name in self._troubles if name != ARM and (text := self._told_by(name, since_s))]
        if told:
            return told[0]
        quiet = self._node.steady_s() - max(self.frame_seen_s, since_s)
        # by both clocks: a rig that is simulated slower than real time is no camera that has stalled
        late = min(quiet, self._node.now_s() - self.frame_stamp_s) > patience_s
        if late or quiet > max(patience_s, HANG_S):
            return f"the camera has stalled: no frame for {quiet:.1f} s"
        same = 0.0 if moving_since_s is None else self.frame_stamp_s - max(self._changed_s, moving_since_s)
        if same > self._config.frozen_s:
            return f"the picture is frozen: none that is new for {same:.1f} s"
        return ""

    def last_in(self, timetable: Timetable | None) -> float:
        """When, on the steady clock, the last frame of a window came; not a number where none did."""
        if timetable is None:
            return math.nan
        seen = self._arrivals.window(timetable.window_begin_s, timetable.window_end_s)
        return seen[-1][1][0] if seen else math.nan

    def repeated_in(self, timetable: Timetable) -> int:
        """How many pictures of a window had been shown just before."""
        seen = self._arrivals.window(timetable.window_begin_s, timetable.window_end_s)
        return sum(not new for _, (_, new) in seen)
