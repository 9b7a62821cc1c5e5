"""The simulated rig obeys mechanics: kinematics, gravity, energy, friction, and the limits of its motors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mujoco
import numpy as np
import pytest
import yaml

from physad_ros.core.catalogue import SEARCH_PATH_VARIABLE
from physad_ros.core.errors import UnknownName
from physad_ros.core.paths import share_dir
from physad_ros.core.types import Floats, Grip, Move, Program, Wait
from physad_ros.motion import trajectory, ur5
from physad_ros.sim import scene
from physad_ros.sim.controllers import Handle, Status, TrajectoryGoal
from physad_ros.sim.devices import Mode
from physad_ros.sim.player import Failed, play
from physad_ros.sim.rig import STEP_S, Rig
from physad_ros.sim.specimen import Specimen
from physad_ros.sim.twin import Twin, twins

SMALL = (64, 36)
G = 9.81
BLOCK_MASS_KG, BLOCK_WIDTH_M = 0.2, 0.02
LOAD_NM = 0.3  # on the shaft of ``geared``: more than the motor has

MODELS = {
    "flag": "",  # on the rig's own servo
    "block": f"""<mujoco><worldbody><body name="block" pos="0 0 0.03"><freejoint name="block"/>
        <geom type="box" size="0.01 {BLOCK_WIDTH_M / 2} 0.03" mass="{BLOCK_MASS_KG}"/></body></worldbody></mujoco>""",
    "pillar": """<mujoco><worldbody><body name="pillar"><geom type="box" size="0.02 0.02 0.05" pos="0 0 0.05"/></body></worldbody></mujoco>""",
    "swing": """<mujoco><worldbody><body name="swing" pos="0 0 0.5"><joint name="swing" axis="0 1 0"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.01" mass="0.3" contype="0" conaffinity="0"/></body></worldbody></mujoco>""",
    "shaft": """<mujoco><worldbody><body name="shaft" pos="0 0 0.2"><joint name="motor" axis="0 -1 0" armature="1e-4"/>
        <geom type="cylinder" size="0.03 0.005" mass="0.02" contype="0" conaffinity="0"/></body></worldbody></mujoco>""",
}


def _twin(name: str) -> type[Twin]:
    class Bare(Twin):
        def build(self, spec: mujoco.MjSpec, fixture: mujoco.MjsFrame) -> None:
            if name == "flag":
                self.servo(spec, fixture).add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.03, 0.001, 0.02], mass=0.005)
            else:
                self.attach(spec, fixture, mujoco.MjSpec.from_string(MODELS[name]))

        def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
            if self.specimen.defect == "loaded":
                data.joint("motor").qfrc_applied[0] = -LOAD_NM

        def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, float]:
            return {f"q{i}": float(q) for i, q in enumerate(data.qpos[8:])}

    return Bare


