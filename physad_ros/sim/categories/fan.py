"""A fan on a gear motor: dry friction stops it, a rubbing shaft slows it once a turn, an unbalanced blade shakes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import mujoco
import numpy as np

from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim.shapes import blade_mesh
from physad_ros.sim.twin import Twin, twins

NOMINAL_RAD_S = 12.0  # the speed for which defects are sized
CYCLE_S = 3.2  # after which catches come again
MOTOR_MASS_KG = 0.056  # as in fan.xml
HUB_MASS_KG = 0.008  # as in fan.xml, with the shaft
COLOURS = {
    "red": (0.62, 0.03, 0.05),
    "blue": (0.07, 0.28, 0.68),
    "green": (0.10, 0.55, 0.22),
    "yellow": (0.84, 0.58, 0.04),
    "orange": (0.93, 0.36, 0.05),
    "white": (0.60, 0.60, 0.58),
    "purple": (0.42, 0.16, 0.62),
}


@dataclass(frozen=True)
class FanParts:
    """What one fan is made of. Everything that follows is mechanics."""

    colours: tuple[Floats, ...]  # one (3,) a blade, 0 to 1
    hub_colour: Floats  # (3,)
    radius_m: float
    pitch_rad: float  # of the blades at the hub
    turn_rad: float  # angle of the first blade at rest
    blade_mass_kg: float
    added_mass_kg: float  # on the first blade
    friction_nm: float  # of bearing and gears, dry
    drag_nm_s2: float  # of the air: torque over speed squared
    mount_rad_s: tuple[float, float]  # natural frequency of the mount along x and z
    mount_damping: float  # ratio
    speed: float  # of what the motor is commanded: its driver's gain is not exact
    catches_s: tuple[tuple[float, float], ...] = ()  # of each CYCLE_S of running: when the rotor is blocked, how long
    rub: float = 0.0  # by what part the tightest place of a turn slows the rotor
    rub_at_rad: float = 0.0  # where that place is

    @property
    def blades(self) -> int:
        return len(self.colours)

    @property
    def mass_kg(self) -> float:
        """All that the mount carries."""
        return MOTOR_MASS_KG + HUB_MASS_KG + self.blades * self.blade_mass_kg + self.added_mass_kg


def sample(variant: dict[str, Any], defect: str, severity: float, rng: np.random.Generator) -> FanParts:
    """A fan of one object type: normal parts first, so that a defect changes nothing else for the same seed."""
    names = variant.get("colours", ["red"])
    shade = rng.uniform(0.85, 1.1)
    palette = [np.clip(np.array(COLOURS[n]) * shade + rng.normal(0, 0.015, 3), 0, 1) for n in names]
    blades = int(variant.get("blades", 5))
    blade_mass = rng.uniform(1.6e-3, 2.4e-3)
    parts = FanParts(
        colours=tuple(palette[i % len(palette)] for i in range(blades)),
        hub_colour=palette[0] if len(palette) == 1 else np.array(COLOURS[variant.get("hub", "white")]) * shade,
        radius_m=float(variant.get("radius_m", 0.055)) * rng.uniform(0.95, 1.05),
        pitch_rad=rng.uniform(0.6, 0.8),
        turn_rad=rng.uniform(0, 2 * np.pi),
        blade_mass_kg=blade_mass,
        added_mass_kg=blade_mass * rng.uniform(0, 0.06),
        friction_nm=rng.uniform(2e-3, 1.8e-2),
        drag_nm_s2=rng.uniform(0.5e-5, 1.5e-5),
        mount_rad_s=(rng.uniform(140, 200), rng.uniform(180, 260)),
        mount_damping=rng.uniform(0.1, 0.3),
        speed=rng.uniform(0.98, 1.02),
    )
    return parts if defect == NORMAL_LABEL else _DEFECTS[defect](parts, severity, rng)


def _stuck(parts: FanParts, severity: float, rng: np.random.Generator) -> FanParts:
    """Grit gets into the bearing now and then and holds the rotor against all the motor can do."""
    at = rng.uniform(0.75, 1.05)
    catches = []
    while at < CYCLE_S - 0.6:
        lasts = (0.09 + 0.25 * severity) * rng.uniform(0.8, 1.2)
        catches.append((at, lasts))
        at += lasts + rng.uniform(0.35, 0.7) + 0.35 * (1 - severity)
    return replace(parts, catches_s=tuple(catches))


def _uneven(parts: FanParts, severity: float, rng: np.random.Generator) -> FanParts:
    """A bent shaft runs into gummed grease at one place of each turn."""
    return replace(parts, rub=0.12 + 0.43 * severity, rub_at_rad=rng.uniform(0, 2 * np.pi))


def _vibrate(parts: FanParts, severity: float, rng: np.random.Generator) -> FanParts:
    """One blade is heavy and the mount's rubber has gone soft."""
    amplitude_m = 1e-3 * (0.7 + 2.1 * severity)
    heavy = replace(parts, added_mass_kg=rng.uniform(6e-3, 9e-3), mount_damping=rng.uniform(0.05, 0.09))
    # an unbalanced rotor shakes by (m e / M) q / (1 - q) with q = (speed / natural frequency)^2; solved for the latter
    share = amplitude_m * heavy.mass_kg / (heavy.added_mass_kg * blade_centre(parts.radius_m))
    soft = NOMINAL_RAD_S * float(np.sqrt((1 + share) / share))
    return replace(heavy, mount_rad_s=(soft, 1.4 * soft))


