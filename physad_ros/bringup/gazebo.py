"""The rig in Gazebo: the simulator, the robot in it, its controllers and the bridges of clock and camera. Not yet run."""

from __future__ import annotations

import math

from physad_ros.bringup import Include, NodeSpec, StackArguments, Xacro
from physad_ros.core.catalogue import Camera, load_category
from physad_ros.core.errors import WrongUse
from physad_ros.core.paths import share_dir

CONTROLLERS = (
    "joint_state_broadcaster",
    "scaled_joint_trajectory_controller",
    "gripper_controller",
    "force_torque_sensor_broadcaster",
)


def specs(arguments: StackArguments) -> tuple[Include | NodeSpec, ...]:
    """What runs beside our nodes; WrongUse without a category, by which the camera stands."""
    if not arguments.category:
        raise WrongUse("the rig gazebo needs the argument category: its camera is set up for one")
    share = share_dir()
    description = Xacro("rig.urdf.xacro", _mappings(arguments, str(share / "config" / "gazebo_controllers.yaml")))
    simulator = Include("ros_gz_sim", "gz_sim.launch.py", {"gz_args": f"-s -r {share / 'config' / 'gazebo_world.sdf'}"})
    nodes = [
        NodeSpec("robot_state_publisher", "robot_state_publisher",
                 {"robot_description": description, "use_sim_time": True}, package="robot_state_publisher"),
        NodeSpec("create", "create", package="ros_gz_sim", arguments=("-topic", "robot_description", "-name", "physad_rig")),
        NodeSpec("bridge", "parameter_bridge", {"config_file": str(share / "config" / "gazebo_bridge.yaml")},
                 package="ros_gz_bridge"),
        NodeSpec("image_bridge", "image_bridge", package="ros_gz_image", arguments=("camera/image_raw",)),
        # a world that runs slower than real time also loads slower
        NodeSpec("spawner", "spawner", package="controller_manager",
                 arguments=(*CONTROLLERS, "--controller-manager-timeout", "200")),
    ]
    return (simulator, *nodes)


def _mappings(arguments: StackArguments, controllers_file: str) -> dict[str, str]:
    camera = load_category(arguments.category).camera
    return {
        "rig": "gazebo",
        "controllers_file": controllers_file,
        "camera_xyz": " ".join(f"{v:g}" for v in camera.position_m),
        "camera_rpy": " ".join(f"{v:.6f}" for v in looking(camera)),
        "fovy_deg": f"{camera.fovy_deg:g}",
        "width": str(arguments.height * 16 // 9),
        "height": str(arguments.height),
    }


def looking(camera: Camera) -> tuple[float, float, float]:
    """Roll, pitch and yaw of a frame at the camera whose x points at its target and whose y is level."""
    x, y, z = (t - p for p, t in zip(camera.position_m, camera.target_m))
    return 0.0, -math.atan2(z, math.hypot(x, y)), math.atan2(y, x)
