"""A drawer rail on balls: a dented race wedges it, broken guidance lets it derail, a broken pocket loses balls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import mujoco
import numpy as np

from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim.twin import Twin, twins

AXIS_M: Final = 0.060  # the rail's middle above the table
OUTER_M: Final = (-0.150, 0.035)  # from and to along x
INNER_M: Final = (-0.090, 0.056)
TAB_M: Final = (0.060, 0.108)  # x and z of the middle of its boss, where the fingers hold it
OUTER_HALF_M: Final = 0.0225  # of the outer member's height
INNER_HALF_M: Final = 0.0145
RACE_M: Final = 0.0177  # height of the balls' rows off the axis
BALL_M: Final = 0.0028  # radius
BALL_PITCH_M: Final = 0.008
FALLING: Final = 3  # balls of the lower row, from its right end, that can leave it; as in slide.xml
ROW: Final = 6
SHEET_M: Final = 0.0015
COLOURS = {"zinc": (0.45, 0.41, 0.37), "nickel": (0.47, 0.47, 0.48)}


@dataclass(frozen=True)
class SlideParts:
    """What one rail is made of. Everything that follows is mechanics."""

    colour: Floats  # (3,) 0 to 1
    friction_n: float  # of the balls, dry
    damping_n_s_m: float  # of their grease
    sheet_m: float  # of the inner member
    overhang_m: float  # of the outer member beyond the last ball, pushed in
    slots_m: tuple[float, ...]  # of the inner member, along it
    rear_m: float  # of the inner member along x, pushed in: the longer, the heavier
    tab_m: tuple[float, float]  # half its width, and how far it stands above its boss
    wedge_at_m: float = np.inf  # travel from which on a dent wedges the balls
    wedge_n_m: float = 0.0  # friction gained per metre beyond
    derails_m: float = np.inf  # travel at which the balls let the inner member go
    broken_pockets: int = 0  # of the lower row, from its right end

    def ball_x_m(self, i: int) -> float:
        """Where ball i of a row is along x, pushed in; counted from the right."""
        gap = 0.006 if i >= ROW // 2 else 0.0  # two groups
        return OUTER_M[1] - self.overhang_m - i * BALL_PITCH_M - gap


def sample(variant: dict[str, Any], defect: str, severity: float, rng: np.random.Generator) -> SlideParts:
    """A rail of one object type: normal parts first, so that a defect changes nothing else for the same seed."""
    colour = np.array(COLOURS[variant.get("plating", "zinc")])
    first = rng.uniform(-0.075, -0.060)
    parts = SlideParts(
        colour=np.clip(colour * rng.uniform(0.85, 1.15) + rng.normal(0, 0.004, 3), 0, 1),
        friction_n=rng.uniform(0.3, 1.5),
        damping_n_s_m=rng.uniform(1.0, 4.0),
        sheet_m=SHEET_M * rng.uniform(0.9, 1.1),
        overhang_m=rng.uniform(0.010, 0.020),
        slots_m=(first, first + rng.uniform(0.042, 0.050), first + rng.uniform(0.085, 0.095)),
        rear_m=INNER_M[0] + rng.uniform(-0.006, 0.006),
        tab_m=(rng.uniform(0.0072, 0.0088), rng.uniform(0.0105, 0.0135)),
    )
    return parts if defect == NORMAL_LABEL else _DEFECTS[defect](parts, severity, rng)


def _jam(parts: SlideParts, severity: float, rng: np.random.Generator) -> SlideParts:
    """A dent in the race: the balls wedge in it, the deeper the harder."""
    at = 0.052 - 0.030 * severity + rng.uniform(-0.004, 0.004)
    return replace(parts, wedge_at_m=at, wedge_n_m=3e3 * (1 + 3 * severity))


def _derailment(parts: SlideParts, severity: float, rng: np.random.Generator) -> SlideParts:
    """A spread lip lets the balls slip past the inner member, which then is loose between the lips."""
    return replace(parts, derails_m=0.060 - 0.035 * severity + rng.uniform(-0.004, 0.004))


def _ball_drop(parts: SlideParts, severity: float, rng: np.random.Generator) -> SlideParts:
    """Pockets of the cage are broken: their balls fall out as soon as the outer member's lip no longer carries them."""
    return replace(parts, broken_pockets=1 + min(int(severity * FALLING), FALLING - 1))


_DEFECTS = {"jam": _jam, "derailment": _derailment, "ball_drop": _ball_drop}


