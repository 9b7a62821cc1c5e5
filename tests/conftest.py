"""Before any test imports MuJoCo: the package says which OpenGL it draws with, and MuJoCo looks only once."""

import physad_ros.sim  # noqa: F401
