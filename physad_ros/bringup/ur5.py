"""The real rig's drivers: Universal Robots' own launch file with our description, and the gripper's controller. Not yet run."""

from __future__ import annotations

from physad_ros.bringup import Include, NodeSpec, StackArguments
from physad_ros.core.errors import WrongUse
from physad_ros.core.paths import share_dir

CONTROLLER_MANAGER = "/controller_manager"


def specs(arguments: StackArguments) -> tuple[Include | NodeSpec, ...]:
    """What runs beside our nodes; WrongUse without the robot's address."""
    if not arguments.robot_ip:
        raise WrongUse("the rig ur5 needs the argument robot_ip: the robot's address")
    share = share_dir()
    driver = Include(
        "ur_robot_driver",
        "ur_control.launch.py",
        {
            "ur_type": "ur5",
            "robot_ip": arguments.robot_ip,
            "headless_mode": "true",
            "launch_rviz": "false",
            "initial_joint_controller": "scaled_joint_trajectory_controller",
            "description_launchfile": str(share / "launch" / "description.launch.py"),
        },
    )
    gripper = NodeSpec(
        "gripper_spawner",
        "spawner",
        package="controller_manager",
        arguments=(
            "gripper_controller", "--controller-manager", CONTROLLER_MANAGER,
            "--param-file", str(share / "config" / "gripper_controller.yaml"),
        ),
    )
    return driver, gripper
