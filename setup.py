"""The ROS package `physad` (ament_python). Its version stands in package.xml."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
LEARNING = [line for line in (ROOT / "requirements-learning.txt").read_text().split("\n") if line and not line.startswith("#")]
NODES = ("arm", "camera", "detector", "inspector", "light", "motor", "mujoco_rig", "perceiver", "recorder", "request")


def data(folder: str) -> list[tuple[str, list[str]]]:
    """Every file below a folder, to the same place below share/physad."""
    files: dict[str, list[str]] = {}
    for file in sorted((ROOT / folder).rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            inside = file.relative_to(ROOT)
            files.setdefault(f"share/physad/{inside.parent}", []).append(str(inside))
    return list(files.items())


setup(
    name="physad",
    version=ElementTree.parse(ROOT / "package.xml").findtext("version"),
    packages=find_packages(include=["physad_ros", "physad_ros.*"]),
    package_data={"physad_ros.bench": ["*.yaml", "html/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/physad"]),
        ("share/physad", ["package.xml"]),
        *(entry for folder in ("config", "launch", "models", "urdf") for entry in data(folder)),
    ],
    install_requires=["setuptools"],
    extras_require={
        "learning": LEARNING,  # no node needs it, unless a learnt detector judges
        "anomalib": ["anomalib[video]>=2.7,<3"],  # in an environment of its own: it wants torchvision
        "ray": ["ray>=2.9"],  # `physad bench --backend ray`, on every machine of the cluster
    },
    python_requires=">=3.10",
    zip_safe=False,
    license="Apache-2.0",
    description="Inspects objects as a person does: perceives, interacts with a UR5, reasons from video and signals.",
    maintainer="The physad developers",
    maintainer_email="physad@users.noreply.github.com",
    entry_points={
        "console_scripts": ["physad = physad_ros.entry:physad", *(f"{n} = physad_ros.entry:node" for n in NODES)],
    },
)
