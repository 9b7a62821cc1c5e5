"""The stack as data: which nodes, with which parameters, for which rig. Run in one process or launched one process each."""

from __future__ import annotations

import importlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from physad_ros.core import places
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData, PhysadError, WrongUse
from physad_ros.detectors.base import detectors
from physad_ros.nodes.parameters import check, parameter

PACKAGE = "physad"
SEED_MAX = 2**63 - 1  # of a parameter

#: Executables of the package and the node each runs.
EXECUTABLES = {
    "arm": "physad_ros.nodes.arm:Arm",
    "camera": "physad_ros.nodes.camera:Camera",
    "detector": "physad_ros.nodes.detector:DetectorNode",
    "inspector": "physad_ros.nodes.inspector:Inspector",
    "light": "physad_ros.nodes.light:Light",
    "motor": "physad_ros.nodes.motor:Motor",
    "mujoco_rig": "physad_ros.nodes.mujoco_rig:MujocoRig",
    "perceiver": "physad_ros.nodes.perceiver:PerceiverNode",
    "recorder": "physad_ros.nodes.recorder:Recorder",
}


#: Nodes without which there is no inspection, where they are in the stack.
PARTNERS = ("arm", "camera", "detector", "light", "perceiver", "recorder")


@dataclass(frozen=True)
class StackArguments:
    """Arguments of `physad inspect` and of the launch files."""

    category: str = parameter("", "category of the object; if empty, it is perceived from the picture")
    object: str = parameter("", "specimen type within the category, e.g. fan_2; if empty, chosen at random")
    defect: str = parameter("", "defect of the simulated specimen, or anomaly_free; if empty, chosen at random")
    severity: float = parameter(-1.0, "severity of the simulated defect, 0 to 1 (worst); if negative, chosen at random", low=-1.0, high=1.0)
    rig: str = parameter("mujoco", "robot and camera", choices=("mujoco", "gazebo", "ur5"))
    seed: int = parameter(-1, "seed of everything random; if negative, a new one is chosen, printed and noted in the report", low=-1, high=SEED_MAX)
    detector: str = parameter("rules", "detector that judges the clip")
    models: str = parameter("", "folder of trained models, or of a run of `physad bench`; if empty, the categories' own folders")
    out: str = parameter("inspections", "folder in which each inspection gets a folder of its own")
    source: str = parameter("rig", "where the pictures come from", choices=("rig", "device", "file"))
    file: str = parameter("", "video to play with source:=file")
    height: int = parameter(360, "height of the simulated camera's 16:9 picture", unit="px", low=64, high=1080)
    real_time_factor: float = parameter(
        1.0, "speed limit of the simulation, in simulated seconds per second; 0 means no limit", low=0.0, high=100.0
    )
    robot_ip: str = parameter("", "address of the robot; the rig ur5 needs it")
    device: str = parameter("/dev/video0", "camera to read with source:=device")
    namespace: str = parameter("", "ROS namespace of all nodes and their topics; stacks in one ROS domain need different ones")

    def __post_init__(self) -> None:
        """Draws the seed that was left open; raises WrongUse or UnknownName where the arguments make no sense, before anything starts."""
        try:
            check(self)
        except BadData as error:
            raise WrongUse(str(error)) from error
        if self.namespace:
            object.__setattr__(self, "namespace", _absolute(self.namespace))
        if self.seed < 0:
            object.__setattr__(self, "seed", secrets.randbelow(1_000_000))
        if self.category:
            category = load_category(self.category)
            if self.object:
                category.object_named(self.object)
            if self.defect:
                category.check_label(self.defect)
        elif self.object or self.defect:
            raise WrongUse("an object and a defect belong to a category; name the category too")
        if self.source == "file" and not self.file:
            raise WrongUse("the source `file` needs the argument file: the video to play")
        if self.source == "file" and not self.category:
            raise WrongUse("the source `file` needs the argument category: perception was not trained on footage")
        if self.source == "file":
            places.file(Path(self.file), "video")
        elif self.file:
            raise WrongUse(f"the video {self.file} is played only from the source `file`, not from `{self.source}`")
        if self.source == "device" and self.rig != "ur5":
            raise WrongUse(f"the rig {self.rig} is simulated and has its own camera; use the source `rig` or `file`")
        if self.robot_ip and self.rig != "ur5":
            raise WrongUse(f"robot_ip is of the rig ur5, and the rig is {self.rig}")
        detectors[self.detector]  # an unknown name fails here, with the known ones


@dataclass(frozen=True)
class RecordArguments(StackArguments):
    """Arguments of record.launch.py: seeds count up from ``seed``."""

    count: int = parameter(10, "number of specimens; their seeds count up from seed", low=1, high=100_000)


A = TypeVar("A", bound=StackArguments)


@dataclass(frozen=True)
class NodeSpec:
    """One node: its executable in ``package``, its parameters and renamed topics."""

    name: str
    executable: str
    parameters: dict[str, Any] = field(default_factory=dict)
    remaps: tuple[tuple[str, str], ...] = ()
    package: str = PACKAGE
    namespace: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Include:
    """Another package's launch file, started beside our nodes."""

    package: str
    file: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class Xacro:
    """A parameter's value: what xacro makes of one of our files."""

    file: str  # in urdf/
    mappings: dict[str, str]


