"""`launch` and `launch_ros`, which no wheel brings, as far as bringup uses them: what was asked for is kept, nothing is started.

Signatures are the originals', and what they refuse when they are made (a default beside the choices, a value that is no parameter)
is refused here too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass
class LaunchContext:
    launch_configurations: dict[str, str] = field(default_factory=dict)


@dataclass
class LaunchDescription:
    entities: list[Any]


@dataclass
class LaunchConfiguration:
    name: str

    def perform(self, context: LaunchContext) -> str:
        return context.launch_configurations[self.name]


@dataclass
class PathJoinSubstitution:
    parts: list[Any]


@dataclass
class FindPackageShare:
    package: str


@dataclass
class Command:
    command: list[Any]

    def perform(self, context: LaunchContext) -> str:
        return "".join(part if isinstance(part, str) else part.perform(context) for part in self.command)


class DeclareLaunchArgument:
    def __init__(self, name: str, *, default_value: str | None = None, description: str | None = None, choices: list[str] | None = None):
        assert choices is None or default_value is None or default_value in choices
        self.name, self.default_value, self.description, self.choices = name, default_value, description, choices

    def execute(self, context: LaunchContext) -> None:
        value = context.launch_configurations.setdefault(self.name, self.default_value)
        if value is None:
            raise RuntimeError(f'Required launch argument "{self.name}" was not provided.')
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(f'Argument "{self.name}" provided value "{value}" is not valid.')


@dataclass
class SetEnvironmentVariable:
    name: str
    value: str


@dataclass
class LogInfo:
    msg: str


@dataclass
class Shutdown:
    reason: str


@dataclass
class EmitEvent:
    event: Any


@dataclass
class RegisterEventHandler:
    event_handler: Any


@dataclass
class PythonLaunchDescriptionSource:
    location: Any


@dataclass
class ParameterValue:
    value: Any
    value_type: type


class OpaqueFunction:
    def __init__(self, *, function: Any):
        self.function = function


class OnProcessExit:
    def __init__(self, *, target_action: Any, on_exit: list[Any]):
        self.target_action, self.on_exit = target_action, on_exit


class IncludeLaunchDescription:
    def __init__(self, source: Any, *, launch_arguments: Any = ()):
        self.source, self.launch_arguments = source, dict(launch_arguments)


class Node:
    def __init__(self, *, executable: str, package: str, name: str = "", namespace: str | None = None,
                 parameters: list[dict[str, Any]] | None = None, remappings: list[tuple[str, str]] | None = None,
                 arguments: list[str] | None = None, output: str = "log"):
        self.executable, self.package, self.name, self.namespace, self.output = executable, package, name, namespace, output
        self.parameters = {key: value for part in parameters or () for key, value in part.items()}
        self.remappings, self.arguments = remappings, arguments
        for key, value in self.parameters.items():
            if isinstance(value, list):  # of one type, and not empty: from nothing no type follows
                assert value and {type(v) for v in value} in ({str}, {int}, {float}, {bool}), key
            else:
                assert isinstance(value, (str, int, float, bool, ParameterValue)), key


HOMES = {
    "launch": (LaunchContext, LaunchDescription),
    "launch.actions": (DeclareLaunchArgument, EmitEvent, IncludeLaunchDescription, LogInfo, OpaqueFunction, RegisterEventHandler,
                       SetEnvironmentVariable),
    "launch.event_handlers": (OnProcessExit,),
    "launch.events": (Shutdown,),
    "launch.launch_description_sources": (PythonLaunchDescriptionSource,),
    "launch.substitutions": (Command, LaunchConfiguration, PathJoinSubstitution),
    "launch_ros": (),
    "launch_ros.actions": (Node,),
    "launch_ros.parameter_descriptions": (ParameterValue,),
    "launch_ros.substitutions": (FindPackageShare,),
}


def install(monkeypatch: Any) -> None:
    """Put the modules in the originals' place for one test."""
    monkeypatch.delitem(sys.modules, "physad_ros.bringup.launching", raising=False)
    for name, members in HOMES.items():
        module = ModuleType(name)
        vars(module).update({member.__name__: member for member in members})
        monkeypatch.setitem(sys.modules, name, module)
