"""The camera node alone: a device that goes away and comes back, raw pictures that come too fast, raw ones for who listens."""

import threading
import time

import numpy as np
import pytest
from live_graph import running
from sensor_msgs.msg import CompressedImage, Image

from physad_ros.core.errors import BadData
from physad_ros.dataset.video import decode_jpeg, encode_jpeg
from physad_ros.nodes import camera, convert
from physad_ros.nodes.base import STREAM
from physad_ros.nodes.camera import Camera

FPS = 60.0


class Webcam:
    """In the place of a V4L2 camera: sends five pictures, less one, and then no more until it was opened twice again."""

    opened = 0
    width, height = 64, 36

    def __init__(self, *_):
        type(self).opened += 1
        if self.opened == 2:
            raise BadData("no camera")
        self._left, self._begin = list(range(5) if self.opened == 1 else range(100_000)), time.time()
        self._left.remove(3)

    def read(self):
        if not self._left:
            return None
        time.sleep(0.002)
        k = self._left.pop(0)
        return encode_jpeg(np.full((36, 64, 3), k % 256, np.uint8)), self._begin + k / FPS

    def close(self):
        pass


@pytest.fixture
def webcam(monkeypatch):
    Webcam.opened = 0
    monkeypatch.setattr(camera, "Device", Webcam)
    monkeypatch.setattr(camera, "REOPEN_S", 0.1)


def test_a_device_that_sends_no_more_is_told_and_opened_again(webcam):
    with running(lambda: [Camera({"source": "device"})]) as graph:
        node = graph["camera"]
        graph.wait(lambda: node.trouble == "/dev/video0 sends no more pictures", 5.0)
        graph.wait(lambda: Webcam.opened == 3 and not node.trouble, 5.0)
        frames = graph.collect(CompressedImage, "/camera/image_raw/compressed", STREAM)
        graph.wait(lambda: len(frames) > 20)


def test_a_picture_that_is_missing_is_counted(webcam):
    with running(lambda: [Camera({"source": "device"})]) as graph:
        graph.wait(lambda: graph["camera"].facts.get("lost") == 1, 5.0)


def test_raw_pictures_are_sent_while_somebody_listens(webcam):
    Webcam.opened = 2
    with running(lambda: [Camera({"source": "device"})]) as graph:
        raw = graph.collect(Image, "/camera/image_raw", STREAM)
        jpegs = graph.collect(CompressedImage, "/camera/image_raw/compressed", STREAM)
        graph.wait(lambda: len(raw) > 5 and jpegs and convert.seconds(raw[-1].header.stamp) > convert.seconds(jpegs[0].header.stamp))
        stamps = {convert.seconds(m.header.stamp): m for m in list(jpegs)}
        shown = next(m for m in reversed(raw) if convert.seconds(m.header.stamp) in stamps)
        np.testing.assert_array_equal(convert.frame_of(shown), decode_jpeg(stamps[convert.seconds(shown.header.stamp)].data))


def test_raw_pictures_that_come_too_fast_are_dropped_and_counted(monkeypatch):
    gate = threading.Event()
    encode = camera.encode_jpeg
    monkeypatch.setattr(camera, "encode_jpeg", lambda *arguments: gate.wait(10.0) and encode(*arguments))
    with running(lambda: [Camera({"source": "rig"})]) as graph:
        jpegs = graph.collect(CompressedImage, "/camera/image_raw/compressed", STREAM)
        sender = graph.make(graph.probe.create_publisher, Image, "/camera/image_raw", STREAM)
        graph.wait(lambda: sender.get_subscription_count() == 1)
        sent = camera.BACKLOG + 20
        for k in range(sent):
            sender.publish(convert.image_msg(np.zeros((36, 64, 3), np.uint8), 1.0 + k, ""))
        graph.wait(lambda: graph["camera"].facts["dropped"] >= 19)
        gate.set()
        graph.wait(lambda: len(jpegs) + graph["camera"].facts["dropped"] == sent)
        assert camera.BACKLOG <= len(jpegs) <= camera.BACKLOG + 1  # one more is being encoded
