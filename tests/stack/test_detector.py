"""The detector node alone: a clip that is still scored does not disturb the next."""

import dataclasses
import threading

import numpy as np
import pytest
from live_graph import running
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage

from physad_msgs.msg import Interaction
from physad_msgs.srv import ScoreClip
from physad_ros.core.errors import BadData
from physad_ros.core.types import Course, Finding, Mark, MeasuredValue, Phase, Score, Timetable
from physad_ros.dataset.video import encode_jpeg
from physad_ros.detectors.base import detectors
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, STREAM
from physad_ros.nodes.detector import DetectorNode


def plan(clip_id):
    return convert.interaction_msg(Timetable(clip_id, "clip", "", "press", (Phase("press", 1.0, 2.0),), 1.0, 2.0, 60), 0.5)


@pytest.mark.parametrize("fails", [False, True])
def test_the_next_clip_may_begin_while_one_is_scored(monkeypatch, tmp_path, fails):
    entered, gate = threading.Event(), threading.Event()

    def finish(self, job, signals):
        entered.set()
        assert gate.wait(10.0)
        if fails:
            raise BadData("broken")
        return Score(0.5, np.zeros(60))

    monkeypatch.setattr(DetectorNode, "_finish", finish)
    fitted = detectors["intensity"]()
    fitted.mean, fitted.spread, fitted.threshold = 0.0, 1.0, 1.0
    (tmp_path / "clip").mkdir()
    fitted.save(tmp_path / "clip")
    config = {"detector": "intensity", "folder": str(tmp_path), "patience_s": 0.0}
    with running(lambda: [DetectorNode(config)]) as graph:
        node = graph["detector"]
        sender = graph.make(graph.probe.create_publisher, Interaction, "/interaction/plan", LATCHED)
        client = graph.make(graph.probe.create_client, ScoreClip, "/score_clip")
        graph.wait(client.service_is_ready)
        sender.publish(plan("first"))
        graph.wait(lambda: node._job is not None and node._job.stream is not None)
        answer = client.call_async(ScoreClip.Request(interaction=plan("first")))
        graph.wait(entered.is_set)
        sender.publish(plan("second"))
        graph.wait(lambda: node._job.timetable.clip_id == "second")
        gate.set()
        assert graph.result(answer).success != fails
        assert (node._job.timetable.clip_id, node.trouble) == ("second", "")


def test_a_score_comes_over_whole():
    """All that the detector measured, what cannot be measured too."""
    nan = float("nan")
    finding = Finding("opening.least.hold", "hold", "opening", nan, 1.0, 2.0, "mm", 3.0, 1.5, 2.0, "it did not open")
    score = Score(
        0.5,
        np.linspace(0, 1, 3),
        findings=(finding,),
        measured=(
            MeasuredValue("hold", "opening", "least", "mm", nan, 1.0, 2.0, 3.0), MeasuredValue("hold", "depth", "most", "", 0.5, 0.0, 1.0, 0.0)
        ),
        courses=(Course("opening", "mm", np.array([nan, 1.0, 2.0]), np.zeros(3), np.ones(3)),),
        marks=(Mark("opening", 1.5, False, True, np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])),),
        phases=(Phase("hold", 1.0, 1.5), Phase("rest", 1.5, 2.0)),
    )
    response = ScoreClip.Response()
    convert.score_into(response, score)
    again = convert.score_of(deserialize_message(serialize_message(response), ScoreClip.Response))
    np.testing.assert_equal(dataclasses.asdict(again), dataclasses.asdict(score))


def test_a_camera_whose_clock_is_set_back_while_it_films_gets_no_score(tmp_path):
    fitted = detectors["intensity"]()
    fitted.mean, fitted.spread, fitted.threshold = 0.0, 1.0, 1.0
    (tmp_path / "clip").mkdir()
    fitted.save(tmp_path / "clip")
    jpeg = encode_jpeg(np.zeros((36, 64, 3), np.uint8))
    with running(lambda: [DetectorNode({"detector": "intensity", "folder": str(tmp_path), "patience_s": 10.0})]) as graph:
        sender = graph.make(graph.probe.create_publisher, Interaction, "/interaction/plan", LATCHED)
        camera = graph.make(graph.probe.create_publisher, CompressedImage, "/camera/image_raw/compressed", STREAM)
        client = graph.make(graph.probe.create_client, ScoreClip, "/score_clip")
        graph.wait(lambda: client.service_is_ready() and camera.get_subscription_count())
        sender.publish(plan("c"))
        graph.wait(lambda: graph["detector"]._job is not None)
        for k in range(72):  # as many as fill the window twice over where it was set back by 0.2 s
            camera.publish(convert.jpeg_msg(jpeg, 1.0 + k / 60 - (0.2 if k >= 30 else 0.0), "camera"))
            graph.wait(lambda seen=min(k + 1, 30): graph["detector"]._job.window.received == seen)
        answer = graph.result(client.call_async(ScoreClip.Request(interaction=plan("c"))))
        assert not answer.success and "went back by 0.18 s" in answer.message
