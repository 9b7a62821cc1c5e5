"""A butt hinge on a post: a hard stop narrows its angle; a loose pin works itself out and the leaf comes off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import mujoco
import numpy as np

from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim.twin import Twin, twins

KNUCKLES: Final = 5  # from below; those of odd number belong to the free leaf
GAP_M: Final = 3e-4  # between knuckles
BOTTOM_M: Final = 0.115  # of the hinge above the table: higher than its pin is long
PIN_OUT_M: Final = 2.5e-3  # that the pin sticks out at either end
GRAVITY_M_S2: Final = 9.81
STEEL_KG_M3: Final = 7850.0  # as in hinge.xml
COLOURS = {"steel": (0.46, 0.435, 0.395), "brass": (0.62, 0.46, 0.18)}
MARK_M: Final = (0.026, 0.087)  # of the free leaf, off the axis and above the lower edge; between the fingers' middles
HOLES = ((0.74, 0.89), (0.42, 0.63), (0.74, 0.37), (0.42, 0.11))  # of the leaf's width, of its height


@dataclass(frozen=True)
class HingeParts:
    """What one hinge is made of. Everything that follows is mechanics."""

    colour: Floats  # (3,) 0 to 1
    height_m: float
    leaf_m: float  # from the axis to the leaf's edge
    thick_m: float  # of the leaves
    knuckle_m: float  # radius
    holes: tuple[tuple[float, float], ...]
    friction_nm: float  # of the pin, dry
    damping_nm_s: float
    slip: float  # coefficient of friction between leaf and fingers
    stop_rad: float  # where the free leaf meets a stop
    loose_fit: float  # friction of the pin in its bore, of its weight
    lets_go_rad: float = np.inf  # where the pin's riveted end breaks off

    @property
    def bore_m(self) -> float:
        """Radius of the pin."""
        return 0.62 * self.knuckle_m

    def span_m(self, knuckle: int) -> tuple[float, float]:
        """Bottom and top of a knuckle above the hinge's lower edge."""
        pitch = self.height_m / KNUCKLES
        return knuckle * pitch + GAP_M / 2, (knuckle + 1) * pitch - GAP_M / 2


def sample(variant: dict[str, Any], defect: str, severity: float, rng: np.random.Generator) -> HingeParts:
    """A hinge of one object type: normal parts first, so that a defect changes nothing else for the same seed."""
    colour = np.array(COLOURS[variant.get("metal", "steel")])
    size = float(variant.get("size", 1.0)) * rng.uniform(0.98, 1.02)
    parts = HingeParts(
        colour=np.clip(colour * rng.uniform(0.85, 1.15) + rng.normal(0, 0.004, 3), 0, 1),
        height_m=0.100 * size,
        leaf_m=0.038 * float(variant.get("width", 1.0)) * rng.uniform(0.98, 1.02),
        thick_m=rng.uniform(3.2e-3, 3.6e-3),
        knuckle_m=rng.uniform(4.6e-3, 5.0e-3),
        holes=tuple((x + rng.normal(0, 0.01), z + rng.normal(0, 0.01)) for x, z in HOLES),
        friction_nm=rng.uniform(2e-3, 6e-3),
        damping_nm_s=rng.uniform(2e-4, 8e-4),
        slip=rng.uniform(0.05, 0.07),
        stop_rad=rng.uniform(2.2, 2.5),
        loose_fit=rng.uniform(0.2, 0.4),
    )
    return parts if defect == NORMAL_LABEL else _DEFECTS[defect](parts, severity, rng)


def _angle_limited(parts: HingeParts, severity: float, rng: np.random.Generator) -> HingeParts:
    """A bent knuckle meets its neighbour: a hard stop at a narrow angle."""
    return replace(parts, stop_rad=0.8 - 0.55 * severity + rng.uniform(-0.04, 0.04))


