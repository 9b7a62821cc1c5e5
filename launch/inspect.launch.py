"""One inspection, one process a node: the list that `physad inspect` runs in one process. Ends with the verdict."""

from physad_ros.bringup import StackArguments, request
from physad_ros.bringup.launching import description


def generate_launch_description():
    return description(StackArguments, request)
