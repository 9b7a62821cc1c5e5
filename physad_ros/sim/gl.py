"""Which OpenGL draws the pictures without a screen. The one place that sets MUJOCO_GL."""

from __future__ import annotations

import ctypes
import os

_LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}


def choose() -> None:
    """Name in $MUJOCO_GL what this machine has, EGL first; what somebody has set stays.

    Where there is neither, MuJoCo still computes; scene.Eye says what to install once a picture is wanted.
    """
    if os.environ.get("MUJOCO_GL"):
        return
    for name, library in _LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        os.environ["MUJOCO_GL"] = name
        return
    os.environ["MUJOCO_GL"] = "disable"
