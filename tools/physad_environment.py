"""Which ROS 2 the programs of .venv use: .venv's own, whatever is sourced in the shell that starts them.

Set-up copies this file into .venv, where a .pth file calls ``apply`` whenever Python starts, so that nobody has to source a script.
Every start pays for what is imported here.
"""

import os
import sys
from collections.abc import Mapping

#: where a ROS, or a workspace built on one, enters itself when it is sourced
PATHS = ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
INDEX = os.path.join("share", "ament_index", "resource_index")  # below every prefix of ROS 2


def split(path: str) -> list[str]:
    return [part for part in path.split(os.pathsep) if part]


def prefix_around(folder: str) -> str | None:
    """The ROS prefix that a folder is, or lies in."""
    folder = os.path.realpath(folder)
    while not os.path.isdir(os.path.join(folder, INDEX)):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def without_other_ros(prefixes: list[str], before: Mapping[str, str]) -> dict[str, str]:
    """An environment less all that lies in ROS prefixes other than these; what is no ROS's stays."""
    ours = {os.path.realpath(prefix) for prefix in prefixes}
    after = dict(before)
    for name in set(PATHS) & set(before):
        kept = [p for p in before[name].split(os.pathsep) if not p or prefix_around(p) in {None, *ours}]
        if name == "PYTHONPATH":  # also what somebody has unpacked by hand
            kept = [p for p in kept if not os.path.isdir(os.path.join(p, "rclpy")) or prefix_around(p) in ours]
        after[name] = os.pathsep.join(kept)
        if not after[name]:
            del after[name]
    return after


def workspaces_on(prefix: str, prefixes: list[str]) -> list[str]:
    """These prefixes, if they are workspaces built on ``prefix``: it is among them and the only one that has an rclpy; otherwise none."""
    roots = {os.path.realpath(p) for p in prefixes if os.path.exists(os.path.join(p, INDEX, "packages", "rclpy"))}
    return prefixes if roots == {os.path.realpath(prefix)} else []


def with_own_ros(prefix: str, before: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a program of the virtual environment ``prefix`` finds its ROS; for the rest, what was set stays."""
    prefixes = workspaces_on(prefix, split(before.get("AMENT_PREFIX_PATH", ""))) or [prefix]
    after = without_other_ros(prefixes, before)
    after["AMENT_PREFIX_PATH"] = os.pathsep.join(prefixes)
    # the wheels' own start-up script would put the library paths into any order, and take a child of another .venv for done
    after["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] = "1"
    ours, found = libraries(prefix), split(after.get("LD_LIBRARY_PATH", ""))
    if len(prefixes) == 1 or not set(ours) <= set(found):
        found = [*ours, *(part for part in found if part not in ours)]
    after["LD_LIBRARY_PATH"] = os.pathsep.join(found)
    rmw = after.get("RMW_IMPLEMENTATION")
    if rmw and not any(os.path.exists(os.path.join(p, "lib", f"lib{rmw}.so")) for p in prefixes):
        del after["RMW_IMPLEMENTATION"]
    share, cache = os.path.join(prefix, "share", "physad"), os.path.join(os.path.dirname(prefix), ".cache")
    after.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    after.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", os.path.join(share, "config", "fastdds.xml"))
    after.setdefault("ROS_LOG_DIR", os.path.join(cache, "ros_log"))
    after.setdefault("MPLCONFIGDIR", os.path.join(cache, "matplotlib"))
    return after


def libraries(prefix: str) -> list[str]:
    """Where the wheels' shared libraries lie."""
    packages = os.path.join(prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
    names = sorted(os.listdir(packages)) if os.path.isdir(packages) else []
    bundled = [os.path.join(packages, name) for name in names if name.startswith("ros_") and name.endswith(".libs")]
    return [os.path.join(prefix, "lib"), *bundled]


def apply() -> None:
    """Give this process that environment. Some of it is read as a process starts, so where that changes, Python starts anew."""
    after = with_own_ros(sys.prefix, os.environ)
    rmw = os.environ.get("RMW_IMPLEMENTATION")
    if rmw and "RMW_IMPLEMENTATION" not in after:
        print(f"physad: {rmw} (RMW_IMPLEMENTATION) is not in {sys.prefix}; rmw_fastrtps_cpp is used", file=sys.stderr)
    anew = any(os.environ.get(name) != after.get(name) for name in ("LD_LIBRARY_PATH", "PYTHONPATH"))
    mark = str(os.getpid())  # which starting anew keeps: nothing can make this go round
    if anew and os.environ.get("_PHYSAD_STARTED_ANEW") != mark:
        os.execve(sys.executable, sys.orig_argv, {**after, "_PHYSAD_STARTED_ANEW": mark})
    for name in set(os.environ) - set(after):
        del os.environ[name]
    os.environ.update(after)
