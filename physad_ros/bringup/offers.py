"""What the drivers of a rig that is not ours to start must offer, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from physad_ros.bringup import StackArguments
from physad_ros.core.catalogue import load_category
from physad_ros.dataset import topics


@dataclass(frozen=True)
class Offer:
    """A topic that they publish or an action that they serve."""

    kind: Literal["topic", "action"]
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} ({self.what})"


ROBOT = (
    Offer("topic", topics.JOINTS, "where the arm and the gripper are"),
    Offer("action", "/scaled_joint_trajectory_controller/follow_joint_trajectory", "moves the arm"),
    Offer("action", "/gripper_controller/gripper_cmd", "moves the gripper"),
    Offer("topic", topics.WRENCH, "force at the tool"),
)
LIGHTS = Offer("topic", topics.LIGHT, "the lights' driver, yours to add: docs/rig.md")
MOTOR = Offer("topic", topics.MOTOR, "the motor's driver, yours to add: docs/rig.md")
GAZEBO = (Offer("topic", "/clock", "simulated time"), Offer("topic", "/camera/image_raw", "pictures"))


def offers(arguments: StackArguments) -> tuple[Offer, ...]:
    """What must be there before our nodes start; the motor's driver only where the category is known to be driven."""
    if arguments.source == "file" or arguments.rig == "mujoco":
        return ()
    driven = bool(arguments.category) and load_category(arguments.category).recipe.interaction == "drive"
    return (*(GAZEBO if arguments.rig == "gazebo" else ()), *ROBOT, LIGHTS, *((MOTOR,) if driven else ()))
