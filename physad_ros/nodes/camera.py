"""The camera: JPEGs with exposure stamps from a device, from a file at its own rate, or of a rig that sends raw pictures only."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from physad_ros.core.errors import BadData, why
from physad_ros.dataset.sources import Device, Footage, Gaps
from physad_ros.dataset.video import decode_jpeg, encode_jpeg
from physad_ros.nodes import convert
from physad_ros.nodes.base import STREAM, Adapter
from physad_ros.nodes.footage import FootageInteraction
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run

STILL_HZ = 10.0
BACKLOG = 8  # raw pictures that may wait to be encoded; later ones are dropped and counted
REOPEN_S, REOPEN_MAX_S = 0.5, 8.0  # wait before a device that sends no more is opened again, doubled each time it is in vain


@dataclass(frozen=True)
class CameraConfig:
    """Parameters of the node `camera`."""

    source: str = parameter("device", "where pictures come from", choices=("device", "file", "rig"))
    file: str = parameter("", "video to play, for the source file")
    loop: bool = parameter(False, "play the file over and over from the start, instead of on demand")
    device: str = parameter("/dev/video0", "camera, for the source device")
    width: int = parameter(1920, "of the device's pictures", unit="px", low=16, high=8192)
    height: int = parameter(1080, "of the device's pictures", unit="px", low=16, high=8192)
    fps: float = parameter(60.0, "of the device", unit="Hz", low=1.0, high=240.0)
    quality: int = parameter(90, "of JPEGs made here", low=50, high=100)
    frame_id: str = parameter("camera_optical_frame", "frame of the pictures")


class Camera(Adapter):
    """Publishes /camera/image_raw/compressed and /camera/camera_info with equal stamps; /camera/image_raw while somebody listens."""

    config_type = CameraConfig
    config: CameraConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("camera", values, **options)

    def activate(self) -> None:
        self._stop = threading.Event()
        self._image = self.publisher(CompressedImage, "camera/image_raw/compressed", STREAM)
        self._info = self.publisher(CameraInfo, "camera/camera_info", STREAM)
        self._thread: threading.Thread | None = None
        self.facts["sent"] = 0
        self._raw: Any = None
        if self.config.source == "rig":
            self._room = threading.Semaphore(BACKLOG)
            self.facts["dropped"] = 0
            self.subscribe(Image, "camera/image_raw", self._on_raw, STREAM)
            return
        self._raw = self.publisher(Image, "camera/image_raw", STREAM)
        if self.config.source == "device":
            device = self._open()
            self._begin(lambda: self._stream(device), device)
            return
        footage = Footage(Path(self.config.file), self.config.quality)
        if self.config.loop:
            self._begin(lambda: self._loop(footage), footage)
            return
        self._footage = FootageInteraction(self, footage)
        self._begin(lambda: self._still(footage), footage)

    def _begin(self, body: Callable[[], None], source: Device | Footage) -> None:
        self._size = source.width, source.height
        self._thread = threading.Thread(target=body, name="camera", daemon=True)
        self._thread.start()

    def deactivate(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def send(self, jpeg: bytes, stamp_s: float) -> None:
        """Publish a picture, from any thread."""
        head = convert.header(stamp_s, self.config.frame_id)
        self._image.publish(convert.jpeg_msg(jpeg, stamp_s, self.config.frame_id))
        self._info.publish(CameraInfo(header=head, width=self._size[0], height=self._size[1], distortion_model="plumb_bob"))
        self.facts["sent"] += 1
        if self._raw is not None and self._raw.get_subscription_count():
            with contextlib.suppress(BadData):  # who looks at the compressed one tells it
                self._raw.publish(convert.image_msg(decode_jpeg(jpeg), stamp_s, self.config.frame_id))

    def _open(self) -> Device:
        c = self.config
        return Device(c.device, c.width, c.height, c.fps)

    def _stream(self, device: Device | None) -> None:
        """Pass on what the device sends; open it again, after ever longer waits, where it sends no more."""
        gaps, wait_s = Gaps(self.config.fps), REOPEN_S
        while not self._stop.is_set():
            got = None if device is None else device.read()
            if got is not None:
                self.send(*got)
                gaps.see(got[1])
                self.facts["lost"], self.trouble, wait_s = gaps.lost, "", REOPEN_S
                continue
            if device is not None:
                device.close()
            self.trouble = f"{self.config.device} sends no more pictures"
            self._stop.wait(wait_s)
            device, wait_s = self._reopened(), min(2 * wait_s, REOPEN_MAX_S)
        if device is not None:
            device.close()

    def _reopened(self) -> Device | None:
        try:
            return self._open()
        except BadData:  # still away
            return None

    def _loop(self, footage: Footage) -> None:
        """Play over and over, each frame at its time."""
        self.play(footage, time.time() + 0.5)

    def _still(self, footage: Footage) -> None:
        """Show the first picture slowly, as the thing that lies there, while nothing is done to it."""
        while not self._stop.wait(1.0 / STILL_HZ):
            if time.time() < self._footage.still_until_s:
                self.send(footage.frames[0], time.time())

    def play(
        self, footage: Footage, begin_s: float, end_s: float = math.inf, canceled: Callable[[], bool] = lambda: False
    ) -> bool:
        """Send each frame at, and stamped, its own time after ``begin_s`` on the system's clock, over and over, in the calling thread.

        Returns at ``end_s``, or early when stopped or canceled: whether it got to the end.
        """
        for i in itertools.count():
            again, at = divmod(i, len(footage.frames))
            stamp_s = begin_s + again * footage.length_s + footage.stamps_s[at]
            over = stamp_s > end_s - 0.5 / footage.fps
            if self._stop.wait(max((end_s if over else stamp_s) - time.time(), 0.0)) or canceled():
                return False
            if over:
                return True
            self.send(footage.frames[at], stamp_s)
        raise AssertionError("counting does not end")

    def _on_raw(self, message: Image) -> None:
        if message.encoding not in ("bgr8", "rgb8"):
            self.trouble = f"cannot use pictures of encoding {message.encoding!r}; known: bgr8, rgb8"
            return
        self._size = message.width, message.height
        if self._room.acquire(blocking=False):
            self.workers.submit(self._compress, message)
        else:
            self.facts["dropped"] += 1

    def _compress(self, message: Image) -> None:
        self._room.release()
        try:
            jpeg = encode_jpeg(convert.frame_of(message), self.config.quality)
        except BadData as error:
            self.trouble = why(error)
            return
        self.send(jpeg, convert.seconds(message.header.stamp))


def main() -> None:
    run(Camera)


if __name__ == "__main__":
    main()
