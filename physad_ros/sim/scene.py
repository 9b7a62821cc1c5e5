"""The whole rig with one specimen on it, compiled; and the eye that sees it."""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import dataclass
from typing import Final

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Camera, Category, load_category
from physad_ros.core.errors import PhysadError, why
from physad_ros.core.paths import share_dir
from physad_ros.core.types import Floats
from physad_ros.sim.specimen import Specimen, stream
from physad_ros.sim.twin import Twin, twins

STEP_HZ: Final = 480  # physics; a whole number of steps a frame
FIXTURE: Final = "fixture"
_UNSEEN_GROUP: Final = 5  # of geoms; the eye draws 0 to 2

_HARMLESS: Final = "Attaching a spec with an empty prefix"  # true of models that are written to XML again; these are not

Size = tuple[int, int]  # width, height in pixels


@dataclass(frozen=True)
class Servo:
    """What drives a joint of the rig's motor or servo."""

    gain_nm_s: float  # torque for a velocity that is off by 1 rad/s
    torque_max_nm: float


CHANNELS: Final = ("left", "right")  # of the lights
SERVOS: Final = {"motor": Servo(0.05, 0.15), "servo": Servo(0.05, 0.18)}


@dataclass(frozen=True)
class Look:
    """How the picture differs from one day to the next."""

    camera_shift_m: Floats  # (3,)
    target_shift_m: Floats  # (3,)
    zoom: float
    gains: dict[str, float]  # of the lights, by channel
    tint: Floats  # (3,) colour of the light

    @classmethod
    def of(cls, seed: int) -> Look:
        """Small, and following from the seed."""
        rng = stream(seed, "look")
        warm = rng.uniform(-0.03, 0.03)
        return cls(
            camera_shift_m=rng.normal(0, 0.002, 3),
            target_shift_m=rng.normal(0, 0.001, 3),
            zoom=float(rng.uniform(0.985, 1.015)),
            gains={channel: float(rng.uniform(0.9, 1.1)) for channel in CHANNELS},
            tint=np.array([1 + warm, 1.0, 1 - warm]),
        )


@dataclass(frozen=True)
class Scene:
    """A compiled rig. ``twin`` and ``specimen`` are None where nothing lies on the fixture."""

    model: mujoco.MjModel
    data: mujoco.MjData
    category: Category
    specimen: Specimen | None
    twin: Twin | None
    look: Look
    size: Size
    groups: NDArray[np.int32]  # of the geoms as built; the eye changes the model's


def build(specimen: Specimen | None, size: Size = (640, 360), category: str | None = None) -> Scene:
    """Compile the rig with ``specimen``; with None, the empty rig as it stands ready for ``category``.

    Raises:
        UnknownName: a category, object or defect that is not there.
        BadData: a category.yaml that cannot be used.
    """
    data = load_category(specimen.category if specimen else category or "clip")
    look = Look.of(specimen.seed if specimen else 0)
    spec = mujoco.MjSpec.from_file(str(share_dir() / "models" / "rig" / "rig.xml"))
    spec.option.timestep = 1 / STEP_HZ  # not a decimal fraction, so not in the file
    spec.visual.global_.offwidth, spec.visual.global_.offheight = size
    _add_camera(spec, data.camera, look)
    half_yaw = data.fixture.yaw_rad / 2
    fixture = spec.worldbody.add_frame(
        name=FIXTURE, pos=data.fixture.position_m, quat=[np.cos(half_yaw), 0, 0, np.sin(half_yaw)]
    )
    twin = _put(spec, fixture, data, specimen) if specimen else None
    for name, servo in SERVOS.items():
        if spec.joint(name) is not None:
            _drive(spec, name, servo)
    model = _compile(spec)
    scene = Scene(model, mujoco.MjData(model), data, specimen, twin, look, size, model.geom_group.copy())
    if twin:
        twin.reset(model, scene.data)
    return scene


def _compile(spec: mujoco.MjSpec) -> mujoco.MjModel:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _HARMLESS)
        return spec.compile()


