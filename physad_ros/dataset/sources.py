"""Where a camera's pictures come from, as JPEGs: a video file, or a camera of this machine. Knows no ROS."""

from __future__ import annotations

import math
import time
from pathlib import Path

import cv2
import numpy as np

from physad_ros.core.errors import BadData
from physad_ros.dataset.video import encode_jpeg, frame_rate, iter_stamped

FRAMES_MAX = 1200  # of a file, kept in memory as JPEGs: about half a gigabyte at 1080p
FPS_MAX = 240.0


class Footage:
    """A whole video, encoded before it is played, so that playing keeps time whatever its size."""

    def __init__(self, path: Path, quality: int):
        """Raises BadData where it is no video, too long or without a usable rate."""
        if not path.is_file():
            raise BadData(f"no video at {path}")
        self.fps = frame_rate(path)
        if self.fps > FPS_MAX:
            raise BadData(f"{path} has {self.fps:g} frames a second; at most {FPS_MAX:g} can be played")
        self.frames: list[bytes] = []
        self.stamps_s: list[float] = []  # of each, since the first; where frames were dropped there are gaps
        for stamp, frame in iter_stamped(path):
            if len(self.frames) == FRAMES_MAX:
                raise BadData(f"{path} has more than {FRAMES_MAX} frames, which is all that can be played; cut it first")
            self.frames.append(encode_jpeg(frame, quality))
            self.stamps_s.append(stamp)
            self.height, self.width = frame.shape[:2]
        if not self.frames:
            raise BadData(f"{path} has no frames")

    @property
    def length_s(self) -> float:
        """From the first frame to the end of the last."""
        return self.stamps_s[-1] + 1 / self.fps


class Device:
    """A V4L2 camera that sends MJPG; its pictures are passed on as they come, never decoded."""

    def __init__(self, path: str, width: int, height: int, fps: float):
        """Raises BadData where the camera is not there or does not take the settings; says what it took instead."""
        self._capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise BadData(f"no camera at {path}")
        fourcc = cv2.VideoWriter.fourcc(*"MJPG")
        asked = {
            cv2.CAP_PROP_FOURCC: fourcc, cv2.CAP_PROP_FRAME_WIDTH: width, cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FPS: fps,
        }
        for setting, value in asked.items():
            self._capture.set(setting, value)
        self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 4)
        took = {setting: self._capture.get(setting) for setting in asked}
        if any(abs(took[s] - asked[s]) > 0.5 for s in asked):
            self.close()
            raise BadData(f"{path} took {tuple(took.values())} instead of {tuple(asked.values())} "
                          "(format, width, height, rate); see v4l2-ctl --list-formats-ext")
        self.width, self.height, self.fps = width, height, fps

    def read(self) -> tuple[bytes, float] | None:
        """The next picture and its exposure on the system's clock [s]; None where the camera has stopped.

        The driver stamps buffers on the monotonic clock, which is set against the system's anew for every frame: the two drift.
        """
        more, jpeg = self._capture.read()
        if not more or jpeg is None:
            return None
        age_s = time.monotonic() - float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) * 1e-3
        if not 0 <= age_s < 1.0:  # a driver that does not stamp
            age_s = 0.0
        return np.asarray(jpeg).tobytes(), time.time() - age_s

    def close(self) -> None:
        self._capture.release()


class Gaps:
    """Counts the frames that are missing between those that came, by their stamps."""

    def __init__(self, fps: float):
        self.lost = 0
        self._fps = fps
        self._last_s = math.nan

    def see(self, stamp_s: float) -> None:
        """A frame has come."""
        periods = (stamp_s - self._last_s) * self._fps
        if periods > 1:  # not at the first
            self.lost += round(periods) - 1
        self._last_s = stamp_s
