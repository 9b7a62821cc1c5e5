"""The hinge as a mechanism: it must obey the laws of its parts, and each defect must show in what it changes."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim import scene
from physad_ros.sim.categories import hinge
from physad_ros.sim.rig import Rig
from physad_ros.sim.specimen import Specimen

CATEGORY = load_category("hinge")
TURN_RAD = -CATEGORY.recipe.parameters["angle_rad"]
PUSH_NM = CATEGORY.recipe.parameters["guard_n"] * CATEGORY.recipe.parameters["grip_m"][0]
SEEDS = range(5)
SEVERITIES = (0.0, 0.35, 1.0)


def parts_of(defect: str = NORMAL_LABEL, severity: float = 0.5, seed: int = 0) -> hinge.HingeParts:
    variant = CATEGORY.objects[seed % len(CATEGORY.objects)].variant
    return hinge.sample(variant, defect, severity, np.random.default_rng(seed))


class Bench:
    """A hinge on its post over a table, with nothing that holds it but its own parts."""

    def __init__(self, parts: hinge.HingeParts):
        spec = mujoco.MjSpec.from_file(str(CATEGORY.folder / "hinge.xml"))
        hinge.assemble(spec, parts)
        spec.option.timestep = 1 / scene.STEP_HZ
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[1, 1, 0.1])
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.pin = hinge.Pin(parts, self.model)
        self.leaf = self.model.body("hinge_leaf").id

    def step(self, torque_nm: float = 0.0) -> dict[str, float]:
        """One step with a torque on the leaf that opens it."""
        self.data.xfrc_applied[self.leaf, 5] = -torque_nm
        self.pin.step(self.data)
        mujoco.mj_step(self.model, self.data)
        return hinge.truth(self.data)

    def spin(self, rate_rad_s: float) -> None:
        """Leaf and pin hole turn at this rate."""
        self.data.joint("hinge_turn").qvel[0] = rate_rad_s
        self.data.joint("hinge_leaf").qvel[2] = -rate_rad_s

    @property
    def inertia(self) -> float:
        """Of all that turns, about the axis."""
        body = self.model.body("hinge_leaf")
        turn = np.empty(9)
        mujoco.mju_quat2Mat(turn, body.iquat)
        about_centre = (turn.reshape(3, 3) * body.inertia) @ turn.reshape(3, 3).T
        armatures = self.model.joint("hinge_turn").armature[0] + self.model.joint("hinge_leaf").armature[0]
        ghost = self.model.body("hinge_turn").inertia[2]
        return float(about_centre[2, 2] + body.mass[0] * (body.ipos[0] ** 2 + body.ipos[1] ** 2) + armatures + ghost)


def carry(parts: hinge.HingeParts, steps: int = 1200) -> dict[str, Floats]:
    """Out in 1 s, hold, back in 1 s by a springy hand that pushes no harder than the guard lets the arm, and not in the air."""
    bench = Bench(parts)
    on_pin = bench.model.equality("hinge_on_pin").id
    rows, angle, before = [], 0.0, 0.0
    for _ in range(steps):
        goal = TURN_RAD * np.interp(bench.data.time, [0, 1, 1.5, 2.5], [0, 1, 1, 0])
        rate = (angle - before) * scene.STEP_HZ
        push = float(np.clip(2 * (goal - angle) - 0.02 * rate, -PUSH_NM, PUSH_NM))
        rows.append(bench.step(push if bench.data.eq_active[on_pin] else 0.0))
        before, angle = angle, rows[-1]["angle_rad"]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_normal_leaf_follows_the_hand_both_ways_and_stays_on_its_pin(seed: int) -> None:
    trace = carry(parts_of(seed=seed))
    assert trace["angle_rad"].max() == pytest.approx(TURN_RAD, abs=0.02)
    assert abs(trace["angle_rad"][-1]) < 0.02
    assert trace["leaf_off_m"].max() < 2e-4
    assert abs(trace["pin_drop_m"]).max() < 1e-3
    assert trace["tilt_rad"].max() < 2e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_left_alone_it_is_slowed_by_its_pin_only(seed: int) -> None:
    parts = parts_of(seed=seed)
    bench = Bench(parts)
    start, lasts_s = 6.0, 0.05
    bench.spin(start)
    for _ in range(round(lasts_s * scene.STEP_HZ)):
        bench.step()
    dry, wet = parts.friction_nm / bench.inertia, parts.damping_nm_s / bench.inertia
    expected = (start + dry / wet) * np.exp(-wet * lasts_s) - dry / wet
    assert float(bench.data.joint("hinge_turn").qvel[0]) == pytest.approx(expected, abs=0.04 * (start - expected))


@pytest.mark.parametrize("share, moves", [(0.7, False), (1.5, True)])
def test_a_torque_below_the_pins_friction_does_not_turn_it(share: float, moves: bool) -> None:
    parts = parts_of(seed=1)
    bench = Bench(parts)
    for _ in range(240):
        truth = bench.step(share * parts.friction_nm)
    assert (truth["angle_rad"] > 0.1) is moves


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_limited_leaf_stops_at_its_stop(seed: int, severity: float) -> None:
    parts = parts_of("angle_limited", severity, seed)
    trace = carry(parts)
    assert parts.stop_rad - 0.005 < trace["angle_rad"].max() < parts.stop_rad + 0.03
    assert trace["angle_rad"].max() < 0.75 * TURN_RAD
    assert trace["leaf_off_m"].max() < 5e-4
    assert abs(trace["angle_rad"][-1]) < 0.04  # it comes back


def test_it_stops_earlier_the_worse_it_is() -> None:
    reached = [carry(parts_of("angle_limited", s, seed=2))["angle_rad"].max() for s in SEVERITIES]
    assert np.all(np.diff(reached) < -0.1)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_without_its_pin_the_leaf_comes_off(seed: int, severity: float) -> None:
    parts = parts_of("falloff", severity, seed)
    trace = carry(parts)
    out = parts.height_m + hinge.PIN_OUT_M - parts.span_m(1)[0]  # of the leaf's last knuckle
    leaves = int(np.flatnonzero(trace["pin_drop_m"] > out)[0])
    assert trace["leaf_off_m"][: leaves - 2].max() < 5e-4
    assert trace["leaf_off_m"].max() > 0.02
    assert trace["pin_drop_m"].max() > parts.height_m


def test_the_pin_lets_go_earlier_the_worse_it_is() -> None:
    let_go = [np.flatnonzero(carry(parts_of("falloff", s, seed=2))["pin_drop_m"] > 2e-3)[0] for s in SEVERITIES]
    assert np.all(np.diff(let_go) < -10)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pin_falls_by_its_weight_less_its_friction(seed: int) -> None:
    parts = replace(parts_of(seed=seed), lets_go_rad=-1.0)
    bench = Bench(parts)
    drop = np.array([bench.step()["pin_drop_m"] for _ in range(round(0.12 * scene.STEP_HZ))])
    fallen = drop[-1] - drop[0]
    t = (len(drop) - 1) / scene.STEP_HZ
    speed = (drop[1] - drop[0]) * scene.STEP_HZ
    expected = speed * t + 0.5 * (1 - parts.loose_fit) * hinge.GRAVITY_M_S2 * t**2
    assert fallen == pytest.approx(expected, rel=0.06)


def test_out_of_its_bore_the_pin_falls_free() -> None:
    parts = replace(parts_of(seed=3), lets_go_rad=-1.0)
    bench = Bench(parts)
    rates = []
    while len(rates) < 300:
        bench.step()
        if not bench.data.eq_active[bench.model.equality("hinge_in_bore").id]:
            rates.append(float(bench.data.body("hinge_pin").cvel[5]))
        if len(rates) == 5:
            break
    fall = np.diff(rates) * scene.STEP_HZ
    assert fall == pytest.approx(-hinge.GRAVITY_M_S2, rel=0.02)


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_a_seed_is_a_trace(label: str) -> None:
    one, same, other = (carry(parts_of(label, seed=seed), 600) for seed in (0, 0, 3))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["angle_rad"], other["angle_rad"])


@pytest.mark.parametrize("defect", CATEGORY.defects)
def test_a_defect_cannot_be_told_from_the_look_of_the_hinge(defect: str) -> None:
    broken, whole = parts_of(defect, seed=5), parts_of(seed=5)
    same = replace(broken, stop_rad=whole.stop_rad, lets_go_rad=whole.lets_go_rad, colour=whole.colour)
    assert broken.colour.tolist() == whole.colour.tolist()
    assert same == replace(whole, colour=same.colour)


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_on_the_rig_it_stands_still_and_tells_its_true_state(label: str) -> None:
    rig = Rig(specimen=Specimen("hinge", "hinge_1", label, 0.5, 7))
    for _ in range(240):
        rig.step()
    truth = rig.truth()
    assert truth == hinge.truth(rig.data)
    assert abs(truth["angle_rad"]) < 0.02 and truth["leaf_off_m"] < 2e-4 and abs(truth["pin_drop_m"]) < 1e-3
