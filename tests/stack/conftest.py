"""The live graph, headless, in a ROS domain of its own."""

import os

import domains
import pytest

_domain = domains.own_domain(os.environ.get("ROS_DOMAIN_ID", ""))  # held as long as this process lives
# before anything imports rclpy
os.environ["ROS_DOMAIN_ID"] = str(_domain.__enter__())
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

pytest.importorskip("rclpy", reason="needs ROS 2: make setup")


@pytest.fixture
def another_domain():
    """For programs that are started as a whole, beside the graph of the tests."""
    with domains.own_domain() as number:
        yield str(number)