def _falloff(parts: HingeParts, severity: float, rng: np.random.Generator) -> HingeParts:
    """The pin's riveted end is cracked and breaks off once the leaf has been turned a little; then nothing keeps the pin in."""
    return replace(parts, lets_go_rad=0.75 - 0.5 * severity + rng.uniform(-0.04, 0.04))


_DEFECTS = {"angle_limited": _angle_limited, "falloff": _falloff}


def assemble(spec: mujoco.MjSpec, parts: HingeParts) -> None:
    """Make the nominal hinge of hinge.xml one of these parts."""
    for name, shade in (("hinge_metal", 1.0), ("hinge_barrel", 0.85), ("hinge_sink", 0.4)):
        spec.material(name).rgba = [*(shade * parts.colour), 1]
    for body, side, first in (("hinge", -1, 0), ("hinge_leaf", 1, 1)):
        _leaf(spec, spec.body(body), parts, side, first)
    _mark(spec, parts)
    _pin(spec, parts)
    _post(spec, parts)
    turn, bore = spec.joint("hinge_turn"), spec.joint("hinge_bore")
    turn.range = [-0.6, parts.stop_rad]
    turn.frictionloss, turn.damping = parts.friction_nm, [parts.damping_nm_s, 0, 0]
    bore.frictionloss = parts.loose_fit * GRAVITY_M_S2 * _pin_mass_kg(parts)


def _leaf(spec: mujoco.MjSpec, body: mujoco.MjsBody, parts: HingeParts, side: int, first: int) -> None:
    """One leaf to the ``side`` of the axis, with every second knuckle from ``first`` on."""
    touch = spec.find_default("hinge_touch")
    box, cylinder = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER
    begin = parts.knuckle_m + 6e-4
    plate = {
        "type": box,
        "size": [(parts.leaf_m - begin) / 2, parts.thick_m / 2, parts.height_m / 2],
        "pos": [side * (parts.leaf_m + begin) / 2, 0, BOTTOM_M + parts.height_m / 2],
        "friction": [parts.slip, 2e-3, 1e-4],
    }
    body.add_geom(touch, name=f"{body.name}_plate", material="hinge_metal", group=2, **plate)
    for i in range(first, KNUCKLES, 2):
        low, high = parts.span_m(i)
        middle, half = BOTTOM_M + (low + high) / 2, (high - low) / 2
        body.add_geom(
            touch,
            name=f"{body.name}_knuckle_{i}",
            material="hinge_barrel",
            group=2,
            type=cylinder,
            size=[parts.knuckle_m, half, 0],
            pos=[0, 0, middle],
        )
        body.add_geom(
            spec.find_default("hinge_shape"),
            name=f"{body.name}_root_{i}",
            material="hinge_metal",
            type=box,
            size=[begin / 2, parts.thick_m / 2, half],
            pos=[side * begin / 2, 0, middle],
        )
    _holes(spec, body, parts, side)


def _mark(spec: mujoco.MjSpec, parts: HingeParts) -> None:
    """The maker's stamp stands a little proud of both faces; the fingers touch it alone, so that the pin and not the hand aligns the leaf."""
    across, up = MARK_M
    spec.body("hinge_leaf").add_geom(
        spec.find_default("hinge_touch"),
        name="hinge_mark",
        material="hinge_metal",
        group=2,
        size=[parts.thick_m / 2 + 9e-4, 0, 0],
        pos=[across, 0, BOTTOM_M + up],
        friction=[parts.slip, 5e-4, 1e-4],
    )


def _holes(spec: mujoco.MjSpec, body: mujoco.MjsBody, parts: HingeParts, side: int) -> None:
    """Countersunk screw holes, seen from either face."""
    for i, (across, up) in enumerate(parts.holes):
        for name, radius, proud in (("sink", 3.6e-3, 5e-5), ("hole", 2.2e-3, 1e-4)):
            body.add_geom(
                spec.find_default("hinge_shape"),
                name=f"{body.name}_{name}_{i}",
                material=f"hinge_{name}",
                type=mujoco.mjtGeom.mjGEOM_CYLINDER,
                size=[radius, parts.thick_m / 2 + proud, 0],
                pos=[side * across * parts.leaf_m, 0, BOTTOM_M + up * parts.height_m],
                quat=[np.sqrt(0.5), np.sqrt(0.5), 0, 0],
            )


