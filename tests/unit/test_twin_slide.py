"""The drawer rail as a mechanism: it must obey the laws of its parts, and each defect must show in what it changes."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.sim import scene
from physad_ros.sim.categories import slide
from physad_ros.sim.rig import Rig
from physad_ros.sim.specimen import Specimen

CATEGORY = load_category("slide")
TRAVEL_M = CATEGORY.recipe.parameters["travel_m"]
GUARD_N = CATEGORY.recipe.parameters["guard_n"]
IN_RACE_M = slide.AXIS_M - slide.RACE_M  # height of the lower row
GRAVITY_M_S2 = 9.81
SEEDS = range(5)
SEVERITIES = (0.0, 0.5, 1.0)


def parts_of(defect: str = NORMAL_LABEL, severity: float = 0.5, seed: int = 0) -> slide.SlideParts:
    variant = CATEGORY.objects[seed % len(CATEGORY.objects)].variant
    return slide.sample(variant, defect, severity, np.random.default_rng(seed))


class Bench:
    """A rail over a table; with a hand, something holds its boss as fingers do and pushes no harder than the guard lets the arm."""

    def __init__(self, parts: slide.SlideParts, hand: bool = True):
        spec = mujoco.MjSpec.from_file(str(CATEGORY.folder / "slide.xml"))
        slide.assemble(spec, parts)
        spec.option.timestep = 1 / scene.STEP_HZ
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[1, 1, 0.1])
        if hand:
            _add_hand(spec)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.race = slide.Race(parts, self.model)

    def step(self, goal_m: float = 0.0) -> dict[str, float]:
        """One step with the hand on its way to ``goal_m``."""
        self.data.ctrl[:] = goal_m
        self.race.step(self.model, self.data)
        mujoco.mj_step(self.model, self.data)
        return slide.truth(self.data)


def _add_hand(spec: mujoco.MjSpec) -> None:
    x, z = slide.TAB_M
    body = spec.worldbody.add_body(name="hand", pos=[x, 0, z], gravcomp=1)
    body.add_joint(name="hand", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.005, 0, 0], mass=1, contype=0, conaffinity=0)
    body.add_site(name="hand")
    spec.body("slide_inner").add_site(name="held", pos=[x, 0, z])
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_CONNECT, objtype=mujoco.mjtObj.mjOBJ_SITE, name1="hand", name2="held", solref=[0.005, 1]
    )
    servo = spec.add_actuator(name="hand", target="hand", trntype=mujoco.mjtTrn.mjTRN_JOINT)
    servo.set_to_position(20000, kv=280)
    servo.forcerange, servo.forcelimited = [-GUARD_N, GUARD_N], True


def pull(parts: slide.SlideParts, steps: int = 960, out_s: float = 0.7) -> dict[str, Floats]:
    """Out in ``out_s``, hold, back in 0.7 s, rest; what is true at each step."""
    bench = Bench(parts)
    rows = []
    for _ in range(steps):
        goal = TRAVEL_M * np.interp(bench.data.time, [0, out_s, out_s + 0.3, out_s + 1], [0, 1, 1, 0])
        rows.append({**bench.step(float(goal)), "cage_m": float(bench.data.joint("slide_cage").qpos[0])})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def fallen(trace: dict[str, Floats]) -> int:
    return sum(trace[f"ball_{i}_m"][-1] < 0.5 * IN_RACE_M for i in range(slide.FALLING))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_normal_rail_goes_straight_out_and_back_with_all_its_balls(seed: int) -> None:
    trace = pull(parts_of(seed=seed))
    assert trace["travel_m"].max() == pytest.approx(TRAVEL_M, abs=2e-3)
    assert abs(trace["travel_m"][-1]) < 2e-3
    assert abs(trace["sag_m"]).max() < 5e-4 and abs(trace["out_m"]).max() < 5e-4
    assert trace["tilt_rad"].max() < 2e-3
    balls = np.stack([trace[f"ball_{i}_m"] for i in range(slide.FALLING)])
    assert abs(balls - IN_RACE_M).max() < 5e-4


def test_balls_roll_so_their_cage_goes_half_the_way() -> None:
    trace = pull(parts_of(seed=1))
    assert trace["cage_m"] == pytest.approx(trace["travel_m"] / 2, abs=3e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_left_alone_it_is_slowed_by_its_friction_only(seed: int) -> None:
    parts = parts_of(seed=seed)
    bench = Bench(parts, hand=False)
    start, lasts_s = 0.6, 0.04
    for joint in ("slide_run", "slide_inner_x", *(f"slide_ball_{i}_x" for i in range(slide.FALLING)), "slide_cage"):
        bench.data.joint(joint).qvel[0] = start if joint in ("slide_run", "slide_inner_x") else start / 2
    for _ in range(round(lasts_s * scene.STEP_HZ)):
        bench.step()
    whole = sum(float(bench.model.body(name).mass[0]) for name in ("slide_inner", "slide_run"))
    half = sum(
        float(bench.model.body(name).mass[0]) for name in ("slide_cage", "slide_ball_0", "slide_ball_1", "slide_ball_2")
    )
    mass = whole + half / 4  # what goes half as fast counts a quarter
    dry, wet = parts.friction_n / mass, parts.damping_n_s_m / mass
    expected = (start + dry / wet) * np.exp(-wet * lasts_s) - dry / wet
    assert float(bench.data.joint("slide_run").qvel[0]) == pytest.approx(expected, abs=0.05 * (start - expected))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_jammed_rail_stops_where_the_wedge_takes_all_that_the_hand_gives(seed: int, severity: float) -> None:
    parts = parts_of("jam", severity, seed)
    expected = parts.wedge_at_m + (GUARD_N - parts.friction_n) / parts.wedge_n_m
    trace = pull(parts, 1200, out_s=2.5)  # slow, so that the hand's momentum does not drive it in
    assert trace["travel_m"].max() == pytest.approx(expected, abs=1e-3)
    assert trace["travel_m"].max() < 0.7 * TRAVEL_M


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_derailed_rail_is_straight_until_it_lets_go_and_crooked_from_then_on(seed: int, severity: float) -> None:
    parts = parts_of("derailment", severity, seed)
    trace = pull(parts)
    lets_go = np.flatnonzero(trace["travel_m"] > parts.derails_m)[0]
    assert trace["tilt_rad"][:lets_go].max() < 2e-3
    assert trace["tilt_rad"][-1] > 0.03
    assert 0.004 < trace["sag_m"][-1] < 0.012  # it lies on the outer member's lip


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_balls_without_pocket_fall_where_the_lip_ends(seed: int, severity: float) -> None:
    parts = parts_of("ball_drop", severity, seed)
    trace = pull(parts)
    assert fallen(trace) == parts.broken_pockets >= 1
    for i in range(parts.broken_pockets):
        falls = np.flatnonzero(trace[f"ball_{i}_m"] < IN_RACE_M - 1e-3)[0]
        assert parts.ball_x_m(i) + trace["cage_m"][falls] > slide.OUTER_M[1]
        assert trace[f"ball_{i}_m"][-1] == pytest.approx(slide.BALL_M, abs=3e-4)  # on the table
    assert trace["travel_m"].max() > 0.95 * TRAVEL_M


def test_a_ball_falls_freely_and_bounces() -> None:
    height = pull(parts_of("ball_drop", 0.0, seed=2))["ball_0_m"]
    begin = int(np.flatnonzero(height < IN_RACE_M - 2e-3)[0])
    lands = begin + int(np.flatnonzero(height[begin:] < slide.BALL_M + 1e-3)[0])
    fall = np.diff(height[begin:lands], 2) * scene.STEP_HZ**2
    assert lands - begin > 20
    assert fall == pytest.approx(-GRAVITY_M_S2, rel=0.02)
    assert height[lands + 5 :].max() > slide.BALL_M + 2e-3


@pytest.mark.parametrize(
    "defect, quantity, sign",
    [
        ("jam", lambda t: t["travel_m"].max(), -1),
        ("ball_drop", fallen, 1),
        ("derailment", lambda t: np.argmax(t["tilt_rad"] > 0.01), -1),
    ],
)
def test_more_severe_is_worse(defect: str, quantity: object, sign: int) -> None:
    assert callable(quantity)
    assert np.all(sign * np.diff([quantity(pull(parts_of(defect, s, seed=4))) for s in SEVERITIES]) > 0)


def test_with_fewer_balls_it_is_looser() -> None:
    tilts = [pull(parts_of("ball_drop", s, seed=1))["tilt_rad"].max() for s in SEVERITIES]
    assert pull(parts_of(seed=1))["tilt_rad"].max() < tilts[0] < tilts[1] < tilts[2] < 0.02


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_a_seed_is_a_trace(label: str) -> None:
    one, same, other = (pull(parts_of(label, seed=seed), 480) for seed in (0, 0, 3))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["travel_m"], other["travel_m"])


@pytest.mark.parametrize("defect", CATEGORY.defects)
def test_a_defect_cannot_be_told_from_the_look_of_the_rail(defect: str) -> None:
    broken, whole = parts_of(defect, seed=5), parts_of(seed=5)
    mended = replace(broken, wedge_at_m=np.inf, wedge_n_m=0.0, derails_m=np.inf, broken_pockets=0, colour=whole.colour)
    assert broken.colour.tolist() == whole.colour.tolist()
    assert mended == whole


@pytest.mark.parametrize("label", CATEGORY.labels)
def test_on_the_rig_it_stands_still_and_tells_its_true_state(label: str) -> None:
    rig = Rig(specimen=Specimen("slide", "slide_1", label, 0.5, 7))
    for _ in range(240):
        rig.step()
    truth = rig.truth()
    assert truth == slide.truth(rig.data)
    assert abs(truth["travel_m"]) < 1e-3 and abs(truth["sag_m"]) < 5e-4 and truth["tilt_rad"] < 2e-3
    assert truth["ball_0_m"] == pytest.approx(IN_RACE_M, abs=3e-3)


def test_a_longer_rail_is_heavier_in_proportion_and_a_wider_tab_too() -> None:
    def mass_kg(**changes: float | tuple[float, float]) -> float:
        return float(Bench(replace(parts_of(), **changes), hand=False).model.body("slide_inner").mass[0])

    short, nominal, long = (mass_kg(rear_m=slide.INNER_M[0] - more) for more in (-0.006, 0.0, 0.006))
    assert long - nominal == pytest.approx(nominal - short) and long > 1.02 * nominal
    assert mass_kg(tab_m=(0.0088, 0.012)) > mass_kg(tab_m=(0.0072, 0.012))
