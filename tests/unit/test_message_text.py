"""Messages as YAML for a person: what is read back is what was sent, or says what is left out."""

import array

import numpy as np
import pytest
import yaml

pytest.importorskip("sensor_msgs", reason="needs ROS 2: make setup")

from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from sensor_msgs.msg import CameraInfo, CompressedImage, JointState
from std_msgs.msg import Empty, Header, String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectoryPoint

from physad_msgs.msg import FrameScore, LightLevels
from physad_ros.live.message import CHARACTERS, ITEMS, text

HEADER = Header(stamp=Time(sec=1764446400, nanosec=12), frame_id="camera")


def read(message, full=False):
    return yaml.safe_load(text(message, full))


def test_a_stamp_is_seconds_with_all_their_digits():
    assert "  stamp: 1764446400.000000012\n" in text(JointState(header=HEADER))
    assert read(JointTrajectoryPoint(time_from_start=Duration(sec=-2, nanosec=500_000_000)))["time_from_start"] == -1.5


def test_what_was_sent_can_be_read_back():
    sent = JointState(header=HEADER, name=["a", "on", "1"], position=[0.1, float("nan"), float("inf")])
    got = read(sent)
    assert got["name"] == ["a", "on", "1"] and got["header"]["frame_id"] == "camera" and got["velocity"] == []
    np.testing.assert_equal(got["position"], [0.1, float("nan"), float("inf")])
    assert read(CameraInfo(k=np.arange(9.0)))["k"] == list(range(9))
    assert read(Trigger.Response(success=True)) == {"success": True, "message": ""}


def test_messages_in_messages_and_lists_of_them_are_indented():
    level = DiagnosticStatus(level=DiagnosticStatus.WARN, name="arm", values=[KeyValue(key="joints", value="6"), KeyValue(key="b", value="")])
    got = read(DiagnosticArray(header=HEADER, status=[level, DiagnosticStatus(name="eye")]))
    assert [s["name"] for s in got["status"]] == ["arm", "eye"] and got["status"][0]["level"] == 1
    assert got["status"][0]["values"] == [{"key": "joints", "value": "6"}, {"key": "b", "value": ""}] and got["status"][1]["values"] == []


def test_a_long_array_or_string_says_what_is_left_out():
    picture = CompressedImage(data=array.array("B", bytes(200) * 1000))
    assert len(text(picture)) < 300 and read(picture)["data"] == [0] * ITEMS
    assert f"# and {200_000 - ITEMS} more" in text(picture) and len(read(picture, full=True)["data"]) == 200_000
    long = String(data="x" * (CHARACTERS + 7))
    assert read(long)["data"] == "x" * CHARACTERS + "…" and "# and 7 more characters" in text(long) and read(long, full=True)["data"] == long.data


def test_long_strings_in_an_array_leave_it_an_array():
    assert read(JointState(name=["x" * 1000, "y"]))["name"] == ["x" * CHARACTERS + "…", "y"]


def test_what_a_terminal_would_obey_is_only_shown():
    said = text(String(data="\x1b[2J\n---\nü: {"))
    assert "\x1b" not in said and said.count("\n") == 1 and yaml.safe_load(said)["data"] == "\x1b[2J\n---\nü: {"


def test_floats_have_as_many_digits_as_their_type():
    assert "level: [0.1, 1.0]\n" in text(LightLevels(level=[0.1, 1.0]))
    assert "value: 0.1\n" in text(FrameScore(value=0.1)) and "value: 0.30000000000000004\n" in text(FrameScore(value=0.1 + 0.2))


def test_a_message_without_fields_is_empty():
    assert read(Empty()) == {}
