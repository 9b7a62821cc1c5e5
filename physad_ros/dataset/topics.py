"""What a recording holds: the rig's topics and their types (the contract of docs/rig.md)."""

IMAGE = "/camera/image_raw/compressed"
PLAN = "/interaction/plan"
PHASE = "/interaction/phase"
JOINTS = "/joint_states"
WRENCH = "/force_torque_sensor_broadcaster/ft_data"
MOTOR = "/motor/state"
LIGHT = "/light/state"
CAMERA_INFO = "/camera/camera_info"

GRIPPER_JOINT = "finger_joint"

RECORDED = {
    IMAGE: "sensor_msgs/msg/CompressedImage",
    CAMERA_INFO: "sensor_msgs/msg/CameraInfo",
    JOINTS: "sensor_msgs/msg/JointState",
    WRENCH: "geometry_msgs/msg/WrenchStamped",
    MOTOR: "sensor_msgs/msg/JointState",
    LIGHT: "physad_msgs/msg/LightLevels",
    PLAN: "physad_msgs/msg/Interaction",
    PHASE: "physad_msgs/msg/Phase",
}

#: topics whose last message holds until the next one (transient local): it belongs to a clip even if it is older
LATCHED = frozenset({PLAN, LIGHT})