def assemble(spec: mujoco.MjSpec, parts: SlideParts) -> None:
    """Make the nominal rail of slide.xml one of these parts."""
    for name, shade in (("slide_metal", 1.0), ("slide_lip", 1.1), ("slide_rim", 0.6), ("slide_back", 0.25)):
        spec.material(name).rgba = [*np.clip(shade * parts.colour, 0, 1), 1]
    _outer(spec)
    _inner(spec, parts)
    _balls(spec, parts)
    run = spec.joint("slide_run")
    run.frictionloss, run.damping = parts.friction_n, [parts.damping_n_s_m, 0, 0]


def _box(spec: mujoco.MjSpec, body: str, kind: str, name: str, material: str, low: Any, high: Any) -> mujoco.MjsGeom:
    """A box between two corners (3,)."""
    a, b = np.array(low, dtype=float), np.array(high, dtype=float)
    return spec.body(body).add_geom(
        spec.find_default(f"slide_{kind}"),
        name=f"slide_{name}",
        material=f"slide_{material}",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=(a + b) / 2,
        size=(b - a) / 2,
    )


def _edge(
    spec: mujoco.MjSpec, body: str, kind: str, name: str, x: tuple[float, float], y: float, z: float, r: float
) -> None:
    """A rolled edge along x."""
    spec.body(body).add_geom(
        spec.find_default(f"slide_{kind}"),
        name=f"slide_{name}",
        material="slide_lip",
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        size=[r, 0, 0],
        fromto=[x[0] + r, y, z, x[1] - r, y, z],
    )


def _outer(spec: mujoco.MjSpec) -> None:
    """A channel that opens to the front, on a post."""
    begin, end = OUTER_M
    _box(
        spec,
        "slide_outer",
        "outer",
        "back",
        "back",
        (begin, 0.0045, AXIS_M - OUTER_HALF_M),
        (end, 0.0060, AXIS_M + OUTER_HALF_M),
    )
    for name, side in (("upper", 1), ("lower", -1)):
        z = sorted((AXIS_M + side * (RACE_M + BALL_M + 2e-4), AXIS_M + side * OUTER_HALF_M))
        _box(spec, "slide_outer", "outer", f"{name}_lip", "metal", (begin, -0.0045, z[0]), (end, 0.0045, z[1]))
        _edge(
            spec,
            "slide_outer",
            "outer",
            f"{name}_edge",
            OUTER_M,
            -0.0048,
            AXIS_M + side * (OUTER_HALF_M - 0.0011),
            0.0013,
        )
    _box(spec, "slide", "outer", "post", "post", (-0.130, 0.0065, 0), (-0.040, 0.022, AXIS_M + 0.010))


def _inner(spec: mujoco.MjSpec, parts: SlideParts) -> None:
    """The member between the lips, and a tab that stands up from its end."""
    along = begin, end = parts.rear_m, INNER_M[1]
    face, half = -0.0035, INNER_HALF_M
    _box(
        spec,
        "slide_inner",
        "inner",
        "face",
        "metal",
        (begin, face, AXIS_M - half),
        (end, face + parts.sheet_m, AXIS_M + half),
    )
    for name, side in (("top", 1), ("bottom", -1)):
        z = sorted((AXIS_M + side * half, AXIS_M + side * (half - parts.sheet_m)))
        _box(spec, "slide_inner", "inner", f"{name}_flange", "metal", (begin, face, z[0]), (end, 0.0030, z[1]))
        _edge(spec, "slide_inner", "shape", f"{name}_ridge", along, face, AXIS_M + side * (half - 0.0016), 0.0011)
        _edge(
            spec,
            "slide_inner",
            "shape",
            f"{name}_bead",
            along,
            face + 0.0017,
            AXIS_M + side * (half - 0.0055),
            0.0022,
        )
    for i, at in enumerate(parts.slots_m):
        for name, long, high, proud in (("rim", 0.0065, 0.0036, 1e-4), ("hole", 0.0050, 0.0024, 2e-4)):
            spec.body("slide_inner").add_geom(
                spec.find_default("slide_shape"),
                name=f"slide_{name}_{i}",
                material=f"slide_{name}",
                type=mujoco.mjtGeom.mjGEOM_ELLIPSOID,
                pos=[at, face, AXIS_M],
                size=[long, proud + 3e-4, high],
            )
    (x, up), (wide, above) = TAB_M, parts.tab_m
    _box(
        spec,
        "slide_inner",
        "inner",
        "tab",
        "metal",
        (x - wide, face, AXIS_M - 0.012),
        (x + wide, face + 0.003, up + above),
    )
    spec.body("slide_inner").add_geom(
        spec.find_default("slide_boss"), name="slide_boss", material="slide_lip", size=[0.006, 0, 0], pos=[x, 0, up]
    )


