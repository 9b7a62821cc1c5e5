"""A number of specimens, one after another, on the simulated rig, one process a node; each leaves its folder in `out`."""

from physad_ros.bringup import RecordArguments, request
from physad_ros.bringup.launching import description


def generate_launch_description():
    return description(RecordArguments, request)
