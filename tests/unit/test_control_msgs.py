"""The actions of control_msgs, built here or installed, are the ones that real controllers speak."""

import json
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_share_directory

#: RIHS01 hashes of control_msgs 6.8.0 as its own definitions give them
ORIGINAL = {
    "FollowJointTrajectory": "RIHS01_ff29901b2693f5deb847e96084a1c2cdb26e70b7c847be21859b70a55fb29cf0",
    "ParallelGripperCommand": "RIHS01_adfd3c1ebe8abc38ebcc0e454b6423d291d4010dd5697d14eca5b9be4726ae18",
}


@pytest.mark.parametrize("action", ORIGINAL)
def test_the_type_hash_is_the_originals(action):
    file = Path(get_package_share_directory("control_msgs")) / "action" / f"{action}.json"
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(file.read_text())["type_hashes"]}
    assert hashes[f"control_msgs/action/{action}"] == ORIGINAL[action]
