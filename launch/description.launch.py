"""The real rig's description, for ur_robot_driver's argument `description_launchfile`. Not yet run."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription
from physad_ros.bringup import Xacro
from physad_ros.bringup.launching import command


def generate_launch_description():
    xacro = Xacro("rig.urdf.xacro", {"rig": "ur5", "robot_ip": LaunchConfiguration("robot_ip"),
                                     "headless_mode": LaunchConfiguration("headless_mode")})
    robot_description = ParameterValue(command(xacro), value_type=str)
    return LaunchDescription([
        DeclareLaunchArgument("robot_ip", description="address of the robot"),
        DeclareLaunchArgument("headless_mode", default_value="true", description="the driver sends the robot's program"),
        Node(package="robot_state_publisher", executable="robot_state_publisher", output="both",
             parameters=[{"robot_description": robot_description}]),
    ])
