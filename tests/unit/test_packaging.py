"""The package is complete: entry points lead somewhere, data is shipped, versions agree."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

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
    assert [line for line in lines if not re.match(r"[\w.-]+==[\w.]+(; python_version (>=|<) \"3\.\d+\")?$", line)] == []
    ros = (ROOT / "requirements-ros.txt").read_text().replace("\\\n", "").splitlines()
    assert len(ros) > 100 and [line for line in ros if line[0] != "#" and "--hash=sha256:" not in line] == []


def built(tmp_path: Path) -> Path:
    """The package as installed from a copy, not from this checkout."""
    command = [sys.executable, "setup.py", "-q", "build", "-b", tmp_path / "b", "install", "--root", tmp_path / "r", "--prefix", "/p"]
    done = subprocess.run([*command, "--single-version-externally-managed", "--record", tmp_path / "record"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path / "r" / "p"


def test_an_installed_package_has_all_its_data_and_executables(tmp_path):
    prefix = built(tmp_path)
    share = prefix / "share" / "physad"
    assert (prefix / "share/ament_index/resource_index/packages/physad").exists()
    for folder in ("models", "launch", "config", "urdf"):
        here = {f.relative_to(ROOT) for f in (ROOT / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts}
        assert here and here <= {f.relative_to(share) for f in share.rglob("*")}
    modules = next(prefix.glob("l*/python*/*-packages")) / "physad_ros"
    for file in ("table4.yaml", "html/page.html", "html/style.css", "html/base.js", "html/charts.js", "html/clips.js"):
        assert (modules / "bench" / file).exists(), file
    programs = {p.name for p in (prefix / "lib" / "physad").iterdir()}
    assert "physad" in programs and len(programs) > 9
    for program in programs - {"physad"}:
        assert (modules / "nodes" / f"{program}.py").exists()


def test_ci_runs_the_tests_and_every_workflow_file_parses():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
