"""Categories as data: one folder a category, found on a search path."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pydantic
import yaml

from physad_ros.core import places
from physad_ros.core.errors import BadData, UnknownName, WrongUse, why
from physad_ros.core.paths import share_dir
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.core.yamls import read_yaml

SEARCH_PATH_VARIABLE = "PHYSAD_CATEGORY_PATH"

Vector = tuple[float, float, float]


class _Data(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Fixture(_Data):
    """Where the object stands: the object's frame in the world's (base of the robot, z up, table top at z = 0)."""

    position_m: Vector
    yaw_rad: float = 0.0


class Camera(_Data):
    """Where the camera stands for this category, in the world's frame."""

    position_m: Vector
    target_m: Vector
    fovy_deg: float = pydantic.Field(gt=1, lt=120)


class Object(_Data):
    """One physical specimen type; ``variant`` is what the simulated twin needs to know of it."""

    name: str
    title: str = ""
    variant: dict[str, Any] = {}


class Recipe(_Data):
    """Which interaction, and its parameters in the object's frame (the interaction's own dataclass)."""

    interaction: str
    parameters: dict[str, Any] = {}


class Category(_Data):
    """The content of category.yaml."""

    name: str
    title: str
    frames: int = pydantic.Field(ge=1, description="frames a clip")
    objects: tuple[Object, ...] = pydantic.Field(min_length=1)
    defects: dict[str, str] = pydantic.Field(description="official name: what it means, in a sentence")
    signs: dict[str, tuple[str, ...]] = pydantic.Field(
        {}, description="what shows each defect, as quantity@phase: the findings that evaluation expects"
    )
    fixture: Fixture
    camera: Camera
    recipe: Recipe
    lights: dict[str, float] = {"left": 0.8, "right": 0.8}
    prior: str = pydantic.Field(description="what physics lets one expect of a working specimen")
    folder: Path = Path()

    @property
    def labels(self) -> tuple[str, ...]:
        """anomaly_free, then the defects."""
        return (NORMAL_LABEL, *self.defects)

    def check_label(self, label: str) -> str:
        """``label`` if this category has it; UnknownName otherwise."""
        if label not in self.labels:
            raise UnknownName(f"defect of {self.name}", label, self.labels)
        return label

    def object_named(self, name: str) -> Object:
        """The object of that name; UnknownName otherwise."""
        for candidate in self.objects:
            if candidate.name == name:
                return candidate
        raise UnknownName(f"object of {self.name}", name, [o.name for o in self.objects])


def search_path() -> list[Path]:
    """Folders that hold category folders: the package's own, then the user's ($PHYSAD_CATEGORY_PATH); WrongUse for one that is none."""
    extra = os.environ.get(SEARCH_PATH_VARIABLE, "")
    try:
        return [share_dir() / "models", *(places.folder(Path(p)) for p in extra.split(os.pathsep) if p)]
    except WrongUse as error:
        raise WrongUse(f"{SEARCH_PATH_VARIABLE}: {error}") from error


def categories() -> dict[str, Path]:
    """Every category's name and folder; a user's folder of the same name takes the package's place."""
    found: dict[str, Path] = {}
    for root in search_path():
        for file in sorted(root.glob("*/category.yaml")):
            found[file.parent.name] = file.parent
    return dict(sorted(found.items()))


def load_category(name: str) -> Category:
    """The category of that name.

    Raises:
        UnknownName: no such folder; the message names those there are.
        BadData: its category.yaml cannot be used; the message names the field.
    """
    known = categories()
    if name not in known:
        raise UnknownName("category", name, known)
    return _read(known[name])


@lru_cache(maxsize=64)
def _read(folder: Path) -> Category:
    file = folder / "category.yaml"
    try:
        data = read_yaml(file)
        if not isinstance(data, dict):
            raise BadData(f"{file}: it must hold the fields of a category, as {', '.join(Category.model_fields)}")
        category = Category.model_validate({**data, "folder": folder})
    except (yaml.YAMLError, pydantic.ValidationError, UnicodeDecodeError, OSError) as error:
        raise BadData(f"{file}: {why(error)}") from error
    if category.name != folder.name:
        raise BadData(f"{file}: is named {category.name!r} but lies in the folder {folder.name!r}")
    return category
