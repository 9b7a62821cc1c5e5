"""The programs of .venv use its own ROS 2, whatever is sourced in the shell that starts them."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load():
    spec = importlib.util.spec_from_file_location("physad_environment", ROOT / "tools" / "physad_environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


environment = load()


def prefix(path: Path, rclpy: bool = True, rmw: str = "") -> Path:
    """A ROS prefix on disk; its rclpy and libraries are broken, as another Python's would be."""
    packages = path / "share" / "ament_index" / "resource_index" / "packages"
    packages.mkdir(parents=True)
    (path / "lib" / "python3.9" / "site-packages").mkdir(parents=True)
    for name in [f"lib{rmw}.so"] * bool(rmw) + ["librcl.so", "librmw_implementation.so"] * rclpy:
        (path / "lib" / name).write_text("not for this machine")
    if rclpy:
        (packages / "rclpy").touch()
        for module in ("rclpy", "physad_msgs", "ament_index_python"):
            broken = path / "lib" / "python3.9" / "site-packages" / module / "__init__.py"
            broken.parent.mkdir()
            broken.write_text("raise ImportError('another ROS is used')")
    return path


def sourced(*prefixes: Path, **more: str) -> dict[str, str]:
    """What a shell has in which these are sourced, the last one on the others."""
    first = [str(p) for p in reversed(prefixes)]
    return {
        "AMENT_PREFIX_PATH": os.pathsep.join(first), "CMAKE_PREFIX_PATH": os.pathsep.join(first),
        "PYTHONPATH": os.pathsep.join(f"{p}/lib/python3.9/site-packages" for p in first),
        "LD_LIBRARY_PATH": os.pathsep.join(f"{p}/lib" for p in first), **more,
    }


@pytest.fixture
def venv(tmp_path):
    return prefix(tmp_path / "clone" / ".venv", rmw="rmw_fastrtps_cpp")


def test_another_ros_and_a_workspace_on_it_are_left_out(venv, tmp_path):
    other, workspace = prefix(tmp_path / "jazzy"), prefix(tmp_path / "workspace", rclpy=False)
    after = environment.with_own_ros(str(venv), sourced(other, workspace))
    assert after["AMENT_PREFIX_PATH"] == str(venv) and after["LD_LIBRARY_PATH"].split(os.pathsep)[0] == f"{venv}/lib"
    assert not [name for name, value in after.items() if str(other) in value or str(workspace) in value]


def test_sourced_before_or_after_another_ros_does_not_count(venv, tmp_path):
    other = prefix(tmp_path / "jazzy")
    for shell in (sourced(other, venv), sourced(venv, other)):
        assert environment.with_own_ros(str(venv), shell)["AMENT_PREFIX_PATH"] == str(venv)


def test_a_workspace_on_venv_stays_in_use(venv, tmp_path):
    workspace = prefix(tmp_path / "workspace", rclpy=False, rmw="rmw_cyclonedds_cpp")
    shell = sourced(venv, workspace, RMW_IMPLEMENTATION="rmw_cyclonedds_cpp")
    after = environment.with_own_ros(str(venv), shell)
    assert {name: after[name] for name in shell} == shell


def test_another_ros_is_left_out_whose_python_path_alone_is_set(venv, tmp_path):
    other = prefix(tmp_path / "jazzy")
    unpacked = tmp_path / "unpacked"
    (unpacked / "rclpy").mkdir(parents=True)
    for entry in (other / "lib" / "python3.9" / "site-packages", unpacked):
        for ament in ({}, {"AMENT_PREFIX_PATH": str(venv)}):
            assert "PYTHONPATH" not in environment.with_own_ros(str(venv), {"PYTHONPATH": str(entry), **ament})


def test_what_is_no_ros_s_stays(venv, tmp_path):
    mine = {"PYTHONPATH": f"{tmp_path}/mine:{tmp_path}/more", "LD_LIBRARY_PATH": f"{tmp_path}/cuda", "ROS_DOMAIN_ID": "7",
            "ROS_LOG_DIR": "/logs", "MPLCONFIGDIR": "/fonts", "FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml", "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}
    after = environment.with_own_ros(str(venv), mine)
    assert {name: after[name] for name in mine if name != "LD_LIBRARY_PATH"} == {n: v for n, v in mine.items() if n != "LD_LIBRARY_PATH"}
    assert after["LD_LIBRARY_PATH"].split(os.pathsep)[-1] == mine["LD_LIBRARY_PATH"]


def test_an_rmw_that_is_not_there_is_left_out(venv):
    assert "RMW_IMPLEMENTATION" not in environment.with_own_ros(str(venv), {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"})


def test_done_twice_is_done_once(venv, tmp_path):
    shell = sourced(prefix(tmp_path / "jazzy"), LD_LIBRARY_PATH="/cuda", RMW_IMPLEMENTATION="rmw_zenoh_cpp")
    once = environment.with_own_ros(str(venv), shell)
    assert environment.with_own_ros(str(venv), once) == once


def test_what_programs_write_lies_in_the_clone(venv):
    made = environment.with_own_ros(str(venv), {})
    for name in ("ROS_LOG_DIR", "MPLCONFIGDIR", "AMENT_PREFIX_PATH", "FASTDDS_DEFAULT_PROFILES_FILE"):
        assert made[name].startswith(str(venv.parent))
    assert not made["ROS_LOG_DIR"].startswith(str(venv)), "a new environment would take the logs away"


USE = """
import ament_index_python, physad_msgs.msg, rclpy
from rclpy.utilities import get_rmw_implementation_identifier
rclpy.init()
rclpy.create_node("here").create_publisher(physad_msgs.msg.Verdict, "verdict", 1)
print(rclpy.__file__, get_rmw_implementation_identifier())
"""


@pytest.mark.skipif(not Path(sysconfig.get_path("purelib"), "physad_environment.pth").exists(), reason="set-up did not make this environment")
@pytest.mark.parametrize("shell", [
    lambda other: sourced(other, ROS_DISTRO="jazzy", RMW_IMPLEMENTATION="rmw_cyclonedds_cpp"),
    lambda other: sourced(other, _ROS_WHEELS_BOOTSTRAP_COMPLETE="1"),  # as in a program of another checkout's .venv
    lambda other: {"AMENT_PREFIX_PATH": str(other)},
    lambda other: {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"},
], ids=["all of it", "another .venv", "its index", "its rmw"])
def test_a_program_of_venv_speaks_by_its_own_ros(shell, tmp_path):
    clean = {name: value for name, value in os.environ.items() if name not in environment.PATHS and not name.startswith("_")}
    done = subprocess.run([sys.executable, "-c", USE], env={**clean, **shell(prefix(tmp_path / "jazzy"))}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    used, rmw = done.stdout.split()
    assert Path(used).is_relative_to(sys.prefix) and rmw == "rmw_fastrtps_cpp"