def _pin(spec: mujoco.MjSpec, parts: HingeParts) -> None:
    spec.body("hinge_pin").add_geom(
        spec.find_default("hinge_touch"),
        name="hinge_pin",
        material="hinge_pin",
        group=2,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        size=[parts.bore_m, 0, 0],
        fromto=[0, 0, BOTTOM_M, 0, 0, BOTTOM_M + parts.height_m + PIN_OUT_M - parts.bore_m],
    )


def _pin_mass_kg(parts: HingeParts) -> float:
    long = parts.height_m + PIN_OUT_M - parts.bore_m
    return STEEL_KG_M3 * np.pi * parts.bore_m**2 * (long + 4 / 3 * parts.bore_m)


def _post(spec: mujoco.MjSpec, parts: HingeParts) -> None:
    """Behind the fixed leaf, black."""
    top = BOTTOM_M + 0.9 * parts.height_m
    spec.body("hinge").add_geom(
        spec.find_default("hinge_touch"),
        name="hinge_post",
        material="hinge_post",
        group=2,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.011, 0.008, top / 2],
        pos=[-0.8 * parts.leaf_m, 0.008 + parts.thick_m / 2, top / 2],
    )


class Pin:
    """What holds leaf and pin from one moment to the next."""

    def __init__(self, parts: HingeParts, model: mujoco.MjModel):
        self._parts = parts
        names = ("hinge_rivet", "hinge_on_pin", "hinge_in_bore")
        self._rivet, self._on_pin, self._in_bore = (model.equality(name).id for name in names)

    def step(self, data: mujoco.MjData) -> None:
        """Set what holds in the coming step."""
        parts = self._parts
        if data.joint("hinge_turn").qpos[0] > parts.lets_go_rad:
            data.eq_active[self._rivet] = 0
        top_m = parts.height_m + PIN_OUT_M - float(data.joint("hinge_bore").qpos[0])
        if top_m < parts.span_m(1)[0]:  # out of the free leaf's last knuckle
            data.eq_active[self._on_pin] = 0
        if top_m < 0:
            data.eq_active[self._in_bore] = 0


@twins.register("hinge")
class Hinge(Twin):
    """A hinge on its post."""

    def build(self, spec: mujoco.MjSpec, fixture: mujoco.MjsBody) -> None:
        pose = self.rng.normal(0, (6e-4, 6e-4, 0.004, 0.004, 0.02))  # x, y, lean about both, turn
        self.parts = sample(self.variant, self.specimen.defect, self.specimen.severity, self.rng)
        child = self.mechanism()
        assemble(child, self.parts)
        child.body("hinge").pos = [*pose[:2], 0]
        mujoco.mju_euler2Quat(child.body("hinge").quat, pose[2:], "xyz")
        self.attach(spec, fixture, child)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._pin = Pin(self.parts, model)

    def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._pin.step(data)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, float]:
        return truth(data)


def truth(data: mujoco.MjData) -> dict[str, float]:
    """Where leaf and pin are, against the post."""
    post, leaf, pin = (data.body(name) for name in ("hinge", "hinge_leaf", "hinge_pin"))
    turn = post.xmat.reshape(3, 3).T @ leaf.xmat.reshape(3, 3)  # leaf in the post's frame
    return {
        "angle_rad": float(np.arctan2(-turn[1, 0], turn[0, 0])),
        "tilt_rad": float(np.arccos(np.clip(turn[2, 2], -1, 1))),
        "leaf_off_m": float(np.linalg.norm(leaf.xpos - post.xpos)),
        "pin_drop_m": float(post.xpos[2] - pin.xpos[2]),
    }
