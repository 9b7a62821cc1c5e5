"""Parameters and arguments from frozen dataclasses: default, unit, range and description stand beside the field."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from physad_ros.core.errors import BadData
from physad_ros.core.words import number

C = TypeVar("C")


def parameter(
    default: Any,
    description: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    dynamic: bool = False,
) -> Any:
    """A field of a configuration. ``dynamic`` ones may change while the node runs."""
    about = dict(description=description, unit=unit, low=low, high=high, choices=choices, dynamic=dynamic)
    return dataclasses.field(default=default, metadata=about)


def describe(field: dataclasses.Field[Any]) -> str:
    """Description of a field with its unit, range and choices, for a person."""
    about = field.metadata
    text = about["description"]
    if about["unit"]:
        text += f" [{about['unit']}]"
    if about["choices"]:
        text += f"; one of {', '.join(about['choices'])}"
    if bounds := _bounds(about):
        text += f"; {bounds}"
    return text


def _bounds(about: Mapping[str, Any]) -> str:
    """The range of a number in words; empty where there is none."""
    low, high = (None if about[side] is None else number(about[side]) for side in ("low", "high"))
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"{low} or more" if low is not None else f"at most {high}" if high is not None else ""


def check(config: Any) -> None:
    """Raise BadData where a value lies outside its range or choices; the message names the valid ones."""
    for field in dataclasses.fields(config):
        value, about = getattr(config, field.name), field.metadata
        if about["choices"] and value not in about["choices"]:
            raise BadData(f"{field.name} must be one of {', '.join(about['choices'])}, not {value!r}")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            too_low = about["low"] is not None and value < about["low"]
            too_high = about["high"] is not None and value > about["high"]
            if too_low or too_high or not math.isfinite(value):
                raise BadData(f"{field.name} must be {_bounds(about) or 'a number'}, not {value}")


def declare(node: Any, config: type[C]) -> None:
    """Declare a node's parameters from its configuration's fields, with description and range; BadData where one is given that is out of it."""
    from rclpy.exceptions import ParameterException

    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        try:
            node.declare_parameter(field.name, default, _descriptor(field))
        except ParameterException as error:
            raise BadData(f"{node.get_name()}: the parameter {field.name} cannot be what was given; it is: {describe(field)}") from error


def read(node: Any, config: type[C]) -> C:
    """The configuration as the node's parameters have it now; BadData where it is out of range."""
    values = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        value = node.get_parameter(field.name).value
        values[field.name] = tuple(value) if isinstance(field.default, tuple) else value
    made = config(**values)
    check(made)
    return made


def _descriptor(field: dataclasses.Field[Any]) -> Any:
    from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

    about = field.metadata
    descriptor = ParameterDescriptor(description=describe(field), read_only=not about["dynamic"])
    descriptor.additional_constraints = f"one of {', '.join(about['choices'])}" if about["choices"] else ""
    if about["low"] is None and about["high"] is None:
        return descriptor
    if isinstance(field.default, int):
        low = -(2**63) if about["low"] is None else int(about["low"])
        high = 2**63 - 1 if about["high"] is None else int(about["high"])
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high)]
    else:
        low_s = -math.inf if about["low"] is None else float(about["low"])
        high_s = math.inf if about["high"] is None else float(about["high"])
        descriptor.floating_point_range = [FloatingPointRange(from_value=low_s, to_value=high_s)]
    return descriptor
