"""The stack as launch actions, one process a node. Imported by launch files only: the wheels do not have `launch`."""

from __future__ import annotations

import dataclasses
import os
from contextlib import ExitStack
from typing import Any

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import Command, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext, LaunchDescription
from physad_ros.bringup import A, Include, NodeSpec, Xacro, drivers, ready, runs_drivers, stack
from physad_ros.core.errors import WrongUse, ending
from physad_ros.core.paths import share_dir
from physad_ros.nodes.domain import held
from physad_ros.nodes.parameters import describe

TRANSPORT = "FASTDDS_DEFAULT_PROFILES_FILE"
CLAIMS = ExitStack()  # on ROS domains, as long as the launch's process lives


def description(arguments_type: type[A], request: Any) -> LaunchDescription:
    """Launch description with an argument for each field of ``arguments_type``.

    ``request``: from the arguments to the NodeSpec of a program whose end ends the launch, or None.
    """
    def setup(context: LaunchContext) -> list[Any]:
        with ending("physad"):  # nothing has started; launch itself would print a traceback and end with status 1
            arguments = ready(_given(arguments_type, context))
            actions = actions_of(arguments)
            CLAIMS.enter_context(held(arguments.namespace, own=False, drivers=runs_drivers(arguments)))
        return actions

    def actions_of(arguments: A) -> list[Any]:
        actions = [LogInfo(msg=f"seed {arguments.seed}"), *map(_action, (*drivers(arguments), *stack(arguments)))]
        asking = request(arguments)
        if asking is None:
            return actions
        program = _action(asking)
        over = OnProcessExit(target_action=program, on_exit=[EmitEvent(event=Shutdown(reason="the inspection is over"))])
        return [*actions, program, RegisterEventHandler(over)]

    declared = [_declared(f) for f in dataclasses.fields(arguments_type)]
    profile = os.environ.get(TRANSPORT, str(share_dir() / "config" / "fastdds.xml"))
    return LaunchDescription([*declared, SetEnvironmentVariable(TRANSPORT, profile), OpaqueFunction(function=setup)])


def _given(arguments_type: type[A], context: LaunchContext) -> A:
    """The launch arguments; WrongUse or UnknownName where they make no sense."""
    given = {f.name: _typed(LaunchConfiguration(f.name).perform(context), f) for f in dataclasses.fields(arguments_type)}
    arguments = arguments_type(**given)
    if arguments.namespace and drivers(arguments):
        raise WrongUse(f"the drivers of {arguments.rig} are launched without a namespace; start them in yours and use `physad inspect --namespace`")
    return arguments


def _declared(field: dataclasses.Field[Any]) -> DeclareLaunchArgument:
    default, choices = str(field.default), field.metadata["choices"]
    if choices:  # launch names them itself
        return DeclareLaunchArgument(field.name, default_value=default, description=field.metadata["description"], choices=list(choices))
    return DeclareLaunchArgument(field.name, default_value=default, description=describe(field))


def _typed(text: str, field: dataclasses.Field[Any]) -> Any:
    """A launch argument, which is always text, as its field's type; WrongUse where it is none."""
    kind: Any = type(field.default)
    try:
        return kind(text)
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        raise WrongUse(f"{field.name}:={text} is not {number}; it is: {describe(field)}") from None


def _action(spec: NodeSpec | Include) -> Any:
    if isinstance(spec, Include):
        file = PathJoinSubstitution([FindPackageShare(spec.package), "launch", spec.file])
        return IncludeLaunchDescription(PythonLaunchDescriptionSource(file), launch_arguments=spec.arguments.items())
    parameters = {name: _value(value) for name, value in spec.parameters.items()}
    return Node(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace or None,
        parameters=[parameters] if parameters else None,
        remappings=list(spec.remaps),
        arguments=list(spec.arguments),
        output="screen",
    )


def _value(value: Any) -> Any:
    if isinstance(value, Xacro):
        return ParameterValue(command(value), value_type=str)
    return list(value) if isinstance(value, tuple) else value


def command(xacro: Xacro) -> Command:
    """What prints the description."""
    words: list[Any] = ["xacro ", str(share_dir() / "urdf" / xacro.file)]
    for name, text in xacro.mappings.items():
        words += [f" '{name}:=", text, "'"]
    return Command(words)
