"""Set-up runs on the Pythons that it names, keeps to its folder, and does no work twice."""

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load():
    spec = importlib.util.spec_from_file_location("physad_setup", ROOT / "tools" / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def setup():
    return load()


@pytest.mark.parametrize("version", [(3, 6), (3, 10), (3, 15), (4, 0)])
def test_a_python_that_is_too_old_or_too_new_gets_one_line(version, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as ended:
        load()
    said = str(ended.value)
    assert "\n" not in said and f"Python {version[0]}.{version[1]} is not supported, 3.11 to 3.14 are" in said


def test_an_old_python_gets_as_far_as_that_line():
    source = (ROOT / "tools" / "setup.py").read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    before = tree.body[:next(i for i, node in enumerate(tree.body) if isinstance(node, ast.If))]
    assert {type(node) for node in before} <= {ast.Expr, ast.Import, ast.ImportFrom, ast.Assign}
    assert "__future__" not in {node.module for node in before if isinstance(node, ast.ImportFrom)}, "annotations came with 3.7"


def test_all_that_names_the_pythons_names_the_same(setup):
    oldest, newest = (".".join(map(str, version)) for version in (setup.OLDEST, setup.NEWEST))
    for file in ("constraints.txt", "requirements-ros.txt"):
        assert f"{oldest} to {newest}" in (ROOT / file).read_text().splitlines()[0]
    assert f'python_requires=">={oldest}"' in (ROOT / "setup.py").read_text()
    assert f'python_version = "{oldest}"' in (ROOT / "pyproject.toml").read_text()


def test_one_set_of_versions_serves_all_pythons():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    forked = {line for line in lines if ";" in line}
    names = [re.split("==", line)[0] for line in lines]
    assert not forked and len(names) == len(set(names))


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


def test_set_up_installs_the_opengl_that_is_chosen_first(setup):
    from physad_ros.sim import gl

    first = next(iter(gl._LIBRARIES.values()))
    assert first in {f"lib{library}.so.1" for library in setup.LIBRARIES}


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


def test_what_is_built_sees_no_other_ros_and_no_other_python_s_packages(setup, monkeypatch):
    others = {"PYTHONPATH": "/home/me/lib", "AMENT_PREFIX_PATH": "/ws", "RMW_IMPLEMENTATION": "rmw_other", "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"}
    environment = {**others, "PATH": "/usr/bin", "LD_LIBRARY_PATH": "/home/me/cuda"}
    monkeypatch.setattr(setup.os, "environ", environment)
    monkeypatch.syspath_prepend(ROOT / "tools")
    setup.forget_other_ros()
    assert environment == {"PATH": "/usr/bin", "LD_LIBRARY_PATH": "/home/me/cuda"}