_DEFECTS = {"stuck": _stuck, "uneven": _uneven, "vibrate": _vibrate}


def blade_centre(radius_m: float) -> float:
    """Distance of an added mass from the axis [m]: it sticks to the wide part of the blade."""
    return 0.7 * radius_m


def assemble(spec: mujoco.MjSpec, parts: FanParts) -> None:
    """Make the nominal fan of fan.xml one of these parts."""
    rotor, shape = spec.body("fan_rotor"), spec.find_default("fan")
    spec.material("fan_hub").rgba = [*parts.hub_colour, 1]
    vertices, faces = blade_mesh(parts.radius_m, parts.blades, parts.pitch_rad)
    mesh = spec.add_mesh(name="fan_blade", uservert=vertices.ravel(), userface=faces.ravel(), smoothnormal=True)
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL  # the blade is thinner than its mesh is accurate
    for i, colour in enumerate(parts.colours):
        half = (parts.turn_rad + 2 * np.pi * i / parts.blades) / 2
        spec.add_material(name=f"fan_blade_{i}", rgba=[*colour, 1], specular=0.35, shininess=0.45)
        rotor.add_geom(
            shape,
            name=f"fan_blade_{i}",
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname="fan_blade",
            material=f"fan_blade_{i}",
            mass=parts.blade_mass_kg,
            quat=[np.cos(half), 0, np.sin(half), 0],
        )
    reach = blade_centre(parts.radius_m)
    at = [reach * np.cos(parts.turn_rad), 0, -reach * np.sin(parts.turn_rad)]
    rotor.add_geom(shape, name="fan_added", size=[1e-3, 0, 0], pos=at, mass=parts.added_mass_kg, group=4)
    for axis, rate, weight_n in zip("xz", parts.mount_rad_s, (0.0, 9.81 * parts.mass_kg)):
        joint = spec.joint(f"fan_mount_{axis}")
        joint.stiffness = [parts.mass_kg * rate**2, 0, 0]
        joint.damping = [2 * parts.mount_damping * parts.mass_kg * rate, 0, 0]
        joint.springref = weight_n / (parts.mass_kg * rate**2)
    spec.joint("motor").frictionloss = parts.friction_nm
    spec.joint("motor").damping = [0, parts.drag_nm_s2, 0]


def set_gain(parts: FanParts, model: mujoco.MjModel) -> None:
    """The driver takes the motor to turn at what it commands; it turns at ``parts.speed`` times that."""
    model.actuator("motor").gear[0] = 1 / parts.speed


class Bearing:
    """What holds the rotor back from one moment to the next."""

    def __init__(self, parts: FanParts, model: mujoco.MjModel):
        self._parts = parts
        self._dof = model.joint("motor").dofadr[0]
        self._servo = servo = model.actuator("motor").id
        self._stall_nm = float(model.actuator_forcerange[servo, 1])
        # where the grease is thickest the motor gives what its servo asks for, at most its stall torque
        slow = (1 - parts.rub) * NOMINAL_RAD_S
        self._thickest = min(-model.actuator_biasprm[servo, 2] * (NOMINAL_RAD_S - slow), self._stall_nm) / slow
        self._runs_s = 0.0

    def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Set the friction of the coming step."""
        parts, motor = self._parts, data.joint("motor")
        driven = data.ctrl[self._servo] != 0
        self._runs_s = self._runs_s + model.opt.timestep if driven or abs(motor.qvel[0]) > 0.5 else 0.0
        blocked = any(0 <= self._runs_s % CYCLE_S - at < lasts for at, lasts in parts.catches_s)
        model.dof_frictionloss[self._dof] = 8 * self._stall_nm if blocked else parts.friction_nm
        model.dof_damping[self._dof] = self._thickest * max(0.0, np.cos(motor.qpos[0] - parts.rub_at_rad)) ** 2


@twins.register("fan")
class Fan(Twin):
    """A fan on the rig's motor."""

    def build(self, spec: mujoco.MjSpec, fixture: mujoco.MjsBody) -> None:
        pose = self.rng.normal(0, (1.5e-3, 1.5e-3, 0.03))
        self.parts = sample(self.variant, self.specimen.defect, self.specimen.severity, self.rng)
        child = self.mechanism()
        assemble(child, self.parts)
        child.body("fan").pos = [*pose[:2], 0]
        child.body("fan").quat = [np.cos(pose[2] / 2), 0, 0, np.sin(pose[2] / 2)]
        self.attach(spec, fixture, child)

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._bearing = Bearing(self.parts, model)
        set_gain(self.parts, model)

    def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._bearing.step(model, data)

    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, float]:
        motor, x, z = (data.joint(name) for name in ("motor", "fan_mount_x", "fan_mount_z"))
        return {
            "angle_rad": float(motor.qpos[0]),
            "speed_rad_s": float(motor.qvel[0]),
            "mount_x_m": float(x.qpos[0]),
            "mount_z_m": float(z.qpos[0]),
        }
