"""A clip of two plastic levers: a seized pivot keeps it shut, a broken spring leaves it open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import mujoco
import numpy as np

from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim.shapes import Outline, prism
from physad_ros.sim.twin import Twin, twins

COLOURS = {
    "blue": (0.20, 0.29, 0.58),
    "yellow": (0.92, 0.64, 0.05),
    "red": (0.60, 0.06, 0.05),
    "green": (0.12, 0.50, 0.20),
    "white": (0.62, 0.62, 0.60),
    "pink": (0.85, 0.38, 0.52),
}
TAPER_MM = 30.0  # where the levers end
OPENED_RAD = 0.62  # about where the press ends

# drawn after the shut clip of the footage, 58 mm long; its middle is x = 0
LOWER: dict[str, Outline] = {
    "hull": (5.5, ((-29, 6.2), (-26.9, 4.1), (-19, 1.8), (-11.2, 0.4), (1.5, 0), (11.2, 0.2), (20, 1.2), (28.6, 3.6),
                   (28.8, 4.7), (19, 5.1), (-13.2, 6.9), (-25.9, 7.3), (-28.8, 6.8))),
    "tower": (5.2, ((-1.7, 4.5), (0.6, 11.9), (1.3, 13.4), (2.5, 14.4), (4, 14.7), (5.3, 14.1), (6.1, 12.9),
                    (8.1, 4.5))),
    "step": (3.5, ((6, 4.5), (7.3, 9.4), (10.3, 6), (16.6, 7.1), (16.9, 4.4))),
    "beak": (5.0, ((18.3, 4.7), (19.6, 7), (22, 7.1), (29, 4.9), (28.8, 3.4), (18.3, 1.4))),
}  # fmt: skip
UPPER: dict[str, Outline] = {
    "handle": (5.5, ((-22.1, 32.9), (-19.1, 34.8), (-12.7, 33.3), (7.2, 24.8), (7.9, 20.6), (1.2, 18.9))),
    "spine": (5.4, ((-1, 19.8), (3, 23.2), (10, 20.6), (19.5, 14.6), (20, 9.6), (9.5, 14.9), (2, 18.6))),
    "lug": (4.4, ((3.0, 24), (9.3, 22), (14.2, 18.8), (12.4, 15), (8.4, 12.1), (6.3, 12.6), (1.2, 15.2), (0.5, 20.5))),
    "front": (5.3, ((8.8, 21.2), (10.8, 22.6), (16.3, 19.4), (22, 15.5), (21, 9), (9.8, 14.5), (8, 17.8))),
    "collar": (5.6, ((20.2, 16.8), (22.5, 15.7), (23.3, 14), (20.8, 8.4), (18.6, 9.6))),
    "beak": (5.0, ((20.8, 15.6), (27.1, 11.1), (29.3, 8), (28.9, 4.9), (19.6, 8), (19.4, 10))),
}  # fmt: skip


@dataclass(frozen=True)
class ClipParts:
    """What one clip is made of. Everything that follows is mechanics."""

    colour: Floats  # (3,) 0 to 1
    size: float  # of 58 mm
    density: float  # of the nominal plastic's
    stiffness_nm: float  # of the spring, per radian
    preload_nm: float  # of the spring with the jaw shut
    friction_nm: float  # of the pivot, dry
    damping_nm_s: float  # of the pivot
    opens_rad: float  # until something stops it


def sample(variant: dict[str, Any], defect: str, severity: float, rng: np.random.Generator) -> ClipParts:
    """A clip of one object type: normal parts first, so that a defect changes nothing else for the same seed."""
    colour = np.array(COLOURS[variant.get("colour", "blue")])
    parts = ClipParts(
        colour=np.clip(colour * rng.uniform(0.85, 1.1) + rng.normal(0, 0.015, 3), 0, 1),
        size=float(variant.get("size", 1.0)) * rng.uniform(0.97, 1.03),
        stiffness_nm=rng.uniform(0.06, 0.10),
        preload_nm=rng.uniform(0.04, 0.06),
        friction_nm=rng.uniform(1e-3, 4e-3),
        damping_nm_s=rng.uniform(2e-3, 5e-3),
        opens_rad=0.9,
        density=rng.uniform(0.85, 1.15),
    )
    return parts if defect == NORMAL_LABEL else _DEFECTS[defect](parts, severity)


def _unable_press(parts: ClipParts, severity: float) -> ClipParts:
    """The pivot has seized after a little play: past it, nothing moves."""
    return replace(parts, friction_nm=parts.friction_nm + 0.05 * severity, opens_rad=max(0.2 * (1 - severity), 0.005))


def _unable_rebound(parts: ClipParts, severity: float) -> ClipParts:
    """The spring is broken and what is left of it cannot overcome the worn pivot's friction."""
    left = 0.5 * parts.stiffness_nm * (1 - severity)
    rests_rad = OPENED_RAD * (0.35 + 0.65 * severity)
    return replace(parts, stiffness_nm=left, preload_nm=0.0, friction_nm=max(5e-3, left * rests_rad))


_DEFECTS = {"unable_press": _unable_press, "unable_rebound": _unable_rebound}


def assemble(spec: mujoco.MjSpec, parts: ClipParts) -> None:
    """Make the nominal clip of clip.xml one of these parts."""
    spec.material("clip_plastic").rgba = [*parts.colour, 1]
    levers = ((spec.body("clip"), LOWER), (spec.body("clip_upper"), UPPER))
    for body, pieces in levers:
        for piece, outline in pieces.items():
            name = f"{body.name}_{piece}"
            spec.add_mesh(name=name, uservert=(prism(outline, TAPER_MM) - body.pos).ravel(), smoothnormal=True)
            geom = body.add_geom(
                spec.find_default("clip_shape"), name=name, meshname=name, material="clip_plastic", mass=0
            )
            geom.type = mujoco.mjtGeom.mjGEOM_MESH
    _resize(spec, parts.size, parts.density)
    pivot = spec.joint("clip_pivot")
    pivot.range = [0, parts.opens_rad]
    pivot.stiffness = [parts.stiffness_nm, 0, 0]
    pivot.springref = -parts.preload_nm / parts.stiffness_nm if parts.preload_nm else 0.0
    pivot.damping = [parts.damping_nm_s, 0, 0]
    pivot.frictionloss = parts.friction_nm


def _resize(spec: mujoco.MjSpec, size: float, density: float) -> None:
    for mesh in spec.meshes:
        mesh.scale = [size] * 3
    for geom in spec.geoms:
        geom.pos, geom.size, geom.fromto = geom.pos * size, geom.size * size, geom.fromto * size
    for body in spec.bodies:
        body.pos = body.pos * size
    lever = spec.body("clip_upper")
    lever.ipos, lever.mass, lever.inertia = lever.ipos * size, lever.mass * density * size**3, lever.inertia * density * size**5


@twins.register("clip")
class Clip(Twin):
    """A clip lying on the table."""

    def build(self, spec: mujoco.MjSpec, fixture: mujoco.MjsBody) -> None:
        pose = self.rng.normal(0, (1e-3, 1e-3, 0.03))
        self.parts = sample(self.variant, self.specimen.defect, self.specimen.severity, self.rng)
        child = self.mechanism()
        assemble(child, self.parts)
        child.body("clip").pos = [*pose[:2], 0]
        child.body("clip").quat = [np.cos(pose[2] / 2), 0, 0, np.sin(pose[2] / 2)]
        self.attach(spec, fixture, child)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, float]:
        pivot = data.joint("clip_pivot")
        return {"jaw_rad": float(pivot.qpos[0]), "jaw_rad_s": float(pivot.qvel[0])}
