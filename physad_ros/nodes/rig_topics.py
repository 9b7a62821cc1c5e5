"""What the simulated rig publishes: the rig's contract, and the truth on a topic apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Vector3, WrenchStamped
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from physad_msgs.msg import LightLevels
from physad_ros.dataset.video import encode_jpeg
from physad_ros.motion import gripper
from physad_ros.motion.ur5 import JOINTS
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, STREAM
from physad_ros.sim.readings import Frame
from physad_ros.sim.readings import JointState as RigJoints
from physad_ros.sim.rig import Rig

if TYPE_CHECKING:
    from physad_ros.nodes.mujoco_rig import MujocoRig

OPTICAL_FRAME = "camera_optical_frame"
FORCE_FRAME = "tool0_controller"  # as the UR driver's: tool0 by the robot's own kinematics


class RigTopics:
    """Publishers of a rig; called from the simulation's thread, pictures from the encoder's."""

    def __init__(self, node: MujocoRig):
        self._node = node
        self._clock = node.publisher(Clock, "clock")
        self._joints = node.publisher(JointState, "joint_states", STREAM)
        self._wrench = node.publisher(WrenchStamped, "force_torque_sensor_broadcaster/ft_data", STREAM)
        self._motor = node.publisher(JointState, "motor/state", STREAM)
        self._light = node.publisher(LightLevels, "light/state", LATCHED)
        self._image = node.publisher(Image, "camera/image_raw", STREAM)
        self._jpeg = node.publisher(CompressedImage, "camera/image_raw/compressed", STREAM)
        self._info = node.publisher(CameraInfo, "camera/camera_info", STREAM)
        self._truth = node.publisher(JointState, "~/truth")

    def tell(self, rig: Rig, joints: RigJoints) -> None:
        """Clock and state as they are now."""
        stamp = convert.time_msg(rig.time_s)
        self._clock.publish(Clock(clock=stamp))
        self._tell_joints(joints, stamp)
        if not self._node.config.force_silent:
            self._tell_force(rig)
        if not self._node.config.motors_silent:
            self._tell_motors(rig, stamp)

    def _tell_force(self, rig: Rig) -> None:
        f = rig.wrench().tolist()
        first = math.nan if self._node.config.nan_force else f[0]
        wrench = WrenchStamped(header=convert.header(rig.time_s, FORCE_FRAME))
        wrench.wrench.force, wrench.wrench.torque = Vector3(x=first, y=f[1], z=f[2]), Vector3(x=f[3], y=f[4], z=f[5])
        self._wrench.publish(wrench)

    def _tell_motors(self, rig: Rig, stamp: Time) -> None:
        motors = rig.motor_state()
        motor = JointState(name=list(motors))
        motor.header.stamp = stamp
        motor.position = [m.position_rad for m in motors.values()]
        motor.velocity = [m.velocity_rad_s for m in motors.values()]
        motor.effort = [m.torque_nm for m in motors.values()]
        self._motor.publish(motor)

    def _tell_joints(self, state: RigJoints, stamp: Time) -> None:
        message = JointState(name=[*JOINTS, gripper.JOINT])
        message.header.stamp = stamp
        first = math.nan if self._node.config.nan_joint_state else state.positions_rad[0]
        message.position = [first, *state.positions_rad[1:].tolist(), state.opening_m]
        message.velocity = [*state.velocities_rad_s.tolist(), state.opening_m_s]
        message.effort = [*state.efforts_nm.tolist(), state.grip_n]
        self._joints.publish(message)

    def tell_slowly(self, rig: Rig) -> None:
        """What changes seldom."""
        self._light.publish(convert.levels_msg(rig.light_state(), rig.time_s))
        truth = rig.truth()
        message = JointState(name=list(truth), position=list(truth.values()))
        message.header.stamp = convert.time_msg(rig.time_s)
        self._truth.publish(message)

    def show(self, frame: Frame, fovy_deg: float) -> None:
        """A picture, compressed; raw too while somebody listens."""
        stamp_s = frame.stamp_s
        self._jpeg.publish(convert.jpeg_msg(encode_jpeg(frame.picture, self._node.config.quality), stamp_s, OPTICAL_FRAME))
        height, width = frame.picture.shape[:2]
        focal = height / 2 / math.tan(math.radians(fovy_deg) / 2)
        k = [focal, 0.0, width / 2, 0.0, focal, height / 2, 0.0, 0.0, 1.0]
        info = CameraInfo(header=convert.header(stamp_s, OPTICAL_FRAME), width=width, height=height,
                          distortion_model="plumb_bob", d=[0.0] * 5, k=k, r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
        info.p = [focal, 0.0, width / 2, 0.0, 0.0, focal, height / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
        self._info.publish(info)
        if self._image.get_subscription_count():
            self._image.publish(convert.image_msg(frame.picture, stamp_s, OPTICAL_FRAME))