@pytest.fixture(autouse=True)
def bench(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Test objects as a user's own categories."""
    root = _folders(tmp_path_factory)
    monkeypatch.setenv(SEARCH_PATH_VARIABLE, str(root))
    for name in MODELS:
        if name not in twins:
            twins.register(name)(_twin(name))
    yield
    for name in MODELS:
        twins._members.pop(name)


def _folders(factory: pytest.TempPathFactory) -> Path:
    root = factory.mktemp("categories")
    for name in MODELS:
        (root / name).mkdir()
        (root / name / "category.yaml").write_text(yaml.safe_dump({
            "name": name, "title": name, "frames": 30, "objects": [{"name": "one"}], "defects": {"loaded": "it brakes"},
            "fixture": {"position_m": [0.5, 0, 0]}, "prior": "mechanics", "recipe": {"interaction": "press"},
            "camera": {"position_m": [0.5, -0.5, 0.1], "target_m": [0.5, 0, 0.05], "fovy_deg": 20},
        }))  # fmt: skip
    return root


def rig_with(name: str, defect: str = "anomaly_free") -> Rig:
    return Rig(SMALL, Specimen(name, "one", defect, 0.0, 0))


def run(rig: Rig, seconds: float) -> None:
    for _ in range(round(seconds / STEP_S)):
        rig.step()


def above(x: float, y: float, z: float, seed: Floats = ur5.HOME) -> Floats:
    """The arm pointing straight down with its fingertips at a point; fingers open along y."""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = x, y, z
    return ur5.nearest(pose, seed)


def go(rig: Rig, goal: Floats, speed: float = 0.5) -> Handle:
    at = rig.joint_state().positions_rad
    move = trajectory.to_joints("test", at, goal, speed=speed)
    handle = rig.trajectory.send(TrajectoryGoal.of(move, 0.0), rig.time_s)
    run(rig, move.duration_s + 0.1)
    return handle


def test_mjcf_and_motion_agree_on_where_the_tool_is() -> None:
    built = scene.build(None)
    for q in np.random.default_rng(0).uniform(-np.pi, np.pi, (50, 6)):
        built.data.qpos[:6] = q
        mujoco.mj_kinematics(built.model, built.data)
        for site, expected in (("tool0", ur5.forward(q)), ("tcp", ur5.forward_tcp(q))):
            assert np.abs(built.data.site(site).xpos - expected[:3, 3]).max() < 1e-6
            assert np.abs(built.data.site(site).xmat.reshape(3, 3) - expected[:3, :3]).max() < 1e-6


def test_the_arm_follows_a_fast_motion_closely_and_stays_put_otherwise() -> None:
    rig = Rig(SMALL)
    run(rig, 0.5)
    assert np.abs(rig.joint_state().positions_rad - ur5.HOME).max() < 1e-5  # gravity does not pull it down
    goal = above(0.6, 0.2, 0.15)
    move = trajectory.to_joints("test", ur5.HOME, goal, speed=1.0)
    handle = rig.trajectory.send(TrajectoryGoal.of(move, 0.0), rig.time_s)
    begin = rig.time_s
    worst = 0.0
    while not handle.done:
        rig.step()
        expected = trajectory.sample(move, rig.time_s - begin)[0]
        worst = max(worst, float(np.abs(rig.joint_state().positions_rad - expected).max()))
    assert worst < 2e-3
    assert handle.status is Status.SUCCEEDED


def test_free_fall_obeys_g() -> None:
    rig = rig_with("block")
    rig.data.joint("block").qpos[2] = 1.0
    mujoco.mj_forward(rig.model, rig.data)
    run(rig, 0.2)
    fallen = 1.0 - rig.data.joint("block").qpos[2]
    assert fallen == pytest.approx(G * 0.2**2 / 2, rel=0.02)


def test_a_pendulum_keeps_its_energy() -> None:
    rig = rig_with("swing")
    rig.data.joint("swing").qpos[0] = 1.0
    rig.model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    mujoco.mj_forward(rig.model, rig.data)
    angles = []
    for _ in range(round(3 / STEP_S)):
        rig.step()
        angles.append(float(rig.data.joint("swing").qpos[0]))
    late = np.abs(angles[-480:]).max()
    assert late == pytest.approx(1.0, rel=0.02)


def test_the_force_sensor_weighs() -> None:
    rig = Rig(SMALL)
    go(rig, above(0.5, 0.0, 0.3))
    rig.tare()
    mass = 0.8
    rig.data.xfrc_applied[rig.model.body("gripper").id, 2] = -mass * G
    readings = []
    for _ in range(480):
        rig.step()
        readings.append(rig.wrench())
    force, torque = np.mean(readings[240:], axis=0)[:3], np.mean(readings[240:], axis=0)[3:]
    assert force[2] == pytest.approx(mass * G, rel=0.02)  # tool0's z points down here
    assert np.abs(force[:2]).max() < 0.02 * mass * G
    lever = rig.data.body("gripper").xipos - rig.data.site("tool0").xpos
    assert np.abs(torque - np.cross([lever[0], -lever[1], -lever[2]], force)).max() < 0.01


def test_turning_the_tool_does_not_change_the_wrench() -> None:
    rig = Rig(SMALL)
    go(rig, ur5.HOME + np.array([0, 0, 0, 0.8, 0.5, 0.3]))
    run(rig, 0.3)
    assert np.abs(rig.wrench()[:3]).max() < 0.3


def test_the_gripper_stands_still_where_it_was_sent() -> None:
    rig = Rig(SMALL)
    for opening_m in (0.02, 0.05, 0.03):
        handle = rig.gripper.send(opening_m, 0.0)
        run(rig, 0.6)
        state = rig.joint_state()
        assert handle.reached_goal and not handle.stalled
        assert state.opening_m == pytest.approx(opening_m, abs=1e-4) and abs(state.opening_m_s) < 1e-3


@pytest.mark.parametrize("effort_n", [10.0, 25.0])
def test_the_gripper_stalls_on_a_block_with_the_force_asked_for_and_lifts_it(effort_n: float) -> None:
    rig = rig_with("block")
    go(rig, above(0.5, 0.0, 0.1))
    go(rig, above(0.5, 0.0, 0.02), speed=0.2)
    handle = rig.gripper.send(0.0, effort_n)
    run(rig, 0.8)
    state = rig.joint_state()
    assert handle.stalled and handle.status is Status.SUCCEEDED
    assert state.opening_m == pytest.approx(BLOCK_WIDTH_M, abs=5e-4)
    assert _pressure_n(rig, "finger_left") == pytest.approx(effort_n, rel=0.05)
    rig.tare()
    go(rig, above(0.5, 0.0, 0.15), speed=0.2)
    run(rig, 0.5)
    assert rig.truth()["q2"] == pytest.approx(0.03 + 0.13, abs=2e-3)  # held by friction, nothing else
    assert np.linalg.norm(rig.wrench()[:3]) == pytest.approx(BLOCK_MASS_KG * G, rel=0.1)
    rig.gripper.send(0.04, 20.0)
    run(rig, 0.6)
    assert rig.truth()["q2"] < 0.05


def _pressure_n(rig: Rig, geom: str) -> float:
    """Normal force on a geom."""
    total, force = 0.0, np.zeros(6)
    for i in range(rig.data.ncon):
        contact = rig.data.contact[i]
        if rig.model.geom(geom).id in (contact.geom1, contact.geom2):
            mujoco.mj_contactForce(rig.model, rig.data, i, force)
            total += force[0]
    return total


def test_the_motor_reaches_its_velocity_and_stalls_at_its_torque() -> None:
    free, loaded = rig_with("shaft"), rig_with("shaft", "loaded")
    for rig in (free, loaded):
        rig.motors["motor"].command(Mode.VELOCITY, 12.0)
        run(rig, 1.0)
    limit = scene.SERVOS["motor"].torque_max_nm
    assert free.motor_state()["motor"].velocity_rad_s == pytest.approx(12.0, rel=0.01)
    assert loaded.motor_state()["motor"].torque_nm == pytest.approx(limit, rel=1e-6)
    assert loaded.motor_state()["motor"].velocity_rad_s < 0


@pytest.mark.parametrize(("category", "name"), [("shaft", "motor"), ("flag", "servo")])
def test_a_servo_goes_to_an_angle(category: str, name: str) -> None:
    rig = rig_with(category)
    for angle in (1.2, -0.7):
        rig.motors[name].command(Mode.POSITION, angle)
        run(rig, 1.0)
        assert rig.motor_state()[name].position_rad == pytest.approx(angle, abs=0.01)


def test_a_released_motor_gives_no_torque() -> None:
    rig = rig_with("shaft")
    rig.motors["motor"].command(Mode.VELOCITY, 5.0)
    run(rig, 0.5)
    rig.motors["motor"].command(Mode.RELEASE, 0.0)
    run(rig, 0.5)
    assert rig.motor_state()["motor"].torque_nm == 0.0
    assert rig.motor_state()["motor"].velocity_rad_s == pytest.approx(5.0, rel=0.01)  # nothing brakes it


def test_another_specimen_leaves_arm_and_clock_as_they_are() -> None:
    rig = rig_with("block")
    go(rig, above(0.4, 0.1, 0.3))
    time_s, state = rig.time_s, rig.joint_state()
    rig.place(Specimen("shaft", "one", "anomaly_free", 0.0, 0))
    run(rig, 0.05)
    assert rig.time_s == pytest.approx(time_s + 0.05)
    assert np.abs(rig.joint_state().positions_rad - state.positions_rad).max() < 1e-4
    assert set(rig.motors) == {"motor"} and rig.data.time == pytest.approx(0.05)


def test_a_specimen_that_is_not_there_changes_nothing() -> None:
    rig = rig_with("block")
    model = rig.model
    for specimen in (Specimen("block", "two", "anomaly_free", 0, 0), Specimen("block", "one", "torn", 0, 0)):
        with pytest.raises(UnknownName, match="known"):
            rig.place(specimen)
    assert rig.model is model
    run(rig, 0.01)


def program(*steps: Move | Grip | Wait) -> Program:
    frames = round(60 * sum(s.duration_s for s in steps) - 0.5)
    return Program("pillar", "one", "test", steps, 0.0, frames)


def test_a_guarded_motion_stops_on_what_is_hard_and_the_timetable_does_not_slip() -> None:
    rig = rig_with("pillar")
    go(rig, above(0.5, 0.0, 0.13))
    rig.gripper.send(0.0, 20)
    run(rig, 0.7)
    at = rig.joint_state().positions_rad
    down = trajectory.line("press", at, np.array([0, 0, -0.06]), duration_s=1.0)
    down = Move(down.phase, down.times_s, down.positions_rad, down.velocities_rad_s, guard_n=30.0)
    up = trajectory.line("release", down.positions_rad[-1], np.array([0, 0, 0.06]), duration_s=1.0)
    heights, begin = [], rig.time_s

    def note(stamp_s: float, picture: object) -> None:
        heights.append(float(rig.data.site("tcp").xpos[2]))

    clip = play(program(down, Wait("hold", 0.5), up, Wait("rest", 0.2)), rig, look=False, on_frame=note)
    tip = np.array(heights)
    force = np.linalg.norm(clip.signals.wrench[:, :3] - clip.signals.wrench[0, :3], axis=1)
    assert tip.min() == pytest.approx(0.1, abs=2e-3)  # the pillar's top; the plan would have gone 3 cm into it
    assert 10 < force.max() < 60
    assert np.ptp(tip[65:85]) < 1e-4  # holds where it stopped
    assert tip[-1] == pytest.approx(0.13, abs=1e-3)
    assert rig.time_s - begin == pytest.approx(2.7, abs=2 / 60)


def test_a_grip_that_closes_on_nothing_is_a_fault() -> None:
    rig = rig_with("pillar")
    with pytest.raises(Failed, match="closed on nothing"):
        play(program(Grip("grip", 0.8, 0.0, 20.0, holds=True), Wait("rest", 0.1)), rig, look=False)


def test_a_stopped_robot_is_noticed() -> None:
    rig = rig_with("pillar")
    rig.trajectory.stopped = True
    move = trajectory.to_joints("approach", ur5.HOME, ur5.HOME + 0.1)
    with pytest.raises(Failed, match="approach: the robot did not end in time"):
        play(program(move, Wait("rest", 0.1)), rig, look=False)


def test_the_rig_keeps_to_a_dense_jacobian_however_many_parts_lie_on_it():
    """MuJoCo 4.0.0 can compute wrong accelerations with a sparse one, its own choice from 60 degrees of freedom on."""
    spec = mujoco.MjSpec.from_file(str(share_dir() / "models" / "rig" / "rig.xml"))
    for number in range(12):
        part = spec.worldbody.add_body(pos=[0.4, 0, 0.1 * number])
        part.add_freejoint()
        part.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.02, 0, 0])
    model = spec.compile()
    assert model.nv > 60 and not mujoco.mj_isSparse(model)
