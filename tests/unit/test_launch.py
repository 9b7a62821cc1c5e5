"""The launch files, read by a stand-in for `launch`: the same nodes and parameters as in one process, one process each."""

import dataclasses
import runpy
import sys
from contextlib import nullcontext
from pathlib import Path

import launch_stub as stub
import numpy as np
import pytest

from physad_ros.bringup import RecordArguments, StackArguments, request, stack
from physad_ros.dataset.video import write_video
from physad_ros.nodes import domain

LAUNCH = Path(__file__).parents[2] / "launch"
TYPES = {"inspect": StackArguments, "record": RecordArguments}
HELD = domain.held
FILM = {"source": "file", "file": "film.mp4", "category": "clip"}


@pytest.fixture(autouse=True)
def launch(monkeypatch, tmp_path):
    stub.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "film.mp4", [np.zeros((36, 64, 3), np.uint8)], 60.0)
    monkeypatch.setattr(domain.tempfile, "gettempdir", lambda: str(tmp_path))  # whatever else runs on this machine
    monkeypatch.setattr(domain, "held", lambda *_, **__: nullcontext(7))
    yield
    sys.modules.pop("physad_ros.bringup.launching", None)


def entities(name):
    return runpy.run_path(str(LAUNCH / f"{name}.launch.py"))["generate_launch_description"]().entities


def declared(name):
    return {e.name: e for e in entities(name) if isinstance(e, stub.DeclareLaunchArgument)}


def launched(name="inspect", **given):
    """What `ros2 launch physad <name>.launch.py argument:=text …` comes to."""
    context, actions = stub.LaunchContext(dict(given)), []
    for entity in entities(name):
        if isinstance(entity, stub.DeclareLaunchArgument):
            entity.execute(context)
        elif isinstance(entity, stub.OpaqueFunction):
            actions += entity.function(context)
        else:
            actions.append(entity)
    return actions


def nodes(actions):
    return [a for a in actions if isinstance(a, stub.Node)]


def of(kind, actions):
    return next(a for a in actions if isinstance(a, kind))


def logged_seed(actions):
    return int(of(stub.LogInfo, actions).msg.removeprefix("seed "))


@pytest.mark.parametrize("name", TYPES)
def test_every_field_is_an_argument_with_its_default_and_explained(name):
    found = declared(name)
    assert list(found) == [f.name for f in dataclasses.fields(TYPES[name])]
    for f in dataclasses.fields(TYPES[name]):
        argument = found[f.name]
        assert argument.default_value == str(f.default) and len(argument.description) > 10
        assert tuple(argument.choices or ()) == f.metadata["choices"]
        assert f.type in ("str", "int", "float"), "launch arguments are read as these"


@pytest.mark.parametrize("given", [{"seed": "7"}, {"seed": "7", "category": "fan", "defect": "stuck", "severity": "0.5", "height": "144"},
                                   {"seed": "7", **FILM}], ids=["plain", "chosen", "footage"])
def test_one_process_a_node_with_the_parameters_it_has_in_one_process(given):
    arguments = StackArguments(**{f.name: type(f.default)(given[f.name]) for f in dataclasses.fields(StackArguments) if f.name in given})
    specs = [*stack(arguments), request(arguments)]
    found = nodes(launched(**given))
    assert [(n.package, n.executable, n.name) for n in found] == [(s.package, s.executable, s.name) for s in specs]
    for node, spec in zip(found, specs, strict=True):
        assert node.parameters == {key: list(v) if isinstance(v, tuple) else v for key, v in spec.parameters.items()}
        assert tuple(node.remappings) == spec.remaps and tuple(node.arguments) == spec.arguments and node.output == "screen"


def test_the_launch_ends_with_the_program_that_asks():
    actions = launched("record", count="3")
    handler = of(stub.RegisterEventHandler, actions).event_handler
    assert handler.target_action is nodes(actions)[-1] and handler.target_action.parameters["count"] == 3
    assert isinstance(handler.on_exit[0].event, stub.Shutdown)


def test_a_seed_left_out_is_new_each_time_and_the_same_in_rig_report_and_log():
    drawn = set()
    for _ in range(5):
        actions = launched()
        by_name = {n.name: n.parameters for n in nodes(actions)}
        assert by_name["mujoco_rig"]["seed"] == by_name["request"]["seed"] == logged_seed(actions) >= 0
        drawn.add(logged_seed(actions))
    assert len(drawn) > 1
    assert logged_seed(launched(seed="7")) == 7 == logged_seed(launched("record", seed="7"))


