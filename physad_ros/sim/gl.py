"""Which OpenGL draws the pictures without a screen. The one place that sets MUJOCO_GL."""

from __future__ import annotations

import ctypes
import os

from physad_ros.core.errors import WrongUse

_LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}
KNOWN = (*_LIBRARIES, "glfw", "glx", "disable", "disabled", "off", "false", "0", "enable", "enabled", "on", "true", "1")  # to MuJoCo


def choose() -> None:
    """Name in $MUJOCO_GL what this machine has, EGL first; what somebody has set stays.

    WrongUse for what MuJoCo does not know. Where there is neither, MuJoCo still computes; scene.Eye says what to install once a picture is wanted.
    """
    if set_ := os.environ.get("MUJOCO_GL", "").strip().lower():
        if set_ not in KNOWN:
            raise WrongUse(f"MUJOCO_GL is {set_!r} in the environment; it must be one of {', '.join(KNOWN)}, or not be set")
        return
    for name, library in _LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        os.environ["MUJOCO_GL"] = name
        return
    os.environ["MUJOCO_GL"] = "disable"
