"""Plays a program straight on the simulated rig, without ROS, by the same rules as the arm node does through the controllers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import PhysadError
from physad_ros.core.types import Clip, Drive, Floats, Grip, Move, Program, Signals, Step, Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.motion import playing
from physad_ros.sim.controllers import Handle, Status, TrajectoryGoal
from physad_ros.sim.devices import Mode
from physad_ros.sim.rig import STEPS_PER_FRAME, Rig

SIGNAL_STEPS: Final = 4  # physics steps between two samples of the signals: 120 Hz
_AT_ONCE_S: Final = 1e-9

OnFrame = Callable[[float, "NDArray[np.uint8] | None"], None]


class Failed(PhysadError):
    """The program could not be played to its end; says in which phase and why."""


def play(
    program: Program,
    rig: Rig,
    *,
    clip_id: str = "",
    label: str | None = None,
    look: bool = True,
    on_frame: OnFrame = lambda stamp_s, picture: None,
) -> Clip:
    """The clip of a program that begins at the rig's next frame. Only what lies in its window is drawn.

    Args:
        look: False leaves out the pictures, for who wants the signals only; the clip then has no frames.
        on_frame: called at each instant of the window's frames with its stamp and its picture (or None), e.g. to trace ``rig.truth()``.

    Raises:
        Failed: a controller failed, or a grip closed on nothing. The rig stays as it then is.
        Impossible: from where a guard has stopped the arm it cannot go on.
    """
    while rig.steps % STEPS_PER_FRAME:
        rig.step()
    run = _Run(program, rig, clip_id, look, on_frame)
    run.to_end()
    return run.clip(label)


class _Run:
    """One program on its way."""

    def __init__(self, program: Program, rig: Rig, clip_id: str, look: bool, on_frame: OnFrame):
        self._rig = rig
        self._program = program
        self._begin_s = rig.time_s
        self._timetable = Timetable.of(program, clip_id, self._begin_s)
        self._window = FrameWindow(self._timetable)
        self._look, self._on_frame = look, on_frame
        width, height = rig.size
        self._frames = np.zeros((program.frames if look else 0, height, width, 3), np.uint8)
        self._stamps: list[float] = []
        self._joints: list[Floats] = []  # (8,): stamp, six joints, opening
        self._wrenches: list[Floats] = []  # (7,): stamp, wrench
        self._motor: list[Floats] = []  # (4,): stamp, position, velocity, torque
        self._velocity_rad_s = 0.0  # that the motor was last commanded
        self._stopped_early = False  # the last motion was stopped by its guard

    def to_end(self) -> None:
        for step, begin in zip(self._program.steps, self._program.begins_s):
            self._play(step, self._begin_s + begin, self._begin_s + begin + step.duration_s)

    def clip(self, label: str | None) -> Clip:
        if self._look and self._window.missing:
            raise Failed(f"{self._window.received} of {self._window.frames} frames were taken")
        stamps = np.array(self._stamps) if self._look else np.empty(0)
        return Clip(self._timetable, self._frames, stamps, self._signals(), label)

    def _signals(self) -> Signals:
        joints = np.array(self._joints).reshape(-1, 8)
        wrenches = np.array(self._wrenches).reshape(-1, 7)
        motor = np.array(self._motor).reshape(-1, 4)
        return Signals(
            joints[:, 0], joints[:, 1:7], joints[:, 7], wrenches[:, 0], wrenches[:, 1:], motor[:, 0], motor[:, 1:]
        )

    # -- steps ----------------------------------------------------------------------------------------------------------

    def _play(self, step: Step, begin_s: float, end_s: float) -> None:
        if isinstance(step, Move):
            self._move(step, begin_s, end_s)
        elif isinstance(step, Grip):
            self._grip(step, end_s)
        else:
            if isinstance(step, Drive):
                self._drive(step, begin_s)
            self._till(end_s)

    def _move(self, move: Move, begin_s: float, end_s: float) -> None:
        rig = self._rig
        if self._stopped_early:
            state = rig.joint_state()
            move = playing.entered(move, state.positions_rad, state.opening_m, self._program.world)
        handle = rig.trajectory.send(TrajectoryGoal.of(move, begin_s), rig.time_s)
        before = rig.wrench()[:3].copy()

        def pushes() -> bool:
            return playing.pushes(move, rig.wrench()[:3], before)

        # the controller may take a moment to see that the arm has come to rest
        self._till(end_s + 0.25, lambda: handle.done or pushes())
        self._stopped_early = not handle.done
        if self._stopped_early:
            if not pushes():
                raise Failed(f"{move.phase}: the robot did not end in time; it may be stopped")
            rig.trajectory.cancel(handle)
        elif handle.status is not Status.SUCCEEDED:
            raise Failed(f"{move.phase}: the trajectory controller ended with {handle.code.name}: {handle.text}")
        self._till(end_s)

    def _grip(self, grip: Grip, end_s: float) -> None:
        handle: Handle = self._rig.gripper.send(grip.opening_m, grip.effort_n)
        self._till(end_s)
        opening = self._rig.joint_state().opening_m
        if reason := playing.missed(grip, opening):
            raise Failed(reason)
        if handle.status is Status.ABORTED:
            raise Failed(f"{grip.phase}: the gripper controller aborted: {handle.text}")
        if reason := playing.misplaced(grip, opening):
            raise Failed(reason)

    def _drive(self, drive: Drive, begin_s: float) -> None:
        """The ramp as stamped commands, each taking effect at its stamp."""
        if drive.motor not in self._rig.motors:
            raise Failed(f"{drive.phase}: the rig has no motor {drive.motor!r}; known: {', '.join(self._rig.motors) or 'none'}")
        for stamp_s, value in playing.ramp(drive, begin_s, self._velocity_rad_s):
            self._rig.motors[drive.motor].command(Mode.VELOCITY, value, stamp_s)
        self._velocity_rad_s = drive.velocity_rad_s

    # -- time -----------------------------------------------------------------------------------------------------------

    def _till(self, stamp_s: float, or_if: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until ``stamp_s`` or ``or_if``, sensing on the way."""
        while self._rig.time_s < stamp_s - _AT_ONCE_S and not or_if():
            self._sense()
            self._rig.step()

    def _sense(self) -> None:
        rig = self._rig
        table = self._timetable
        if not table.window_begin_s - 1e-6 <= rig.time_s < table.window_end_s - 1e-6:
            return
        if rig.steps % SIGNAL_STEPS == 0:
            state = rig.joint_state()
            self._joints.append(np.array([rig.time_s, *state.positions_rad, state.opening_m]))
            self._wrenches.append(np.array([rig.time_s, *rig.wrench()]))
            for motor in rig.motor_state().values():
                self._motor.append(np.array([rig.time_s, motor.position_rad, motor.velocity_rad_s, motor.torque_nm]))
        if rig.frame_due:
            self._expose()

    def _expose(self) -> None:
        slot = self._window.slot(self._rig.frame_stamp_s)
        if slot is None:
            return
        picture = None
        if self._look:
            picture = self._rig.render().picture
            self._frames[slot] = picture
            self._stamps.append(self._rig.frame_stamp_s)
        self._on_frame(self._rig.frame_stamp_s, picture)
