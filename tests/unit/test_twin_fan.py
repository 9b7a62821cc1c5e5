"""The fan as a mechanism: it must obey the laws of its parts, and each defect must show in what it changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim import scene
from physad_ros.sim.categories import fan
from physad_ros.sim.shapes import blade_mesh
from physad_ros.sim.specimen import Specimen

CATEGORY = load_category("fan")
STALL_NM = 0.15
SEEDS = range(6)


def parts_of(defect: str = NORMAL_LABEL, severity: float = 0.5, seed: int = 0) -> fan.FanParts:
    variant = CATEGORY.objects[seed % len(CATEGORY.objects)].variant
    return fan.sample(variant, defect, severity, np.random.default_rng(seed))


def on_a_bench(parts: fan.FanParts, gain: float = 0.05) -> mujoco.MjModel:
    """The fan with a velocity servo of limited torque."""
    spec = mujoco.MjSpec.from_file(str(CATEGORY.folder / "fan.xml"))
    fan.assemble(spec, parts)
    spec.option.timestep = 1 / 480
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    servo = spec.add_actuator(name="motor", target="motor", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    servo.set_to_velocity(gain)
    servo.forcerange, servo.forcelimited = [-STALL_NM, STALL_NM], True
    return spec.compile()


def state(data: mujoco.MjData) -> dict[str, float]:
    motor, x, z = (data.joint(name) for name in ("motor", "fan_mount_x", "fan_mount_z"))
    at = {"angle_rad": motor.qpos[0], "speed_rad_s": motor.qvel[0], "mount_x_m": x.qpos[0], "mount_z_m": z.qpos[0]}
    return {name: float(value) for name, value in at.items()}


def drive(parts: fan.FanParts, seconds: float = 2.5) -> dict[str, Floats]:
    """Spin up in 0.5 s and keep on; what is true at each step, torque_nm included."""
    model = on_a_bench(parts)
    data, bearing = mujoco.MjData(model), fan.Bearing(parts, model)
    fan.set_gain(parts, model)
    rows = []
    for _ in range(round(seconds * 480)):
        data.ctrl[0] = fan.NOMINAL_RAD_S * min(1.0, data.time / 0.5)
        bearing.step(model, data)
        mujoco.mj_step(model, data)
        rows.append({**state(data), "torque_nm": float(data.actuator_force[0])})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def running(trace: dict[str, Floats], name: str) -> Floats:
    return trace[name][360:]


def ripple(trace: dict[str, Floats]) -> float:
    return float(np.ptp(running(trace, "speed_rad_s"))) / fan.NOMINAL_RAD_S


def stopped_s(trace: dict[str, Floats]) -> float:
    return float((running(trace, "speed_rad_s") < 0.5).sum()) / 480


def shaking_m(trace: dict[str, Floats]) -> float:
    return float(np.ptp(trace["mount_x_m"][720:])) / 2


SHOWS = {"stuck": stopped_s, "uneven": ripple, "vibrate": shaking_m}


def test_every_defect_of_the_catalogue_has_a_cause() -> None:
    assert set(SHOWS) == set(CATEGORY.defects)
    assert all(repr(parts_of(defect)) != repr(parts_of()) for defect in CATEGORY.defects)


@pytest.mark.parametrize("defect", CATEGORY.defects)
def test_a_slight_defect_shows_beyond_the_spread_of_normals(defect: str) -> None:
    show = SHOWS[defect]
    normals = [show(drive(parts_of(seed=seed), 2.0)) for seed in SEEDS]
    slight = [show(drive(parts_of(defect, 0.3, seed), 2.0)) for seed in SEEDS]
    assert min(slight) > 3 * max(normals) + {"stuck": 0.05, "uneven": 0.05, "vibrate": 4e-4}[defect]


@pytest.mark.parametrize("defect", CATEGORY.defects)
def test_it_shows_more_with_severity(defect: str) -> None:
    shown = [SHOWS[defect](drive(parts_of(defect, severity, seed=3), 3.0)) for severity in (0.0, 0.3, 0.65, 1.0)]
    assert np.all(np.diff(shown) > 0)


@pytest.mark.parametrize("defect", ["uneven", "vibrate"])
def test_what_does_not_block_the_rotor_does_not_stop_it(defect: str) -> None:
    assert running(drive(parts_of(defect, 1.0, seed=2)), "speed_rad_s").min() > 3.0


def test_an_unbalanced_fan_keeps_its_speed() -> None:
    assert ripple(drive(parts_of("vibrate", 1.0))) < 0.03


def test_a_caught_rotor_stands_still_against_all_the_motor_can_do() -> None:
    parts = parts_of("stuck", 1.0)
    trace = drive(parts)
    still = trace["speed_rad_s"] < 0.1
    assert np.allclose(trace["torque_nm"][still & (trace["torque_nm"] > 0.12)], STALL_NM)
    begin, lasts = parts.catches_s[0]
    caught = slice(round((begin + 0.08) * 480), round((begin + lasts) * 480) - 10)
    assert np.ptp(trace["angle_rad"][caught]) < 0.02
    assert trace["speed_rad_s"][round((begin + lasts + 0.15) * 480)] > 11  # and goes on afterwards


def test_a_fan_that_catches_does_so_each_time_it_runs() -> None:
    parts = parts_of("stuck", 0.5)
    model = on_a_bench(parts)
    data, bearing = mujoco.MjData(model), fan.Bearing(parts, model)
    speeds: list[list[float]] = [[], []]
    for run in speeds:
        for i in range(960):
            data.ctrl[0] = fan.NOMINAL_RAD_S if i < 720 else 0.0
            bearing.step(model, data)
            mujoco.mj_step(model, data)
            run.append(data.joint("motor").qvel[0])
    stops = [np.flatnonzero(np.array(speed[240:720]) < 0.5) for speed in speeds]
    assert min(map(len, stops)) > 40
    assert abs(stops[0][0] - stops[1][0]) < 10


@pytest.mark.parametrize("severity", [0.2, 0.6, 1.0])
def test_shaking_follows_the_law_of_the_unbalanced_rotor(severity: float) -> None:
    parts = parts_of("vibrate", severity, seed=1)
    q = (fan.NOMINAL_RAD_S / parts.mount_rad_s[0]) ** 2
    moment = parts.added_mass_kg * fan.blade_centre(parts.radius_m)
    damped = np.hypot(1 - q, 2 * parts.mount_damping * np.sqrt(q))
    assert shaking_m(drive(parts, 4.0)) == pytest.approx(moment / parts.mass_kg * q / damped, rel=0.1)


def test_the_mass_that_the_mount_is_sized_for_is_the_mass_it_carries() -> None:
    parts = parts_of("vibrate")
    model = on_a_bench(parts)
    assert model.body_subtreemass[model.body("fan_mount").id] == pytest.approx(parts.mass_kg, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mount_does_not_sag(seed: int) -> None:
    model = on_a_bench(parts_of("vibrate", 1.0, seed))
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, 240)
    assert abs(state(data)["mount_z_m"]) < 1e-5


def test_coasting_down_loses_just_what_friction_and_air_take() -> None:
    parts = replace(parts_of(), friction_nm=1e-3, drag_nm_s2=2e-5, mount_rad_s=(900.0, 900.0))
    model = on_a_bench(replace(parts, added_mass_kg=0.0), gain=0.0)
    data, turns = mujoco.MjData(model), model.joint("motor").dofadr[0]
    data.joint("motor").qvel[0] = fan.NOMINAL_RAD_S
    mujoco.mj_forward(model, data)
    inertia = model.dof_armature[turns] + model.body_inertia[model.body("fan_rotor").id].max()
    # J dw/dt = -(friction + drag w^2), so w(t) is a tangent
    root = np.sqrt(parts.friction_nm / parts.drag_nm_s2)
    rate = np.sqrt(parts.friction_nm * parts.drag_nm_s2) / inertia
    start = np.arctan(fan.NOMINAL_RAD_S / root)
    for _ in range(96):
        mujoco.mj_step(model, data)
        expected = root * np.tan(max(start - rate * data.time, 0.0))
        assert data.joint("motor").qvel[0] == pytest.approx(expected, abs=0.12)


def test_the_tightest_place_stays_where_it_is_on_the_turn() -> None:
    parts = parts_of("uneven", 0.8)
    trace = drive(parts, 3.5)
    angle, speed = running(trace, "angle_rad"), running(trace, "speed_rad_s")
    slowest = np.array([(angle[turn])[speed[turn].argmin()] for turn in _turns(angle - parts.rub_at_rad)])
    assert len(slowest) >= 3
    assert abs(np.angle(np.exp(1j * (slowest - parts.rub_at_rad)))).max() < 0.6


def _turns(angle: Floats) -> list[Floats]:
    """Indices of each whole turn, begun half a turn from 0."""
    turn = np.floor((angle - np.pi) / (2 * np.pi))
    return [np.flatnonzero(turn == k) for k in np.unique(turn)[1:-1]]


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_a_seed_is_a_trace(label: str) -> None:
    one, same, other = (drive(parts_of(label, seed=seed), 1.0) for seed in (0, 0, 3))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["speed_rad_s"], other["speed_rad_s"])


@pytest.mark.parametrize("defect", CATEGORY.defects)
def test_a_defect_cannot_be_told_from_the_look_of_the_fan(defect: str) -> None:
    def look(parts: fan.FanParts) -> tuple[object, ...]:
        colours = np.array([parts.hub_colour, *parts.colours]).tolist()
        return colours, parts.radius_m, parts.pitch_rad, parts.turn_rad

    assert look(parts_of(defect, seed=5)) == look(parts_of(seed=5))


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_on_the_rig_it_runs_and_tells_its_true_state(label: str) -> None:
    stage = scene.build(Specimen("fan", "fan_1", label, 0.5, 7))
    assert stage.twin is not None
    for _ in range(240):
        stage.data.actuator("motor").ctrl[0] = fan.NOMINAL_RAD_S
        stage.twin.step(stage.model, stage.data)
        mujoco.mj_step(stage.model, stage.data)
    truth = stage.twin.truth(stage.model, stage.data)
    assert truth == state(stage.data)
    assert truth["speed_rad_s"] > 5 and truth["angle_rad"] > 3


@settings(max_examples=20, deadline=None)
@given(radius_m=st.floats(0.03, 0.09), blades=st.integers(2, 8), pitch_rad=st.floats(0.2, 1.0))
def test_a_blade_is_a_closed_surface_within_its_radius(radius_m: float, blades: int, pitch_rad: float) -> None:
    vertices, faces = blade_mesh(radius_m, blades, pitch_rad)
    edges = Counter(tuple(edge) for face in faces for edge in zip(face, np.roll(face, -1)))
    assert set(edges.values()) == {1}  # each edge once in each direction: closed, and all faces turned the same way
    assert all((b, a) in edges for a, b in edges)
    assert np.linalg.norm(vertices[:, [0, 2]], axis=1).max() < 1.1 * radius_m


@pytest.mark.parametrize("speed", [0.98, 1.02])
def test_a_motor_whose_gain_is_off_turns_so_much_slower_or_faster(speed: float) -> None:
    free = replace(parts_of(), speed=speed, friction_nm=0.0, drag_nm_s2=0.0, added_mass_kg=0.0)
    assert running(drive(free), "speed_rad_s")[-120:].mean() == pytest.approx(speed * fan.NOMINAL_RAD_S, rel=2e-3)
