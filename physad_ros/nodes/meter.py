"""Measures the way from the camera to recorder and detector: announces a window and asks what became of its frames."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from physad_msgs.msg import FrameScore, Interaction
from physad_msgs.srv import CutClip, ScoreClip
from physad_ros.core.errors import PhysadError
from physad_ros.core.types import FPS, Phase, Timetable
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, STREAM

CATEGORY = "fan"  # of the window that is announced
LEAD_S = 1.0  # from the announcement to the window


class Meter(Node):
    """Announces a window, hears the score of each frame, asks what was recorded and scored."""

    def __init__(self, frames: int) -> None:
        super().__init__("meter")
        self._frames = frames
        self.latencies_s: list[float] = []
        self._first_s = math.nan  # stamp of a picture; all others are whole periods from it
        self._plan = self.create_publisher(Interaction, "interaction/plan", LATCHED)
        self.create_subscription(FrameScore, "frame_score", self._on_score, STREAM)
        self.create_subscription(CameraInfo, "camera/camera_info", self._on_info, STREAM)
        self._cut = self.create_client(CutClip, "cut_clip")
        self._score = self.create_client(ScoreClip, "score_clip")

    def _on_score(self, message: FrameScore) -> None:
        self.latencies_s.append(time.time() - convert.seconds(message.header.stamp))

    def _on_info(self, message: CameraInfo) -> None:
        if math.isnan(self._first_s):
            self._first_s = convert.seconds(message.header.stamp)

    def measure(self) -> dict[str, float]:
        """Blocks until the window is over; call it from a thread that does not spin."""
        _wait_for(lambda: not math.isnan(self._first_s), 60.0, "the camera sends nothing")
        begin, length = time.time() + LEAD_S, self._frames / FPS
        phases = (Phase("run", begin, begin + length),)
        timetable = Timetable("bench", CATEGORY, "", "drive", phases, begin, begin + length, self._frames)
        message = convert.interaction_msg(timetable, time.time())
        self._plan.publish(message)
        time.sleep(LEAD_S + length)
        scored = self._ask(self._score, ScoreClip.Request(interaction=message))
        cut = self._ask(self._cut, CutClip.Request(interaction=message))
        if not (scored.success and cut.success):
            raise PhysadError(scored.message or cut.message)
        # the camera sends every frame of its schedule, late or not; to count what arrives would miss what is lost
        sent = math.ceil((begin + length - self._first_s) * FPS) - math.ceil((begin - self._first_s) * FPS)
        p50, p99 = np.percentile(np.array(self.latencies_s) * 1e3, (50, 99))
        return {
            "sent": sent, "recorded": cut.frames_received, "scored": scored.frames,
            "lost": sent - min(cut.frames_received, scored.frames),
            "latency_ms_p50": round(float(p50), 2), "latency_ms_p99": round(float(p99), 2),
        }

    def _ask(self, client: Any, request: Any) -> Any:
        future = client.call_async(request)
        _wait_for(future.done, 30.0, f"no answer of {client.srv_name}")
        return future.result()


def _wait_for(done: Any, timeout_s: float, otherwise: str) -> None:
    end = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > end:
            raise PhysadError(otherwise)
        time.sleep(0.01)
