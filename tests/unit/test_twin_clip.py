"""The clip as a mechanism: it must obey the laws of its parts, and each defect must show in what it changes."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim import scene
from physad_ros.sim.categories import clip
from physad_ros.sim.specimen import Specimen

CATEGORY = load_category("clip")
PRESS = CATEGORY.recipe.parameters
TOP_M, DEPTH_M, GUARD_N = PRESS["point_m"][2], PRESS["depth_m"], PRESS["guard_n"]
SEEDS = range(6)


def parts_of(defect: str = NORMAL_LABEL, severity: float = 0.5, seed: int = 0) -> clip.ClipParts:
    variant = CATEGORY.objects[seed % len(CATEGORY.objects)].variant
    return clip.sample(variant, defect, severity, np.random.default_rng(seed))


def on_a_bench(parts: clip.ClipParts, finger: bool = False) -> mujoco.MjModel:
    """The clip, perhaps under a finger as wide as the gripper's that pushes with at most the guard's force."""
    spec = mujoco.MjSpec.from_file(str(CATEGORY.folder / "clip.xml"))
    clip.assemble(spec, parts)
    spec.option.timestep = 1 / 480
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    if finger:
        body = spec.worldbody.add_body(name="finger", pos=[PRESS["point_m"][0], 0, 0], gravcomp=1)
        body.add_joint(name="finger", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, 0, 1])
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.012, 0.008, 0.02], pos=[0, 0, 0.02], mass=1)
        servo = spec.add_actuator(name="finger", target="finger", trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(20000, kv=280)
        servo.forcerange, servo.forcelimited = [-GUARD_N, GUARD_N], True
    return spec.compile()


def jaw_rad(data: mujoco.MjData) -> float:
    return float(data.joint("clip_pivot").qpos[0])


def press(parts: clip.ClipParts) -> dict[str, Floats]:
    """Down in 0.8 s, hold for 0.4 s, up in 0.4 s, rest for 0.4 s; what is true at each step, finger_m included."""
    model = on_a_bench(parts, finger=True)
    data = mujoco.MjData(model)
    data.joint("finger").qpos[0] = TOP_M + 0.02
    rows = []
    for _ in range(960):
        data.ctrl[0] = TOP_M + np.interp(data.time, [0, 0.4, 0.8, 1.2, 1.6], [0.02, 0, -DEPTH_M, -DEPTH_M, 0.02])
        mujoco.mj_step(model, data)
        finger_m, force_n = float(data.joint("finger").qpos[0]), -float(data.actuator_force[0])
        rows.append({"jaw_rad": jaw_rad(data), "finger_m": finger_m, "force_n": force_n})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def opens_rad(trace: dict[str, Floats]) -> float:
    return float(trace["jaw_rad"].max())


def rests_rad(trace: dict[str, Floats]) -> float:
    return float(trace["jaw_rad"][-1])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_normal_clip_opens_wide_and_shuts(seed: int) -> None:
    trace = press(parts_of(seed=seed))
    assert 0.45 < opens_rad(trace) < 0.85  # never against its stop
    assert abs(rests_rad(trace)) < 0.01
    assert abs(trace["jaw_rad"][:100]).max() < 0.01  # shut before it is touched


@pytest.mark.parametrize("seed", SEEDS)
def test_a_normal_press_needs_less_than_half_of_the_guard(seed: int) -> None:
    assert press(parts_of(seed=seed))["force_n"][96:].max() < GUARD_N / 2


@pytest.mark.parametrize("severity", [0.3, 0.65, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_seized_pivot_stops_the_finger_by_force(seed: int, severity: float) -> None:
    parts = parts_of("unable_press", severity, seed)
    trace = press(parts)
    assert opens_rad(trace) < 0.5 * opens_rad(press(parts_of(seed=seed)))
    assert trace["force_n"][96:].max() > 0.99 * GUARD_N
    assert trace["finger_m"].min() > parts.size * TOP_M - 0.45 * DEPTH_M  # a smaller clip is also lower


@pytest.mark.parametrize("severity", [0.3, 0.65, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_without_its_spring_it_opens_but_does_not_shut(seed: int, severity: float) -> None:
    trace = press(parts_of("unable_rebound", severity, seed))
    assert opens_rad(trace) > 0.45
    assert rests_rad(trace) > 0.2
    assert abs(trace["jaw_rad"][:100]).max() < 0.01


def test_it_opens_less_the_more_the_pivot_has_seized() -> None:
    opened = [opens_rad(press(parts_of("unable_press", severity, seed=1))) for severity in (0.0, 0.3, 0.65, 1.0)]
    assert np.all(np.diff(opened) < 0)


def test_it_shuts_less_the_more_of_the_spring_is_gone() -> None:
    rests = [rests_rad(press(parts_of("unable_rebound", severity, seed=1))) for severity in (0.0, 0.3, 0.65, 1.0)]
    assert np.all(np.diff(rests) > 0)


@pytest.mark.parametrize("torque_nm", [0.02, 0.07, 0.09])
def test_the_jaw_stands_where_spring_and_torque_balance(torque_nm: float) -> None:
    parts = replace(parts_of(seed=2), friction_nm=0.0)
    model = on_a_bench(parts)
    data = mujoco.MjData(model)
    data.qfrc_applied[0] = torque_nm
    mujoco.mj_step(model, data, 960)
    weight_nm = 0.004 * 9.81 * 0.002  # the lever's, with its centre of mass near the pivot
    expected = max(torque_nm - parts.preload_nm, 0) / parts.stiffness_nm
    assert jaw_rad(data) == pytest.approx(expected, abs=2e-3 + weight_nm / parts.stiffness_nm)


@pytest.mark.parametrize("seed", SEEDS)
def test_let_go_it_shuts_as_a_damped_spring_does(seed: int) -> None:
    parts = parts_of(seed=seed)
    model = on_a_bench(parts)
    data = mujoco.MjData(model)
    data.joint("clip_pivot").qpos[0] = 0.6
    mujoco.mj_forward(model, data)
    inertia = np.zeros((1, 1))
    mujoco.mj_fullM(model, data, inertia)
    # freely, (0.6 + preload angle) cos(w t) comes down to the preload angle
    ahead = parts.preload_nm / parts.stiffness_nm
    free_s = np.arccos(ahead / (0.6 + ahead)) * np.sqrt(inertia[0, 0] / parts.stiffness_nm)
    while jaw_rad(data) > 0 and data.time < 1:
        mujoco.mj_step(model, data)
    assert free_s < data.time < 0.12


def test_the_stops_hold_against_the_whole_guard() -> None:
    parts = parts_of("unable_press", 0.5)
    model = on_a_bench(parts)
    data = mujoco.MjData(model)
    data.qfrc_applied[0] = GUARD_N * 0.03
    mujoco.mj_step(model, data, 480)
    assert 0 < jaw_rad(data) - parts.opens_rad < 0.08  # plastic bends


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_a_seed_is_a_trace(label: str) -> None:
    one, same, other = (press(parts_of(label, seed=seed)) for seed in (0, 0, 3))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["jaw_rad"], other["jaw_rad"])


@pytest.mark.parametrize("defect", CATEGORY.defects)
def test_a_defect_cannot_be_told_from_the_look_of_the_clip(defect: str) -> None:
    broken, whole = parts_of(defect, seed=5), parts_of(seed=5)
    assert broken.size == whole.size
    assert broken.colour.tolist() == whole.colour.tolist()


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_on_the_rig_it_stays_shut_and_tells_its_true_state(label: str) -> None:
    stage = scene.build(Specimen("clip", "clip_1", label, 0.5, 7))
    assert stage.twin is not None
    mujoco.mj_step(stage.model, stage.data, 240)
    truth = stage.twin.truth(stage.model, stage.data)
    assert truth["jaw_rad"] == jaw_rad(stage.data)
    assert abs(truth["jaw_rad"]) < 0.01 and abs(truth["jaw_rad_s"]) < 0.01


def test_shut_it_lies_on_the_table_with_its_beaks_together() -> None:
    parts = parts_of(seed=4)
    model = on_a_bench(parts)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    corners = {mesh: _corners(model, data, mesh) for mesh in range(model.nmesh)}
    everything = np.concatenate(list(corners.values()))
    assert 0 <= everything[:, 2].min() < 1e-3
    assert np.ptp(everything[:, 0]) == pytest.approx(0.058 * parts.size, rel=0.02)
    upper, lower = (corners[model.mesh(f"{body}_beak").id] for body in ("clip_upper", "clip"))
    assert upper[upper[:, 0].argmax(), 2] - lower[lower[:, 0].argmax(), 2] < 0.005
    assert upper[:, 2].min() > lower[:, 2].min()


def _corners(model: mujoco.MjModel, data: mujoco.MjData, mesh: int) -> Floats:
    begin, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
    geom = int(np.flatnonzero(model.geom_dataid == mesh)[0])
    local = np.asarray(model.mesh_vert[begin : begin + count], dtype=float)
    return local @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]


def test_a_lever_s_mass_goes_with_its_volume_and_its_radius_of_gyration_with_its_length() -> None:
    def lever(**changes: float) -> tuple[float, Floats]:
        body = on_a_bench(replace(parts_of(), **{"size": 1.0, "density": 1.0, **changes})).body("clip_upper")
        return float(body.mass[0]), np.sqrt(body.inertia / body.mass)

    (mass, radius), (large, wide), (heavy, same) = lever(), lever(size=1.1), lever(density=1.2)
    assert (large, heavy) == pytest.approx((1.331 * mass, 1.2 * mass))
    np.testing.assert_allclose(wide, 1.1 * radius)
    np.testing.assert_allclose(same, radius)