@pytest.mark.parametrize(("given", "words"), [
    ({"seed": "x"}, "seed:=x is not a whole number"),
    ({"seed": "1.5"}, "seed"),
    ({"severity": "bad"}, "severity:=bad is not a number"),
    ({"height": "5"}, "64"),
    ({"category": "spoon"}, "fan"),
    ({"rig": "ur5"}, "robot_ip"),
    ({"namespace": "1st/cell"}, "digit"),
    ({"rig": "gazebo", "category": "fan", "namespace": "cell"}, "without a namespace"),
    ({"out": "film.mp4"}, "out: film.mp4 cannot be a folder"),
    ({"out": "/proc/physad"}, "out: nothing can be written into /proc/physad"),
    ({"source": "file", "file": "gone.mp4", "category": "clip"}, "gone.mp4"),
    ({"source": "file", "file": __file__, "category": "clip"}, "invalid data"),
    ({"detector": "intensity", "models": "gone"}, "no such folder"),
])
def test_what_makes_no_sense_is_refused_in_a_line_before_anything_starts(given, words, capsys):
    with pytest.raises(SystemExit) as ended:
        launched(**given)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and words in said and said.count("\n") == 1


def test_choices_are_refused_by_launch_itself():
    with pytest.raises(RuntimeError, match="rig"):
        launched(rig="lego")


def test_a_second_stack_in_the_domain_is_told_and_not_started(monkeypatch, capsys):
    monkeypatch.setattr(domain, "held", HELD)
    monkeypatch.setattr(domain, "look", lambda *_: [])
    assert nodes(launched())
    with pytest.raises(SystemExit) as ended:
        launched()
    assert ended.value.code == 2 and "another physad stack already runs in ROS domain" in capsys.readouterr().err
    assert {n.namespace for n in nodes(launched(namespace="cell_2"))} == {"/cell_2"}


def test_in_a_namespace_the_clock_is_the_stack_s_own():
    found = {n.name: n for n in nodes(launched(namespace="cell_2/left"))}
    assert all(n.namespace == "/cell_2/left" for n in found.values())
    assert ("/clock", "/cell_2/left/clock") in found["inspector"].remappings


def test_our_transport_is_every_process_s_unless_the_environment_names_one(monkeypatch, tmp_path):
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE", raising=False)
    ours = of(stub.SetEnvironmentVariable, launched())
    assert ours.name == "FASTDDS_DEFAULT_PROFILES_FILE" and Path(ours.value).is_file()
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", "mine.xml")
    assert of(stub.SetEnvironmentVariable, launched()).value == "mine.xml"


def test_the_real_robot_s_driver_is_included_with_our_description():
    actions = launched(rig="ur5", robot_ip="10.0.0.2", category="clip")
    driver = of(stub.IncludeLaunchDescription, actions)
    package, *path = driver.source.location.parts
    assert (package.package, path) == ("ur_robot_driver", ["launch", "ur_control.launch.py"])
    assert driver.launch_arguments["robot_ip"] == "10.0.0.2"
    assert Path(driver.launch_arguments["description_launchfile"]).is_file()
    (publisher,) = nodes(entities("description"))
    context = stub.LaunchContext({"robot_ip": "10.0.0.2", "headless_mode": "true"})
    words = publisher.parameters["robot_description"].value.perform(context)
    assert words.startswith("xacro ") and "'rig:=ur5' 'robot_ip:=10.0.0.2'" in words


def test_gazebo_gets_its_description_as_text_and_its_files():
    actions = launched(rig="gazebo", category="fan")
    publisher = next(n for n in nodes(actions) if n.name == "robot_state_publisher")
    description = publisher.parameters["robot_description"]
    assert description.value_type is str and "'rig:=gazebo'" in description.value.perform(stub.LaunchContext())
    assert all(n.parameters["use_sim_time"] for n in nodes(actions) if n.package == "physad" and n.name != "request")
    bridge = next(n for n in nodes(actions) if n.name == "bridge")
    assert Path(bridge.parameters["config_file"]).is_file()
