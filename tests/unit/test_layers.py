"""The house keeps its floors: a layer imports only from lower ones, and only nodes and above speak ROS."""

import ast
from pathlib import Path
from xml.etree import ElementTree

import pytest

PACKAGE = Path(__file__).parents[2] / "physad_ros"

#: lowest first; members of one floor do not import each other
FLOORS = [
    {"core"},
    {"motion", "dataset"},
    {"interactions", "sim", "perception", "rules", "language"},
    {"features"},
    {"detectors"},
    {"bench"},
    {"nodes"},
    {"bringup"},
    {"live"},
    {"cli"},
    {"entry"},
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
DEPENDS = {d.text or "" for d in ElementTree.parse(PACKAGE.parent / "package.xml").iter() if d.tag in ("depend", "exec_depend")}
#: coal is a library like any other; ament_index_python looks into folders, where the package's data and message definitions lie
WITHOUT_A_GRAPH = {"coal", "ament_index_python"}
ROS = {name for name in DEPENDS if not name.startswith("python3-")} - WITHOUT_A_GRAPH
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.relative_to(PACKAGE).parts[0] != "__init__.py")


def imports(file: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.add(node.module or "")
    return names


def test_there_is_something_to_check():
    assert len(FILES) > 20
    assert {"rclpy", "launch_ros", "physad_msgs", "sensor_msgs", "action_msgs"} < ROS
    assert {f.relative_to(PACKAGE).parts[0].removesuffix(".py") for f in FILES} <= set(FLOOR)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_file_imports_only_from_lower_floors(file):
    here = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports(file):
        parts = name.split(".")
        if parts[0] == "physad_ros" and len(parts) > 1 and parts[1] != here:
            assert FLOOR[parts[1]] < FLOOR[here], f"{here} imports {name}"
        if FLOOR[here] < FLOOR["nodes"]:
            assert parts[0] not in ROS, f"{here} imports {name}: only nodes speak ROS"
