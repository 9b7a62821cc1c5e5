"""The command line: every command explains itself, and a read-only checkout is no obstacle."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from physad_ros import cli
from physad_ros.core import paths


@pytest.mark.parametrize("command", [
    "inspect", "record", "collect", "fit", "fit-perception", "courses", "evaluate", "recover", "bench", "methods", "bench-camera",
])
def test_every_command_explains_itself(command):
    told = CliRunner().invoke(cli.app, [command, "--help"])
    assert told.exit_code == 0 and len(told.output) > 200


def test_logs_go_elsewhere_where_their_folder_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("ROS_LOG_DIR", "/proc/physad/ros_log")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "fonts"))
    paths.keep_writable()
    assert os.path.isabs(os.environ["ROS_LOG_DIR"]) and not os.environ["ROS_LOG_DIR"].startswith("/proc")
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "fonts")
    assert paths.keep_writable() is None and os.access(os.environ["ROS_LOG_DIR"], os.W_OK)


HEAVY = {"torch", "sklearn", "scipy", "matplotlib", "mujoco", "rclpy", "pyarrow", "transformers"}


@pytest.mark.parametrize("words", [
    "--help", "inspect --help", "inspect --category unicorn", "inspect --detector oracle", "inspect --out /proc/physad", "record /proc/physad",
    "record new --label rust", "collect /proc/physad --category unicorn", "fit gone", "bench gone", "bench gone --method oracle", "methods oracle",
    "evaluate gone", "evaluate .", "recover gone", "courses gone.mp4 --category clip", "categories",
])
def test_help_and_wrong_use_do_not_wait_for_what_takes_seconds_to_load(words, tmp_path):
    code = ("import sys; from physad_ros import cli; sys.argv = ['physad', *sys.argv[1:]]\n"
            "try: cli.main()\nexcept SystemExit: pass\n"
            f"print('loaded:', *sorted({HEAVY!r} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1:] == ["loaded:"], done.stdout + done.stderr
