"""What a simulated twin is: one category's mechanism, how its specimens differ, and what its defects are physically.

To add a category: models/<category>/category.yaml and <category>.xml (MJCF; the mechanism at nominal size, in the object's frame: z up
from the table, origin on it), and one file physad_ros/sim/categories/<category>.py::

    @twins.register("button")
    class Button(Twin):
        def build(self, spec, fixture):
            cap = self.rng.uniform(0.02, 0.03)              # draw what is normal first, in a fixed order ...
            child = self.mechanism()                        # ... the content of <category>.xml
            child.joint("button_cap").frictionloss = 0.1
            if self.specimen.defect == "stuck":             # ... then spoil it: a cause, not its look
                child.joint("button_cap").frictionloss = 5 + 20 * self.specimen.severity
            self.attach(spec, fixture, child)

        def truth(self, model, data):
            return {"cap_m": float(data.joint("button_cap").qpos[0])}

Names in MJCF begin with the category's, so that they do not clash with the rig's. A joint named ``motor`` or ``servo`` is driven by the rig (rig.py
adds its actuator of the same name).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import mujoco
import numpy as np

from physad_ros.core.catalogue import Category
from physad_ros.core.paths import share_dir
from physad_ros.core.registry import Registry
from physad_ros.sim.specimen import Specimen


class Twin(ABC):
    """One specimen of a category, in the scene that is being built or simulated."""

    def __init__(self, category: Category, specimen: Specimen, rng: np.random.Generator):
        self.category = category
        self.specimen = specimen
        self.rng = rng  # for build and reset; Specimen.rng(name) gives further independent streams

    @property
    def variant(self) -> dict[str, object]:
        """What category.yaml says of this object."""
        return self.category.object_named(self.specimen.object).variant

    @abstractmethod
    def build(self, spec: mujoco.MjSpec, fixture: mujoco.MjsFrame) -> None:
        """Put the specimen into the scene, into ``fixture``, the object's frame in the world; its bodies may have free joints."""

    def reset(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:  # noqa: B027  # most have nothing to do
        """Called once the scene is compiled: positions at rest, and what ``step`` needs to know of the model."""

    def step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:  # noqa: B027
        """Called before each physics step, 480 times a second, for causes that MJCF cannot state.

        It may change friction, damping, stiffness, applied forces and whether an equality holds; never positions or velocities.
        ``data.time`` is 0 when the specimen is placed.
        """

    @abstractmethod
    def truth(self, model: mujoco.MjModel, data: mujoco.MjData) -> dict[str, float]:
        """The object's joints as they truly are, names with units. No node but the rig's own debugging topic sees it."""

    def mechanism(self) -> mujoco.MjSpec:
        """models/<category>/<category>.xml, to be varied."""
        return mujoco.MjSpec.from_file(str(self.category.folder / f"{self.category.name}.xml"))

    def servo(self, spec: mujoco.MjSpec, fixture: mujoco.MjsFrame) -> mujoco.MjsBody:
        """Put the rig's servo, on its stand, into the scene; returns its horn, on which a part may be hung."""
        self.attach(spec, fixture, mujoco.MjSpec.from_file(str(share_dir() / "models" / "rig" / "servo.xml")))
        return spec.body("servo_horn")

    @staticmethod
    def attach(spec: mujoco.MjSpec, fixture: mujoco.MjsFrame, child: mujoco.MjSpec) -> None:
        """Hang all that ``child`` holds into the scene, names unchanged."""
        spec.attach(child, prefix="", frame=fixture)


twins: Registry[type[Twin]] = Registry("simulated category", "physad_ros.sim.categories")