def _absolute(namespace: str) -> str:
    """A namespace as ROS writes it; WrongUse where it is none."""
    words = namespace.strip("/").split("/")
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word) for word in words):
        raise WrongUse(f"namespace {namespace!r}: each part is made of letters, digits and _, and does not begin with a digit, as in cell_1")
    return "/" + "/".join(words)


def runs_drivers(arguments: StackArguments) -> bool:
    """Whether nodes that are not ours are part of the stack: it must be in their ROS domain."""
    return arguments.rig != "mujoco" and arguments.source != "file"


def ready(arguments: A, categories: Iterable[str] = ()) -> A:
    """The arguments, once all is there that they name on this machine; with the folder that holds the detector's trained models.

    Args:
        categories: that the detector must be trained for beside the one that is named.

    Raises:
        WrongUse: the place for the results cannot be written, or the detector is not trained there.
        BadData, Impossible: the video cannot be played, or the category's interaction not be planned.
    """
    from physad_ros.bench.trained import trained_models
    from physad_ros.dataset.video import probe

    places.writable_folder(Path(arguments.out), "out")
    if arguments.source == "file":
        probe(Path(arguments.file))
    else:
        from physad_ros.interactions.base import check as check_recipe

        for name in sorted({*categories, *filter(None, [arguments.category])}):
            check_recipe(load_category(name), arguments.object)
    for name in sorted(categories):
        trained_models(arguments.models, arguments.detector, name)
    return replace(arguments, models=trained_models(arguments.models, arguments.detector, arguments.category))


def stack(arguments: StackArguments) -> tuple[NodeSpec, ...]:
    """Our nodes for these arguments."""
    a = arguments
    films = a.source == "file"
    simulated = not films and a.rig in ("mujoco", "gazebo")
    rig = "footage" if films else a.rig
    nodes: list[NodeSpec] = []
    if not films and a.rig == "mujoco":
        nodes.append(_node("mujoco_rig", _rig(a)))
    else:
        nodes.append(_node("camera", _camera(a)))
    nodes.append(_node("light", {"driver": "none" if films else "rig"}))
    if not films:
        nodes += [_node("motor"), _node("arm")]
    nodes += [_node("perceiver"), _node("recorder", {"rig": rig, "out": a.out}), _node("detector", {"detector": a.detector, "folder": a.models})]
    partners = tuple(name for name in PARTNERS if name in {node.name for node in nodes})
    nodes.append(_node("inspector", {"rig": rig, "out": a.out, "partners": partners}))
    for node in nodes:
        node.parameters["use_sim_time"] = simulated and node.name != "mujoco_rig"
    # rclpy looks for the clock outside of all namespaces
    clock = (("/clock", f"{a.namespace}/clock"),) if a.namespace else ()
    return tuple(replace(node, namespace=a.namespace, remaps=(*node.remaps, *clock)) for node in nodes)


def drivers(arguments: StackArguments) -> tuple[Include | NodeSpec, ...]:
    """What other packages run for this rig; needs `ros2 launch`. Those for gazebo and ur5 were not yet run."""
    from physad_ros.bringup import gazebo, ur5

    if arguments.source == "file":
        return ()
    return {"gazebo": gazebo.specs, "ur5": ur5.specs, "mujoco": lambda _: ()}[arguments.rig](arguments)


def request(arguments: StackArguments) -> NodeSpec:
    """The program that asks a launched stack for inspections and ends after the last."""
    a = arguments
    same = ("category", "object", "defect", "severity", "seed", "out")
    asked: dict[str, Any] = {name: getattr(a, name) for name in same}
    places = a.rig == "mujoco" and a.source == "rig"
    node = _node("request", {**asked, "count": getattr(a, "count", 1), "places": places})
    return replace(node, namespace=a.namespace)


def compose(specs: Sequence[NodeSpec]) -> list[Any]:
    """The nodes, built in this process but not started; rclpy must be initialized."""
    return [node_class(spec.executable)({**spec.parameters}, namespace=spec.namespace, cli_args=_cli(spec)) for spec in specs]


def node_class(executable: str) -> Any:
    """Class of the node that an executable runs."""
    if executable not in EXECUTABLES:
        raise PhysadError(f"{executable} is not one of ours; known: {', '.join(EXECUTABLES)}")
    module, name = EXECUTABLES[executable].split(":")
    return getattr(importlib.import_module(module), name)


def _cli(spec: NodeSpec) -> list[str]:
    remaps = [part for old, new in spec.remaps for part in ("-r", f"{old}:={new}")]
    return ["--ros-args", *remaps] if remaps else []


def _node(name: str, parameters: dict[str, Any] | None = None) -> NodeSpec:
    return NodeSpec(name, name, dict(parameters or {}))


def _rig(a: StackArguments) -> dict[str, Any]:
    same = ("category", "object", "defect", "severity", "seed", "height", "real_time_factor")
    return {name: getattr(a, name) for name in same}


def _camera(a: StackArguments) -> dict[str, Any]:
    if a.source == "file":
        return {"source": "file", "file": a.file}
    if a.rig == "gazebo":
        return {"source": "rig"}
    return {"source": "device", "device": a.device}