def _balls(spec: mujoco.MjSpec, parts: SlideParts) -> None:
    """Two rows in their cages; the last of the lower row are bodies of their own, each in its pocket."""
    shape, ball = spec.find_default("slide_shape"), spec.find_default("slide_ball")
    low, high = parts.ball_x_m(ROW - 1) - 0.006, parts.ball_x_m(0) + 0.006
    for name, side in (("upper", 1), ("lower", -1)):
        z = AXIS_M + side * RACE_M
        _box(
            spec, "slide_cage", "shape", f"{name}_cage", "cage", (low, -0.0022, z - 0.0010), (high, 0.0022, z + 0.0010)
        )
        for i in range(ROW):
            if side > 0 or i >= FALLING:
                at = [parts.ball_x_m(i), -0.0012, z]
                spec.body("slide_cage").add_geom(
                    shape, name=f"slide_{name}_ball_{i}", material="slide_ball", size=[BALL_M, 0, 0], pos=at
                )
    for i in range(FALLING):
        name = f"slide_ball_{i}"
        body = spec.body(name)
        body.pos = [parts.ball_x_m(i), -0.0012, AXIS_M - RACE_M]
        body.add_geom(ball, name=name, material="slide_ball", size=[BALL_M, 0, 0])


class Race:
    """What guides the inner member and the balls from one moment to the next."""

    def __init__(self, parts: SlideParts, model: mujoco.MjModel):
        self._parts = parts
        self._run = model.joint("slide_run").dofadr[0]
        self._guide = model.equality("slide_on_balls").id
        self._pockets = [model.equality(f"slide_pocket_{i}").id for i in range(parts.broken_pockets)]

    def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Set what holds in the coming step."""
        parts, travel = self._parts, float(data.joint("slide_run").qpos[0])
        model.dof_frictionloss[self._run] = parts.friction_n + parts.wedge_n_m * max(0.0, travel - parts.wedge_at_m)
        if travel > parts.derails_m:
            data.eq_active[self._guide] = 0
        gone = float(data.joint("slide_cage").qpos[0])
        for i, pocket in enumerate(self._pockets):
            if parts.ball_x_m(i) + gone > OUTER_M[1] + BALL_M / 2:
                data.eq_active[pocket] = 0
                model.eq_solref[self._guide, 0] = 0.012 * (i + 1)  # the fewer balls, the looser


@twins.register("slide")
class Slide(Twin):
    """A rail on its post."""

    def build(self, spec: mujoco.MjSpec, fixture: mujoco.MjsBody) -> None:
        pose = self.rng.normal(0, (1.5e-3, 3e-4, 7e-4, 0.003, 0.002, 0.003))  # x, y, z, lean about x and y, turn
        self.parts = sample(self.variant, self.specimen.defect, self.specimen.severity, self.rng)
        child = self.mechanism()
        assemble(child, self.parts)
        child.body("slide").pos = pose[:3]
        mujoco.mju_euler2Quat(child.body("slide").quat, pose[3:], "xyz")
        self.attach(spec, fixture, child)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._race = Race(self.parts, model)

    def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._race.step(model, data)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, float]:
        return truth(data)


def truth(data: mujoco.MjData) -> dict[str, float]:
    """Where inner member and balls are, against the outer member."""
    outer, inner = data.body("slide_outer"), data.body("slide_inner")
    frame = outer.xmat.reshape(3, 3)
    turn = frame.T @ inner.xmat.reshape(3, 3)
    rear = np.array([INNER_M[0], 0, AXIS_M])
    at = frame.T @ (inner.xpos - outer.xpos) + turn @ rear - rear  # how far the rear end has gone
    balls = {f"ball_{i}_m": float(data.body(f"slide_ball_{i}").xpos[2]) for i in range(FALLING)}
    return {
        "travel_m": float(at[0]),
        "sag_m": float(-at[2]),
        "out_m": float(-at[1]),  # to the front
        "tilt_rad": float(np.arccos(np.clip(turn[0, 0], -1, 1))),
        **balls,
    }
