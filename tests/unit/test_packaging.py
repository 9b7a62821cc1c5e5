"""The package is complete: entry points lead somewhere, data is shipped, versions agree."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def version(package: str) -> str:
    return ElementTree.parse(ROOT / package / "package.xml").findtext("version")


def test_versions_agree():
    assert version(".") == version("physad_msgs")
    assert f"## [{version('.')}]" in (ROOT / "CHANGELOG.md").read_text()


def names(file: str) -> set[str]:
    """The packages that a requirements file names, spelt as the index does."""
    found = re.findall(r"^([A-Za-z][\w.-]*)", (ROOT / file).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def test_every_package_is_pinned_and_ros_2_by_its_hash():
    assert names("requirements.txt") | names("requirements-learning.txt") | names("requirements-dev.txt") <= names("constraints.txt")
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.match(r"[\w.-]+==[\w.]+$", line)] == []
    ros = (ROOT / "requirements-ros.txt").read_text().replace("\\\n", "").splitlines()
    assert len(ros) > 100 and [line for line in ros if line[0] != "#" and "--hash=sha256:" not in line] == []


#: what a package is imported as, where that is not its name
IMPORTED_AS = {"python3-opencv": "cv2"}


def imported(*folders: str) -> set[str]:
    """Top-level modules that the Python files below these folders import, less the standard library and our own."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    own = {"physad_ros", *(file.stem for file in files)}
    return {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - own


def declared(*tags: str) -> set[str]:
    return {d.text for d in ElementTree.parse(ROOT / "package.xml").iter() if d.tag in tags}


def from_pip() -> set[str]:
    """What package.xml leaves to pip, as pip reads it."""
    return set(re.search(r"pip brings: (.*) -->", (ROOT / "package.xml").read_text())[1].split())


def dependencies() -> set[str]:
    """What package.xml declares for running, by the names that are imported."""
    return {IMPORTED_AS.get(name, name.removeprefix("python3-")) for name in declared("depend", "exec_depend")}


def started() -> str:
    """Where packages that are run, described or plugged in are named."""
    return " ".join(f.read_text() for folder in ("physad_ros/bringup", "config", "urdf") for f in (ROOT / folder).rglob("*.*") if f.suffix != ".pyc")


def extras() -> set[str]:
    """What setup.py offers as optional: the names in its extras, but for those that it reads from a requirements file."""
    kwargs = {k.arg: k.value for n in ast.walk(ast.parse((ROOT / "setup.py").read_text())) if isinstance(n, ast.Call) for k in n.keywords}
    lists = [value for value in kwargs["extras_require"].values if isinstance(value, ast.List)]
    return {re.match(r"\w+", item.value)[0] for of in lists for item in of.elts}


def learning() -> set[str]:
    return names("requirements-learning.txt")


def at_import(folder: str) -> set[str]:
    """Top-level modules that files below this folder import as soon as they are imported themselves, not in a function or for types alone."""
    found = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    return found


def test_what_is_imported_or_described_is_declared_or_brought_by_pip():
    """package.xml and what it leaves to pip are what a robot needs; what learns is in a requirements file of its own, or an extra."""
    here = dependencies() | {re.match(r"\w+", package)[0] for package in from_pip()}
    assert imported("physad_ros", "launch") <= here | learning() | extras()
    brought = extras() | {"torchvision"}  # which anomalib brings
    assert imported("tests") <= here | learning() | brought | names("requirements-dev.txt") | {
        name.removeprefix("python3-").replace("-", "_") for name in declared("test_depend")}
    assert set(re.findall(r"\$\(find (\w+)\)", started())) <= here


def test_what_learns_is_used_and_the_robot_s_part_never_needs_it():
    assert learning() <= imported("physad_ros") and extras() <= imported("physad_ros")
    needed = {folder: at_import(f"physad_ros/{folder}") for folder in ("core", "motion", "sim", "dataset", "rules", "perception", "nodes", "bench")}
    assert {folder: found for folder, found in needed.items() if found & (learning() | extras())} == {}


def test_what_is_declared_is_used():
    unused = dependencies() - imported("physad_ros", "launch")
    assert {name for name in unused if not re.search(rf"\b{name}\b", started())} == {"ros2launch"}  # the README's command


def test_the_readme_has_pip_bring_what_package_xml_leaves_to_it():
    told = re.search(r"pip install (.*)", (ROOT / "README.md").read_text())[1]
    assert set(told.replace('"', "").split()) == from_pip() | {"numpy<2"}  # the newest numpy that the apt packages take


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Where the README's colcon command puts the package; its interfaces are those that are here already."""
    tmp = tmp_path_factory.mktemp("workspace")
    beside = Path(sys.executable).with_name("colcon")
    words = [beside if beside.exists() else "colcon", "--log-base", tmp / "log", "build", "--base-paths", ".", "physad_msgs",
             "--packages-select", "physad", "--build-base", tmp / "build", "--install-base", tmp / "install"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp / "install" / "physad"


def run_installed(prefix: Path, *words: str | Path) -> str:
    """Output of a program that finds the installed package and not this checkout."""
    modules = next(prefix.glob("l*/python*/*-packages"))
    known = os.pathsep.join([str(prefix), os.environ.get("AMENT_PREFIX_PATH", "")])
    done = subprocess.run(words, cwd=prefix, env={**os.environ, "PYTHONPATH": str(modules), "AMENT_PREFIX_PATH": known},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_installed_package_has_all_its_data_and_executables(installed):
    share = installed / "share" / "physad"
    assert (installed / "share/ament_index/resource_index/packages/physad").exists()
    for folder in ("models", "launch", "config", "urdf"):
        here = {f.relative_to(ROOT) for f in (ROOT / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts}
        assert here and here <= {f.relative_to(share) for f in share.rglob("*")}
    modules = next(installed.glob("l*/python*/*-packages")) / "physad_ros"
    for file in ("table4.yaml", "html/page.html", "html/style.css", "html/base.js", "html/charts.js", "html/clips.js"):
        assert (modules / "bench" / file).exists(), file
    programs = {p.name for p in (installed / "lib" / "physad").iterdir()}
    assert "physad" in programs and len(programs) > 9
    for program in programs - {"physad"}:
        assert (modules / "nodes" / f"{program}.py").exists()


LOOK = """
import physad_ros
from physad_ros.core.catalogue import load_category
from physad_ros.core.paths import share_dir
from physad_ros.detectors.base import detectors
from physad_ros.perception.prototypes import FILE, Perceiver
from physad_ros.sim.scene import build
from physad_ros.sim.specimen import random_specimen

detectors["rules"].load(load_category("fan").folder)
Perceiver.read(share_dir() / "models" / FILE)
build(random_specimen(1, "fan"), (64, 36))
print(physad_ros.__file__, share_dir())
"""


def test_an_installed_package_works_from_its_share_folder(installed):
    module, share = run_installed(installed, sys.executable, "-c", LOOK).split()
    assert Path(module).is_relative_to(installed) and Path(share) == installed / "share" / "physad"
    assert "stuck" in run_installed(installed, installed / "lib" / "physad" / "physad", "categories")


def test_ci_runs_the_tests_and_every_workflow_file_parses():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
