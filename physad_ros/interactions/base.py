"""What an interaction is: a recipe, as a frozen dataclass, that plans a program for one object."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Annotated, Any, ClassVar, TypeVar

import numpy as np
import pydantic

from physad_ros.core.catalogue import Category, Fixture
from physad_ros.core.errors import BadData, Impossible, why
from physad_ros.core.registry import Registry
from physad_ros.core.types import FPS, Box, Floats, Program, Step, World
from physad_ros.motion import collision, ur5

I = TypeVar("I", bound="Interaction")  # noqa: E741


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("must not be 0")
    return value


def _has_length(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    if not any(vector):
        raise ValueError("must not be the zero vector")
    return vector


Number = Annotated[float, pydantic.Field(allow_inf_nan=False)]
Positive = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False)]
NonZero = Annotated[Number, pydantic.AfterValidator(_not_zero)]
Count = Annotated[int, pydantic.Field(ge=1, le=100)]
Vector = tuple[Number, Number, Number]
Direction = Annotated[Vector, pydantic.AfterValidator(_has_length)]

interactions: Registry[type[Interaction]] = Registry("interaction", "physad_ros.interactions")


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """A part of the object or its fixture that the arm must not hit, as an upright box in the object's frame."""

    centre_m: Vector
    size_m: tuple[Positive, Positive, Positive]
    touch: bool = False  # the fingers may touch it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interaction(ABC):
    """A recipe: its fields are what category.yaml's ``recipe.parameters`` may hold, lengths in the object's frame."""

    obstacles: tuple[Obstacle, ...] = ()

    __pydantic_config__: ClassVar[pydantic.ConfigDict] = pydantic.ConfigDict(extra="forbid")

    @classmethod
    def of(cls: type[I], category: Category) -> I:
        """The category's recipe.

        Raises:
            BadData: a parameter that is unknown, missing or of the wrong kind; names the valid ones.
        """
        known = [f.name for f in dataclasses.fields(cls)]
        given = category.recipe.parameters
        where = f"{category.name}: recipe {category.recipe.interaction}"
        for name in given:
            if name not in known:
                raise BadData(f"{where} has no parameter {name!r}; known: {', '.join(known)}")
        try:
            recipe: I = _adapter(cls).validate_python(given)
        except pydantic.ValidationError as error:
            raise BadData(f"{where}: {why(error)}") from error
        return recipe

    def world(self, category: Category) -> World:
        """The rig with this category's camera and obstacles."""
        place, boxes = category.fixture, collision.rig(category.camera.position_m).boxes
        parts = (
            Box(f"{category.name}'s obstacle {i}", point(place, o.centre_m), o.size_m, place.yaw_rad, o.touch)
            for i, o in enumerate(self.obstacles)
        )
        return World((*boxes, *parts))

    @abstractmethod
    def plan(self, category: Category, object_name: str, start_rad: Floats) -> Program:
        """The program for this object with the arm standing at ``start_rad`` (6,).

        Checked: limits, reach, collision along every motion, and that its phases fill the category's frames exactly.

        Raises:
            Impossible: with the phase and the reason; nothing has moved.
            UnknownName: no such object.
        """


@lru_cache(maxsize=32)
def _adapter(recipe: type[Any]) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(recipe)


def plan(category: Category, object_name: str, start_rad: Floats) -> Program:
    """The category's interaction, planned for one of its objects; see Interaction.plan.

    Raises:
        Impossible, BadData, UnknownName: the program, the recipe or a name is at fault.
    """
    recipe = interactions[category.recipe.interaction].of(category)
    return dataclasses.replace(recipe.plan(category, object_name, start_rad), world=recipe.world(category))


def check(category: Category, object_name: str = "") -> None:
    """Raise what ``plan`` does where the category's interaction cannot be played, by an arm at its usual place, on this object or any."""
    for name in [object_name] if object_name else [known.name for known in category.objects]:
        plan(category, name, ur5.HOME)


def assemble(
    category: Category, object_name: str, before: list[Step], window: list[Step], after: list[Step]
) -> Program:
    """The program whose clip spans the steps of ``window``.

    Raises:
        Impossible: those steps do not last as long as the category's clip.
    """
    category.object_named(object_name)
    program = Program(
        category=category.name,
        object=object_name,
        interaction=category.recipe.interaction,
        steps=(*before, *window, *after),
        window_begin_s=float(sum(step.duration_s for step in before)),
        frames=category.frames,
    )
    lasts = float(sum(step.duration_s for step in window))
    clip = category.frames / FPS
    if abs(lasts - clip) > 1e-6:
        spans = ", ".join(f"{step.phase} {step.duration_s:g}" for step in window)
        raise Impossible(
            f"the window of {category.frames} frames lasts {clip:.4f} s but its phases {lasts:.4f} s ({spans}); "
            "change the recipe's durations"
        )
    return program


def direction(fixture: Fixture, vector: Vector) -> Floats:
    """A vector of the object's frame in base_link."""
    c, s = np.cos(fixture.yaw_rad), np.sin(fixture.yaw_rad)
    x, y, z = vector
    return np.array([c * x - s * y, s * x + c * y, z])


def point(fixture: Fixture, at_m: Vector) -> Vector:
    """A point of the object's frame in base_link."""
    x, y, z = direction(fixture, at_m) + fixture.position_m
    return float(x), float(y), float(z)


def check_start(start_rad: Floats) -> Floats:
    """``start_rad`` as (6,) floats; Impossible where it is no joint position."""
    q = np.asarray(start_rad, dtype=float)
    if q.shape != (6,) or not np.isfinite(q).all():
        raise Impossible(f"the arm's position must be six finite angles, not {q.tolist()}")
    return q
