"""A rig whose drivers do not run is told at once, with what is missing; a node that cannot start tells it once, in words."""

import json
import os
import subprocess
import sys

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from sensor_msgs.msg import JointState

from physad_ros.bringup import StackArguments
from physad_ros.bringup.offers import offers
from physad_ros.core.errors import BadData, WrongUse
from physad_ros.live.presence import require, require_robot
from physad_ros.nodes.camera import Camera
from physad_ros.nodes.recorder import Recorder
from physad_ros.nodes.run import session


def test_what_drivers_do_not_offer_is_named_and_what_they_do_is_not():
    needed = offers(StackArguments(rig="gazebo", category="fan"))
    context = Context()
    rclpy.init(context=context)
    node = Node("half_a_driver", context=context)
    node.create_publisher(JointState, "/joint_states", 10)
    try:
        with pytest.raises(WrongUse) as told:
            require("gazebo", needed, "start it so", patience_s=2.0)
        require("gazebo", [o for o in needed if o.name == "/joint_states"], "start it so", patience_s=20.0)
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
    said = str(told.value)
    assert "/joint_states" not in said and "are not complete" in said and "start it so" in said and "ROS_DOMAIN_ID" in said
    assert all(o.name in said for o in needed if o.name != "/joint_states") and "/motor/state" in said


def test_no_robot_at_an_address_is_told():
    with pytest.raises(WrongUse, match=r"no robot answers at 127\.0\.0\.1"):
        require_robot("127.0.0.1")


def test_a_node_that_cannot_start_says_so_once_and_whose_fault_it_is(capfd):
    with pytest.raises(BadData, match="camera does not start: source must be one of"), session(lambda: [Camera({"source": "film"})]):
        pass
    with pytest.raises(BadData, match="recorder: the parameter patience_s"), session(lambda: [Recorder({"patience_s": 1e9})]):
        pass
    assert "[ERROR]" not in capfd.readouterr().err


def test_a_node_s_process_ends_in_one_line(another_domain):
    words = ["--ros-args", "-p", "source:=file", "-p", "file:=gone.mp4"]
    done = subprocess.run([sys.executable, "-m", "physad_ros.nodes.camera", *words], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "ROS_DOMAIN_ID": another_domain})
    assert done.returncode == 2 and done.stderr.startswith("physad: camera does not start: "), json.dumps([done.returncode, done.stderr])
    assert done.stderr.count("\n") == 1
