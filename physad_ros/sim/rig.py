"""The simulated rig in operation: place a specimen, give goals and commands, step, look. One thread only (OpenGL's)."""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np

from physad_ros.core.types import FPS, Floats
from physad_ros.motion import gripper, ur5
from physad_ros.sim import scene
from physad_ros.sim.controllers import TrajectoryController
from physad_ros.sim.devices import Lights, Motor
from physad_ros.sim.gripping import GripperController
from physad_ros.sim.readings import Frame, JointState, MotorState, frame_stamp_ns
from physad_ros.sim.sensors import Picture, Wrench
from physad_ros.sim.specimen import Specimen

STEP_S: Final = 1 / scene.STEP_HZ
STEPS_PER_FRAME: Final = round(scene.STEP_HZ / FPS)


class Rig:
    """Arm, gripper, motor, lights and camera, with one specimen or none on the fixture.

    ``trajectory`` and ``gripper`` take goals, ``motors`` and ``lights`` commands. The clock starts at 0 and never goes back; a new
    specimen is put down while everything else stays as it is.
    """

    def __init__(self, size: scene.Size = (640, 360), specimen: Specimen | None = None, category: str | None = None):
        self.size = size
        self.steps = 0
        self.placed_s = 0.0  # when the present specimen was put down
        self.trajectory = TrajectoryController(ur5.HOME)
        self.gripper = GripperController(gripper.OPENING_MAX_M)
        self.lights = Lights(scene.CHANNELS, 0.8)
        self.motors: dict[str, Motor] = {}
        self.stalled_camera = False  # fault: no picture comes any more
        self.frozen_camera = False  # fault: the same picture comes again and again
        self._picture: Picture | None = None
        self._scene: scene.Scene | None = None
        self.place(specimen, category)

    # -- the operator's hand ------------------------------------------------------------------------------------------

    def place(self, specimen: Specimen | None, category: str | None = None) -> None:
        """Put a specimen down in place of what lies there; with None clear the fixture (camera as ``category`` wants it).

        Raises:
            UnknownName: a category, object or defect that is not there; the rig stays as it was.
        """
        before = self._scene
        if specimen is None and category is None and before is not None:
            category = before.category.name
        new = scene.build(specimen, self.size, category)
        self._index(new.model)
        arm, width = (ur5.HOME, gripper.OPENING_MAX_M) if before is None else self._posture(before)
        new.data.qpos[self._arm_qpos], new.data.qpos[self._finger_qpos] = arm, width / 2
        self._close_eye()
        self._scene, self.placed_s = new, self.time_s
        self.model, self.data = new.model, new.data
        self.motors = {name: Motor() for name in self._servos}
        self._actuate()
        mujoco.mj_forward(self.model, self.data)
        self._wrench = Wrench(self.model, self.data, new.specimen.seed if new.specimen else 0)

    def _posture(self, old: scene.Scene) -> tuple[Floats, float]:
        arm = np.array([old.data.joint(name).qpos[0] for name in ur5.JOINTS])
        return arm, float(sum(old.data.joint(name).qpos[0] for name in ("finger_left", "finger_right")))

    def _index(self, model: mujoco.MjModel) -> None:
        joints = [model.joint(name) for name in ur5.JOINTS]
        self._arm_qpos = np.array([j.qposadr[0] for j in joints])
        self._arm_dof = np.array([j.dofadr[0] for j in joints])
        self._arm_act = np.array([model.actuator(name).id for name in ur5.JOINTS])
        fingers = [model.joint(name) for name in ("finger_left", "finger_right")]
        self._finger_qpos = np.array([j.qposadr[0] for j in fingers])
        self._finger_dof = np.array([j.dofadr[0] for j in fingers])
        self._grip_act = model.actuator("gripper").id
        self._acceleration, self._torque, self._velocity = np.zeros(model.nv), np.zeros(model.nv), np.zeros(6)
        self._stiffness = model.actuator_gainprm[self._arm_act, 0]
        # a position servo with velocity fed forward: force = kp (q* + kv/kp v* - q) - kv v
        # where q is taken at a step's beginning and q* meant for its end
        self._feed_s = -model.actuator_biasprm[self._arm_act, 2] / self._stiffness - STEP_S
        self._servos = {
            name: (model.joint(name).qposadr[0], model.joint(name).dofadr[0], model.actuator(name).id)
            for name in scene.SERVOS
            if mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) >= 0
        }

    # -- time -----------------------------------------------------------------------------------------------------------

    @property
    def scene(self) -> scene.Scene:
        """What is compiled at present."""
        assert self._scene is not None
        return self._scene

    @property
    def time_s(self) -> float:
        """The rig's clock."""
        return self.steps / scene.STEP_HZ

    def step(self) -> None:
        """Let one physics step of STEP_S pass: controllers, the specimen's own causes, mechanics."""
        self._actuate()
        if self.scene.twin:
            self.scene.twin.step(self.model, self.data)
        mujoco.mj_step(self.model, self.data)
        self.steps += 1
        self.lights.update(STEP_S)
        self._wrench.update(self.data)

    def _actuate(self) -> None:
        data, model = self.data, self.model
        q, v = self.trajectory.update(STEP_S, data.qpos[self._arm_qpos], data.qvel[self._arm_dof])
        data.ctrl[self._arm_act] = q + self._feed_s * v + self._inertia_nm(v) / self._stiffness
        opening, rate = float(data.qpos[self._finger_qpos].sum()), float(data.qvel[self._finger_dof].sum())
        data.ctrl[self._grip_act] = self.gripper.update(STEP_S, opening, rate)
        model.actuator_forcerange[self._grip_act] = -self.gripper.effort_n, self.gripper.effort_n
        for name, motor in self.motors.items():
            at, _, servo = self._servos[name]
            velocity = motor.update(self.time_s, float(data.qpos[at]))
            gain = 0.0 if velocity is None else scene.SERVOS[name].gain_nm_s
            model.actuator_gainprm[servo, 0], model.actuator_biasprm[servo, 2] = gain, -gain
            data.ctrl[servo] = velocity or 0.0

    def _inertia_nm(self, velocities_rad_s: Floats) -> Floats:
        """Torque (6,) that it takes to follow the setpoint's acceleration; the robot's own controller feeds it forward too."""
        self._acceleration[self._arm_dof] = (velocities_rad_s - self._velocity) / STEP_S
        self._velocity = velocities_rad_s
        mujoco.mj_mulM(self.model, self.data, self._torque, self._acceleration)
        return np.asarray(self._torque[self._arm_dof] + self.data.qfrc_bias[self._arm_dof] - self.data.qfrc_gravcomp[self._arm_dof])

    # -- what it reports ------------------------------------------------------------------------------------------------

    def joint_state(self) -> JointState:
        """Arm and gripper."""
        data = self.data
        return JointState(
            data.qpos[self._arm_qpos].copy(),
            data.qvel[self._arm_dof].copy(),
            data.actuator_force[self._arm_act].copy(),
            float(data.qpos[self._finger_qpos].sum()),
            float(data.qvel[self._finger_dof].sum()),
            float(data.actuator_force[self._grip_act]),
        )

    def wrench(self) -> Floats:
        """Force [N] and torque [N m] (6,) that the surroundings exert on the tool, in tool0; weight of the gripper compensated, tared."""
        return self._wrench.value

    def tare(self) -> None:
        """Make the present wrench zero, as the driver's zero_ftsensor does."""
        self._wrench.tare()

    def motor_state(self) -> dict[str, MotorState]:
        """Of the motors that the specimen's category needs, by name."""
        d = self.data
        return {
            name: MotorState(float(d.qpos[at]), float(d.qvel[dof]), float(d.actuator_force[servo]))
            for name, (at, dof, servo) in self._servos.items()
        }

    def light_state(self) -> dict[str, float]:
        """Brightness by channel, 0 to 1."""
        return dict(self.lights.levels)

    def truth(self) -> dict[str, float]:
        """The specimen's joints as they truly are; for debugging and tests, never for a judgement."""
        return self.scene.twin.truth(self.model, self.data) if self.scene.twin else {}

    # -- camera -----------------------------------------------------------------------------------------------------------

    @property
    def frame_due(self) -> bool:
        """Whether the camera exposes a frame at this very step."""
        return self.steps % STEPS_PER_FRAME == 0 and not self.stalled_camera

    @property
    def frame_stamp_s(self) -> float:
        """Exposure of the frame that is due."""
        return frame_stamp_ns(self.steps // STEPS_PER_FRAME) * 1e-9

    def render(self) -> Frame:
        """The frame that is due; call only then."""
        if not self.frame_due:
            raise ValueError("no frame is due at this step")
        k = self.steps // STEPS_PER_FRAME
        if self._picture is None:
            self._picture = Picture(self.scene)
        if not self.frozen_camera:
            self._picture.take(k, self.lights.levels)
        return Frame(frame_stamp_ns(k), self._picture.last)

    def _close_eye(self) -> None:
        if self._picture is not None:
            self._picture.close()
            self._picture = None

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._close_eye()

