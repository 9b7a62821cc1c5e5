"""Which versions of what are at work: for reports, manifests and `physad --version`."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from xml.etree import ElementTree

from physad_ros.core.paths import share_dir

_WHEEL = re.compile(r"ros-([a-z]+)-rclpy")


def physad() -> str:
    """Of this package, as package.xml says."""
    return ElementTree.parse(share_dir() / "package.xml").findtext("version") or ""


def installed(distribution: str) -> str:
    """Of an installed Python distribution; empty where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def simulator(rig: str) -> str:
    """Name and version of what simulates a rig; empty where it is none of ours. The same seed is the same clip only with the same one."""
    return f"MuJoCo {installed('mujoco')}" if rig == "mujoco" else ""


def ros() -> str:
    """Name of the ROS distribution: the one that is sourced, or that of the wheels; empty where there is none."""
    wheels = (_WHEEL.fullmatch(found.metadata["Name"] or "") for found in metadata.distributions())
    return os.environ.get("ROS_DISTRO", "") or next((match[1] for match in wheels if match), "")


def python() -> str:
    """Of the interpreter."""
    return platform.python_version()


def told() -> str:
    """All of them in a line, for people."""
    told = {"physad": physad(), "ROS": ros(), "rclpy": installed("rclpy"), "MuJoCo": installed("mujoco"), "Python": python()}
    return ", ".join(f"{name} {version or 'not installed'}" for name, version in told.items())
