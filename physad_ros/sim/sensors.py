"""Camera and force sensor. What they report is not quite what is: there is noise, and the gripper's weight is taken off."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

from physad_ros.sim.scene import CHANNELS, Eye, Scene
from physad_ros.sim.specimen import stream

_MARGIN_PX = 61  # by how much the noise pattern is moved about


class Picture:
    """The scene's camera with its sensor's noise. A real picture never comes twice, so a frozen one can be told."""

    NOISE_SIGMA = 1.3  # grey levels of 255
    BRIGHTNESS = 0.5  # diffuse light of each of a channel's two lamps at level 1

    def __init__(self, scene: Scene):
        self._eye = Eye(scene)
        self._scene = scene
        names = [scene.model.light(i).name for i in range(scene.model.nlight)]
        self._lamps = {c: [i for i, name in enumerate(names) if name.startswith(f"{c}_")] for c in CHANNELS}
        width, height = scene.size
        self._seed = scene.specimen.seed if scene.specimen else 0
        shape = (height + _MARGIN_PX, width + _MARGIN_PX, 3)
        # drawn once and cut at another place each frame: fresh noise would take longer than the picture
        self._noise = np.rint(stream(self._seed, "noise").normal(0, self.NOISE_SIGMA, shape)).astype(np.int8)
        self.last: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)

    def take(self, k: int, levels: Mapping[str, float]) -> None:
        """Expose frame k, with the lights at these levels, into ``last``, a new array."""
        self._shine(levels)
        height, width = self.last.shape[:2]
        u = (k * 2654435761 + self._seed) & 0xFFFFFFFF
        y, x = u % _MARGIN_PX, (u >> 8) % _MARGIN_PX
        self.last = np.asarray(cv2.add(self._eye.see(), self._noise[y : y + height, x : x + width], dtype=cv2.CV_8U))

    def _shine(self, levels: Mapping[str, float]) -> None:
        model, look = self._scene.model, self._scene.look
        for channel, lamps in self._lamps.items():
            light = self.BRIGHTNESS * levels[channel] * look.gains[channel] * look.tint
            model.light_diffuse[lamps], model.light_specular[lamps], model.light_ambient[lamps] = light, 0.6 * light, 0.02 * light
            model.material(f"bar_{channel}").emission = levels[channel]

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._eye.close()


class Wrench:
    """The force sensor at tool0. Like the robot's, it takes the gripper's known weight off, whichever way the tool points."""

    NOISE_N, NOISE_NM = 0.05, 0.002
    _NOISES = 997

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, seed: int):
        self._site = model.site("tool0").id
        self._body = model.body("gripper").id
        self._weight = float(model.body_subtreemass[self._body]) * model.opt.gravity  # (3,) N
        self._model = model
        self._force = model.sensor("tool_force").adr[0]
        self._torque = model.sensor("tool_torque").adr[0]
        sigma = [self.NOISE_N] * 3 + [self.NOISE_NM] * 3
        self._noise = stream(seed, "wrench").normal(0, sigma, (self._NOISES, 6))
        self._step = 0
        self._zero = np.zeros(6)
        self.value = np.zeros(6)
        self.update(data)
        self.tare()

    def update(self, data: mujoco.MjData) -> None:
        """Read the sensor after a step."""
        turn = data.site_xmat[self._site].reshape(3, 3)
        weight = turn.T @ self._weight
        arm = turn.T @ (data.subtree_com[self._body] - data.site_xpos[self._site])
        # MuJoCo's sensor says what holds the tool; that is against all that pulls at it
        force = -data.sensordata[self._force : self._force + 3] - weight
        torque = -data.sensordata[self._torque : self._torque + 3] - np.cross(arm, weight)
        self._step += 1
        self._raw = np.concatenate([force, torque]) + self._noise[self._step % self._NOISES]
        self.value = self._raw - self._zero

    def tare(self) -> None:
        """Call the present reading zero."""
        self._zero = self._raw.copy()
        self.value = np.zeros(6)
