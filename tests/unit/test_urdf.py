"""The rig as xacro: it expands for each rig, and what it describes has the sizes and places that MuJoCo and planning know."""

from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest
import xacro

from physad_ros.motion import collision, gripper

ROOT = Path(__file__).parents[2]

#: as far as the real packages' macros are called: their names, parameters and the links that ours hang on
MACROS = {
    "ur_description/urdf/ur_macro.xacro": """
      <xacro:macro name="ur_robot" params="name tf_prefix parent joint_limits_parameters_file kinematics_parameters_file
                                           physical_parameters_file visual_parameters_file safety_limits force_abs_paths *origin">
        <link name="tool0"/>
        <joint name="base_joint" type="fixed">
          <parent link="${parent}"/><child link="tool0"/><xacro:insert_block name="origin"/>
        </joint>
      </xacro:macro>""",
    "ur_robot_driver/urdf/ur.ros2_control.xacro": """
      <xacro:macro name="ur_ros2_control" params="name tf_prefix ur_type kinematics_parameters_file robot_ip headless_mode
                                                  script_filename input_recipe_filename output_recipe_filename">
        <ros2_control name="${name}" type="system"><hardware><param name="robot_ip">${robot_ip}</param></hardware></ros2_control>
      </xacro:macro>""",
    "ur_simulation_gz/urdf/ur_gz.ros2_control.xacro": """
      <xacro:macro name="ur_ros2_control" params="name tf_prefix"><ros2_control name="${name}" type="system"/></xacro:macro>""",
    "ur_client_library/package.xml": "",
}


@pytest.fixture
def described(tmp_path, monkeypatch):
    """What xacro makes of the rig, with stand-ins for the packages of Universal Robots."""
    for place, macro in MACROS.items():
        (tmp_path / "share" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / place).write_text(f'<robot xmlns:xacro="http://wiki.ros.org/xacro">{macro}</robot>')
        marker = tmp_path / "share/ament_index/resource_index/packages" / place.split("/")[0]
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))

    def describe(**mappings):
        text = xacro.process_file(str(ROOT / "urdf" / "rig.urdf.xacro"), mappings=mappings).toxml()
        return ElementTree.fromstring(text)

    return describe


def box(robot, link):
    """Size, position and yaw of a link's box that is fixed to the world."""
    size = robot.find(f"link[@name='{link}']/collision/geometry/box").get("size")
    origin = robot.find(f"joint[@name='{link}_joint']/origin")
    return numbers(size), numbers(origin.get("xyz")), numbers(origin.get("rpy") or "0 0 0")[2]


def numbers(text):
    return np.array([float(word) for word in text.split()])


@pytest.mark.parametrize("rig", ["mujoco", "gazebo", "ur5"])
def test_it_expands_for_each_rig_and_every_joint_hangs_on_links_that_there_are(described, rig):
    robot = described(rig=rig, robot_ip="10.0.0.2", controllers_file="c.yaml")
    links = {link.get("name") for link in robot.iter("link")}
    assert {"tool0", "tcp", "table", "camera_optical_frame"} <= links
    for joint in robot.findall("joint"):
        assert {joint.find("parent").get("link"), joint.find("child").get("link")} <= links
    systems = {system.get("name") for system in robot.findall("ros2_control")}
    assert systems == {"mujoco": set(), "gazebo": {"ur5", "gripper", "tool_force"}, "ur5": {"ur5", "gripper"}}[rig]


def test_an_unknown_rig_is_refused_with_the_known_ones(described, capsys):
    with pytest.raises((SystemExit, Exception), match="gazebo, mujoco, ur5"):
        described(rig="lego")


@pytest.mark.parametrize(("link", "name"), [("table", "table"), ("backdrop", "backdrop"), ("light_left", "left light"),
                                            ("light_right", "right light")])
def test_the_stand_is_where_mujoco_and_planning_have_it(described, link, name):
    size, at, yaw = box(described(), link)
    model = mujoco.MjModel.from_xml_path(str(ROOT / "models" / "rig" / "rig.xml"))
    if link in ("table", "backdrop"):  # geoms of the world
        geom = model.geom(link)
        place, turn = geom.pos, 0.0
    else:
        body = model.body(link)
        geom, place, turn = model.geom(body.geomadr[0]), body.pos, 2 * np.arctan2(body.quat[3], body.quat[0])
    if link == "table":  # an endless plane
        assert at[2] + size[2] / 2 == pytest.approx(place[2])
        assert at[:2] == pytest.approx(place[:2]) and size[:2] == pytest.approx(2 * geom.size[:2])
    else:
        assert (*size, *at, yaw) == pytest.approx((*2 * geom.size, *place, turn), abs=1e-6)
    obstacle = next(b for b in collision.rig((0.5, -0.5, 0.1)).boxes if b.name == name)
    assert at == pytest.approx(obstacle.centre_m) and size == pytest.approx(obstacle.size_m, abs=0.005)
    assert np.sin(yaw - obstacle.yaw_rad) == pytest.approx(0, abs=1e-6)


def test_the_gripper_has_the_sizes_that_planning_knows(described):
    robot = described()
    size = numbers(robot.find("link[@name='gripper_body']/collision/geometry/box").get("size"))
    centre = numbers(robot.find("link[@name='gripper_body']/collision/origin").get("xyz"))
    assert size == pytest.approx(gripper.BODY_SIZE_M) and centre == pytest.approx(gripper.BODY_CENTRE_M)
    assert numbers(robot.find("joint[@name='tcp_joint']/origin").get("xyz")) == pytest.approx((0, 0, gripper.TCP_OFFSET_M))
    limit = robot.find(f"joint[@name='{gripper.JOINT}']/limit")
    assert (float(limit.get("upper")), float(limit.get("effort"))) == (gripper.OPENING_MAX_M, gripper.EFFORT_MAX_N)
    for finger, centre in zip(("finger_left", "finger_right"), gripper.finger_centres_m(0.0), strict=True):
        assert numbers(robot.find(f"link[@name='{finger}']/collision/geometry/box").get("size")) == pytest.approx(gripper.FINGER_SIZE_M)
        assert numbers(robot.find(f"joint[@name='{finger}_joint']/origin").get("xyz")) == pytest.approx(centre)
