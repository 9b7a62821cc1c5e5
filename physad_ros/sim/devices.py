"""The rig's small devices: motors with stamped commands, lights that take a moment to change. No ROS, no simulator."""

from __future__ import annotations

import enum
from bisect import insort
from collections.abc import Iterable, Mapping

import numpy as np

from physad_ros.core.errors import BadData, UnknownName


class Mode(enum.IntEnum):
    """What a motor's command means; as in physad_msgs/MotorCommand."""

    VELOCITY = 0
    POSITION = 1
    RELEASE = 2


class Motor:
    """A servo's own electronics: takes commands, each at its stamp, and asks for a velocity."""

    POSITION_RATE_HZ = 20.0
    VELOCITY_MAX_RAD_S = 30.0

    def __init__(self) -> None:
        self.mode, self.value = Mode.VELOCITY, 0.0
        self._queue: list[tuple[float, int, Mode, float]] = []
        self._count = 0

    def command(self, mode: Mode, value: float, stamp_s: float = 0.0) -> None:
        """From ``stamp_s`` on (at once where that is past) turn at or to ``value``. BadData where a number is not one."""
        if not (np.isfinite(value) and np.isfinite(stamp_s)):
            raise BadData(f"motor command {value} at {stamp_s} s is not a number")
        self._count += 1  # commands of equal stamps count in the order in which they came
        insort(self._queue, (stamp_s, self._count, Mode(mode), float(value)))

    def update(self, now_s: float, position_rad: float) -> float | None:
        """Velocity [rad/s] for the coming step; None: no torque."""
        while self._queue and self._queue[0][0] <= now_s + 1e-6:
            _, _, self.mode, self.value = self._queue.pop(0)
        if self.mode is Mode.RELEASE:
            return None
        wanted = self.value if self.mode is Mode.VELOCITY else self.POSITION_RATE_HZ * (self.value - position_rad)
        return float(np.clip(wanted, -self.VELOCITY_MAX_RAD_S, self.VELOCITY_MAX_RAD_S))


class Lights:
    """Line lights by channel, 0 to 1; brightness follows the command within RISE_S."""

    RISE_S = 0.03

    def __init__(self, channels: Iterable[str], level: float):
        self.levels = {channel: level for channel in channels}
        self._targets = dict(self.levels)

    def command(self, levels: Mapping[str, float]) -> None:
        """Set some channels.

        Raises:
            UnknownName: no such channel. BadData: a level that is not within 0 to 1. Nothing changes then.
        """
        for channel, level in levels.items():
            if channel not in self._targets:
                raise UnknownName("light channel", channel, self._targets)
            if not 0 <= level <= 1:
                raise BadData(f"light level {level} of {channel}; levels are 0 to 1")
        self._targets.update({channel: float(level) for channel, level in levels.items()})

    def update(self, dt_s: float) -> None:
        """Let ``dt_s`` pass."""
        for channel, target in self._targets.items():
            change = target - self.levels[channel]
            self.levels[channel] += float(np.clip(change, -dt_s / self.RISE_S, dt_s / self.RISE_S))
