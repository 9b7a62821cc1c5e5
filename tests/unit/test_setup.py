"""Set-up keeps to its folder: what pip, ROS and matplotlib would write to the home directory goes inside, unless somebody says where."""

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def setup():
    spec = importlib.util.spec_from_file_location("physad_setup", ROOT / "tools" / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(setup, monkeypatch, **before):
    """What every Python of /clone/.venv adds to an environment."""
    monkeypatch.setattr(os, "environ", dict(before))
    exec(setup.ENVIRONMENT, {"os": os, "sys": SimpleNamespace(prefix="/clone/.venv")})
    return os.environ


def test_what_programs_write_lies_in_the_clone_unless_somebody_says_where(setup, monkeypatch):
    made = environment(setup, monkeypatch)
    for name in ("ROS_LOG_DIR", "MPLCONFIGDIR", "AMENT_PREFIX_PATH", "FASTDDS_DEFAULT_PROFILES_FILE"):
        assert made[name].startswith("/clone/")
    assert not made["ROS_LOG_DIR"].startswith("/clone/.venv"), "a new environment would take the logs away"
    kept = environment(setup, monkeypatch, ROS_LOG_DIR="/logs", MPLCONFIGDIR="/fonts")
    assert (kept["ROS_LOG_DIR"], kept["MPLCONFIGDIR"]) == ("/logs", "/fonts")


def test_pip_caches_in_the_clone_unless_somebody_says_where(setup, monkeypatch):
    caches = []
    monkeypatch.setattr(setup, "run", lambda *command, **environment: caches.append(environment["PIP_CACHE_DIR"]))
    monkeypatch.delenv("PIP_CACHE_DIR", raising=False)
    setup.pip("-r", "requirements.txt")
    monkeypatch.setenv("PIP_CACHE_DIR", "/cache")
    setup.pip("-r", "requirements.txt")
    assert caches == [str(ROOT / ".cache" / "pip"), "/cache"]


def test_a_stage_is_done_once_until_its_inputs_change(setup, monkeypatch, tmp_path):
    done, file = [], tmp_path / "input"

    def action():
        """Counted."""
        done.append(file.read_text())

    for name, value in (("ROOT", tmp_path), ("STAMPS", tmp_path / "stamps"), ("PYTHON", Path(sys.executable))):
        monkeypatch.setattr(setup, name, value)
    for text in ("one", "one", "two"):
        file.write_text(text)
        setup.stage("stage", action, "input")
    assert done == ["one", "two"]


SLOW = "import time\nprint('[ 40%] building', flush=True)\ntime.sleep(0.4)\nprint('[ 80%] linking', flush=True)\ntime.sleep(0.4)"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_long_step_shows_how_far_it_is(setup, monkeypatch, capsys, terminal):
    for name in ("SHOW_S", "LOG_S"):
        monkeypatch.setattr(setup, name, 0.1)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    setup.run(sys.executable, "-c", SLOW)
    said = capsys.readouterr().out
    assert "s: [ 40%] building" in said and "s: [ 80%] linking" in said
    assert said.endswith("\r\033[K") == terminal, "a terminal's line is taken away again"


def test_a_step_that_fails_shows_all_that_it_said(setup):
    with pytest.raises(setup.SetupError, match=r"(?s)first.*second.*failed with status 3"):
        setup.run(sys.executable, "-c", "import sys; print('first'); print('second', file=sys.stderr); sys.exit(3)")
