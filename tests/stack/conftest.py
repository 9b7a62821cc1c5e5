"""The live graph, headless, in a ROS domain of its own."""

import os
import random

# before anything imports rclpy
os.environ["ROS_DOMAIN_ID"] = str(random.randint(1, 100))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: make setup")
