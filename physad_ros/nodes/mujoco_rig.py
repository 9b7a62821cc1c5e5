"""The simulated rig: physics and pictures in lockstep with /clock, behind the same names that a real rig has."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from physad_msgs.msg import LightLevels, MotorCommand
from physad_msgs.srv import PlaceSpecimen
from physad_ros.core.errors import PhysadError, UnknownName, why
from physad_ros.nodes import convert, parameters
from physad_ros.nodes.base import Adapter
from physad_ros.nodes.light import levels_of
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.rig_actions import GripperServer, TrajectoryServer
from physad_ros.nodes.rig_topics import RigTopics
from physad_ros.nodes.run import main as run
from physad_ros.nodes.sim_thread import SimThread
from physad_ros.nodes.waiting import result
from physad_ros.sim.devices import Mode, Motor
from physad_ros.sim.readings import JointState
from physad_ros.sim.rig import Rig
from physad_ros.sim.specimen import Specimen, random_specimen


@dataclass(frozen=True)
class RigConfig:
    """Parameters of the node `mujoco_rig`; the last ones are faults to be injected while it runs."""

    category: str = parameter("", "of the first specimen; empty: by chance")
    object: str = parameter("", "type of the first specimen; empty: any")
    defect: str = parameter("", "of the first specimen; empty: by chance")
    severity: float = parameter(-1.0, "of the defect; negative: by chance", low=-1.0, high=1.0)
    seed: int = parameter(0, "the first specimen follows from it", low=0)
    height: int = parameter(360, "picture height at 16:9", unit="px", low=64, high=1080)
    quality: int = parameter(90, "of the JPEGs", low=50, high=100)
    real_time_factor: float = parameter(1.0, "simulated seconds a second at most; 0: as fast as it goes", low=0.0, high=100.0)
    camera_stalled: bool = parameter(False, "fault: no picture comes", dynamic=True)
    camera_frozen: bool = parameter(False, "fault: the same picture comes again and again", dynamic=True)
    robot_stopped: bool = parameter(False, "fault: a protective stop, goals hang", dynamic=True)
    controllers_active: bool = parameter(True, "false: the controllers abort what runs and reject goals", dynamic=True)
    nan_joint_state: bool = parameter(False, "fault: a joint position is not a number", dynamic=True)
    nan_force: bool = parameter(False, "fault: the force is not a number", dynamic=True)
    force_silent: bool = parameter(False, "fault: no force is reported", dynamic=True)
    motors_silent: bool = parameter(False, "fault: no motor reports", dynamic=True)


class MujocoRig(Adapter):
    """Runs the rig in a thread of its own; everything else asks that thread."""

    config_type = RigConfig
    config: RigConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("mujoco_rig", values, **options)
        self.add_post_set_parameters_callback(lambda _: self._reconfigure())

    def activate(self) -> None:
        self._sim = SimThread(self, RigTopics(self), self._made)
        TrajectoryServer(self)
        GripperServer(self)
        self.subscribe(MotorCommand, "motor/command", self._on_motor, 240)
        self.subscribe(LightLevels, "light/command", self._on_light)
        self.serve(PlaceSpecimen, "~/place", self._place)
        self._reconfigure()

    def deactivate(self) -> None:
        self._sim.stop()

    def _made(self) -> Rig:
        c = self.config
        return Rig((c.height * 16 // 9, c.height), _specimen(c.category, c.object, c.defect, c.severity, c.seed))

    @property
    def rig(self) -> Rig:
        """To be asked and commanded by the simulation's thread only."""
        return self._sim.rig

    @property
    def joints(self) -> JointState:
        """As last told."""
        return self._sim.joints

    @property
    def time_s(self) -> float:
        """The rig's clock."""
        return float(self.rig.time_s)

    def in_sim(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have the simulation's thread make a call between two steps; PhysadError where it has ended."""
        return self._sim.ask(call, *arguments)

    # -- commands -------------------------------------------------------------------------------------------------------

    def _on_motor(self, message: MotorCommand) -> None:
        self.in_sim(self._command_motor, message)

    def _command_motor(self, message: MotorCommand) -> None:
        try:
            if message.name not in self.rig.motors:
                raise UnknownName("motor", message.name, self.rig.motors)
            stamp_s = convert.seconds(message.header.stamp)
            if not stamp_s:  # at once: what was to come later is dropped, so that a stop is a stop
                self.rig.motors[message.name] = Motor()
            self.rig.motors[message.name].command(Mode(message.mode), message.value, stamp_s)
        except (PhysadError, ValueError) as error:
            self.get_logger().warning(f"motor command ignored: {why(error)}")

    def _on_light(self, message: LightLevels) -> None:
        def command() -> None:
            try:
                self.rig.lights.command(levels_of(message))
            except PhysadError as error:
                self.get_logger().warning(f"light command ignored: {why(error)}")

        self.in_sim(command)

    async def _place(self, request: PlaceSpecimen.Request, response: PlaceSpecimen.Response) -> PlaceSpecimen.Response:
        asked = request.category, request.object, request.defect, request.severity, request.seed
        try:
            await result(self.in_sim(lambda: self.rig.place(_specimen(*asked))))
            response.success = True
        except PhysadError as error:
            response.message = why(error)
        return response

    def _reconfigure(self) -> None:
        self.config = parameters.read(self, RigConfig)
        if not self._active:
            return
        self.in_sim(_inject, self.rig, self.config)


def _inject(rig: Rig, config: RigConfig) -> None:
    """Switch the rig's faults on or off."""
    rig.stalled_camera, rig.frozen_camera = config.camera_stalled, config.camera_frozen
    rig.trajectory.stopped = config.robot_stopped
    for controller in (rig.trajectory, rig.gripper):
        if controller.active != config.controllers_active:
            controller.switch(config.controllers_active)


def _specimen(category: str, object: str, defect: str, severity: float, seed: int) -> Specimen:
    """The specimen that is asked for, what is left open drawn from the seed."""
    return random_specimen(seed, category, object, defect, severity if severity >= 0 else None)


def main() -> None:
    run(MujocoRig)


if __name__ == "__main__":
    main()
