"""The stack as data: which nodes for which rig and source, and arguments that are refused with the valid ones named."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from physad_ros.bringup import EXECUTABLES, RecordArguments, StackArguments, drivers, request, stack
from physad_ros.bringup.gazebo import looking
from physad_ros.bringup.offers import offers
from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData, UnknownName, WrongUse

ALWAYS = {"light", "perceiver", "recorder", "detector", "inspector"}


def names(**arguments):
    return {s.name for s in stack(StackArguments(**arguments))}


def by_name(**arguments):
    return {s.name: s for s in stack(StackArguments(**arguments))}


def test_no_ros_is_needed_to_describe_a_stack():
    source = Path(importlib.util.find_spec("physad_ros.bringup").origin).read_text()
    assert "import rclpy" not in source


def test_each_rig_and_source_has_its_nodes():
    assert names() == ALWAYS | {"mujoco_rig", "motor", "arm"}
    assert names(source="file", file=__file__, category="clip") == ALWAYS | {"camera"}
    assert names(rig="gazebo", category="clip") == ALWAYS | {"camera", "motor", "arm"}
    assert names(rig="ur5", robot_ip="10.0.0.2") == ALWAYS | {"camera", "motor", "arm"}


@pytest.mark.parametrize(
    "arguments",
    [{}, {"source": "file", "file": __file__, "category": "clip"}, {"rig": "gazebo", "category": "fan"}, {"rig": "ur5"}],
)
def test_every_node_is_an_executable_and_the_inspector_s_partners_are_in_the_stack(arguments):
    nodes = by_name(**arguments)
    assert all(s.executable in EXECUTABLES for s in nodes.values())
    watched = {"arm", "camera", "detector", "light", "perceiver", "recorder"}
    assert set(nodes["inspector"].parameters["partners"]) == watched & set(nodes)


def test_perception_doubts_names_only_where_it_was_learnt_from_such_pictures():
    assert by_name(category="clip")["inspector"].parameters["doubts"]
    for other in ({"source": "file", "file": __file__}, {"rig": "gazebo"}, {"rig": "ur5"}, {"height": 144}):
        assert not by_name(category="clip", **other)["inspector"].parameters["doubts"]


def test_what_is_noted_of_the_object_reaches_the_request():
    asked = request(StackArguments(category="clip", trust_category=True, part="P-7", serial="0012")).parameters
    assert (asked["trust_category"], asked["part"], asked["serial"]) == (True, "P-7", "0012")


def test_simulated_time_is_used_where_there_is_a_simulated_clock_and_not_by_who_makes_it():
    nodes = by_name()
    assert not nodes["mujoco_rig"].parameters["use_sim_time"]
    assert all(s.parameters["use_sim_time"] for n, s in nodes.items() if n != "mujoco_rig")
    assert not any(s.parameters["use_sim_time"] for s in by_name(rig="ur5").values())
    assert not any(s.parameters["use_sim_time"] for s in by_name(source="file", file=__file__, category="clip").values())


def test_arguments_reach_the_nodes():
    nodes = by_name(category="fan", defect="stuck", seed=7, height=144, detector="intensity", out="here")
    rig = nodes["mujoco_rig"].parameters
    assert (rig["category"], rig["defect"], rig["seed"], rig["height"]) == ("fan", "stuck", 7, 144)
    assert nodes["detector"].parameters["detector"] == "intensity"
    assert nodes["inspector"].parameters["out"] == nodes["recorder"].parameters["out"] == "here"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rig": "lego"}, "gazebo, ur5"),
        ({"source": "film"}, "rig, device, file"),
        ({"source": "file", "category": "clip"}, "file"),
        ({"source": "file", "file": "f.mp4"}, "category"),
        ({"source": "device"}, "simulated"),
        ({"source": "file", "file": "none.mp4", "category": "clip"}, "none.mp4: there is no such video"),
        ({"object": "fan_1"}, "category"),
        ({"trust_category": True}, "category"),
        ({"height": 4}, "64"),
        ({"severity": float("nan")}, "severity"),
        ({"real_time_factor": -1.0}, "real_time_factor"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, words):
    with pytest.raises(WrongUse, match=words):
        StackArguments(**arguments)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match="clip"):
        StackArguments(category="spoon")
    with pytest.raises(UnknownName, match="stuck"):
        StackArguments(category="fan", defect="bent")
    with pytest.raises(UnknownName, match="fan_1"):
        StackArguments(category="fan", object="fan_99")


def test_every_argument_is_explained():
    for field in dataclasses.fields(RecordArguments):
        assert len(field.metadata["description"]) > 10


def test_drivers_must_offer_what_is_asked_of_a_rig_and_nothing_else():
    contract = (Path(__file__).parents[2] / "docs" / "rig.md").read_text()
    for rig in ("gazebo", "ur5"):
        asked = offers(StackArguments(rig=rig, category="fan"))
        assert {"/joint_states", "/light/state", "/motor/state"} <= {offer.name for offer in asked}
        assert [offer.name for offer in asked if f"`{offer.name}`" not in contract] == []


def test_drivers_of_other_rigs_are_named_or_what_they_lack():
    assert drivers(StackArguments()) == ()
    assert next(d.package for d in drivers(StackArguments(rig="ur5", robot_ip="10.0.0.2"))) == "ur_robot_driver"
    with pytest.raises(BadData, match="robot_ip"):
        drivers(StackArguments(rig="ur5"))
    with pytest.raises(BadData, match="category"):
        drivers(StackArguments(rig="gazebo"))
    executables = {d.executable for d in drivers(StackArguments(rig="gazebo", category="fan")) if hasattr(d, "executable")}
    assert {"robot_state_publisher", "create", "parameter_bridge", "image_bridge", "spawner"} == executables


@pytest.mark.parametrize("category", categories())
def test_the_camera_of_gazebo_looks_at_the_category_s_target(category):
    import math

    camera = load_category(category).camera
    _, pitch, yaw = looking(camera)
    forward = (math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), -math.sin(pitch))
    way = [t - p for p, t in zip(camera.position_m, camera.target_m)]
    length = math.hypot(*way)
    assert forward == pytest.approx([w / length for w in way], abs=1e-9)


def test_a_request_asks_as_often_as_is_recorded():
    assert request(StackArguments()).parameters["count"] == 1
    assert request(RecordArguments(count=7)).parameters["count"] == 7
    assert not request(StackArguments(source="file", file=__file__, category="clip")).parameters["places"]