def _warn(text: str) -> None:
    """MuJoCo's warnings go to Python's log; left alone it writes a file into whatever folder one is in."""
    if _HARMLESS not in text:
        logging.getLogger("mujoco").warning(text)


mujoco.set_mju_user_warning(_warn)


def _put(spec: mujoco.MjSpec, fixture: mujoco.MjsFrame, category: Category, specimen: Specimen) -> Twin:
    category.check_label(specimen.defect)
    category.object_named(specimen.object)
    twin = twins[category.name](category, specimen, specimen.rng("twin"))
    twin.build(spec, fixture)
    return twin


def _drive(spec: mujoco.MjSpec, joint: str, servo: Servo) -> None:
    actuator = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_velocity(servo.gain_nm_s)
    actuator.forcerange, actuator.forcelimited = [-servo.torque_max_nm, servo.torque_max_nm], True


def _add_camera(spec: mujoco.MjSpec, camera: Camera, look: Look) -> None:
    at = np.array(camera.position_m) + look.camera_shift_m
    back = at - (np.array(camera.target_m) + look.target_shift_m)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    turn = np.column_stack([right, np.cross(back, right), back])
    quat = np.empty(4)
    mujoco.mju_mat2Quat(quat, turn.ravel())
    body = spec.worldbody.add_body(name="camera", pos=at, quat=quat)
    body.add_camera(name="camera", fovy=camera.fovy_deg * look.zoom)
    # what an onlooker sees of it: lens and housing behind the point of view
    lens, housing = {"size": [0.014, 0.02, 0], "pos": [0, 0, 0.022]}, {"size": [0.02, 0.02, 0.028], "pos": [0, 0, 0.07]}
    for kind, shape in ((mujoco.mjtGeom.mjGEOM_CYLINDER, lens), (mujoco.mjtGeom.mjGEOM_BOX, housing)):
        body.add_geom(type=kind, material="bar_black", contype=0, conaffinity=0, **shape)


class Eye:
    """Draws what the scene's camera sees. Belongs to the thread that made it, as OpenGL does."""

    def __init__(self, scene: Scene):
        width, height = scene.size
        try:
            self._renderer = mujoco.Renderer(scene.model, height, width, max_geom=1000)
        except (ImportError, RuntimeError, AttributeError, mujoco.FatalError) as error:
            raise PhysadError(
                f"cannot draw pictures with MUJOCO_GL={os.environ.get('MUJOCO_GL')}: {why(error)}; "
                "install libegl1, and import physad_ros.sim before mujoco"
            ) from error
        flags = self._renderer.scene.flags
        for flag in (mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_SKYBOX, mujoco.mjtRndFlag.mjRND_HAZE):
            flags[flag] = False
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [1, 1, 1, 0, 0, 0]
        self._option.sitegroup[:] = 0
        self._scene = scene

    def see(self, camera: str = "camera") -> NDArray[np.uint8]:
        """The picture (H, W, 3) BGR."""
        self._leave_out_what_is_beside(camera)
        self._renderer.update_scene(self._scene.data, camera, self._option)
        return np.asarray(cv2.cvtColor(self._renderer.render(), cv2.COLOR_RGB2BGR), dtype=np.uint8)

    def _leave_out_what_is_beside(self, camera: str) -> None:
        """MuJoCo draws everything there is; most of the arm is out of sight and would take a quarter of the time."""
        model, data = self._scene.model, self._scene.data
        eye = model.camera(camera).id
        x, y, z = (data.cam_xmat[eye].reshape(3, 3).T @ (data.geom_xpos - data.cam_xpos[eye]).T)  # (3, G); z points backwards
        tan_y = np.tan(np.deg2rad(model.cam_fovy[eye]) / 2)
        tan_x = tan_y * self._scene.size[0] / self._scene.size[1]
        beside = [np.abs(p) + z * t > model.geom_rbound * np.hypot(1, t) for p, t in ((x, tan_x), (y, tan_y))]
        hidden = (beside[0] | beside[1]) & (model.geom_rbound > 0)  # a plane has no bound
        model.geom_group[:] = np.where(hidden, _UNSEEN_GROUP, self._scene.groups)

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._renderer.close()
