"""The rig's lights: brought to a level and seen to shine so before the caller goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from physad_msgs.msg import LightLevels
from physad_msgs.srv import SetLight
from physad_ros.core.errors import BadData, PhysadError, why
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, Adapter
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run
from physad_ros.nodes.waiting import Overdue


@dataclass(frozen=True)
class LightConfig:
    """Parameters of the node `light`."""

    driver: str = parameter("rig", "the rig's own topics, or none for footage, which is lit already", choices=("rig", "none"))
    timeout_s: float = parameter(2.0, "how long the lights may take", unit="s", low=0.1, high=30.0)
    tolerance: float = parameter(0.02, "largest difference between commanded and measured level", low=0.0, high=0.5)


class LightDriver(Protocol):
    """A controller of lights."""

    def command(self, levels: dict[str, float]) -> None:
        """Ask for these levels, 0 to 1 by channel."""

    def measured(self) -> dict[str, float]:
        """Levels as they are, told since the last command; empty while unknown."""


class RigLights:
    """Lights of a rig that takes /light/command and tells on /light/state, with a stamp after it, how they shine then."""

    def __init__(self, node: Adapter):
        self._node = node
        self._measured: dict[str, float] = {}
        self._commanded_s = -math.inf  # on the clock that stamps the states
        self._command = node.publisher(LightLevels, "light/command")
        node.subscribe(LightLevels, "light/state", self._on_state, LATCHED)

    def command(self, levels: dict[str, float]) -> None:
        self._measured, self._commanded_s = {}, self._node.now_s()
        self._command.publish(convert.levels_msg(levels, 0.0))

    def measured(self) -> dict[str, float]:
        return self._measured

    def _on_state(self, message: LightLevels) -> None:
        if convert.seconds(message.header.stamp) > self._commanded_s:  # an old one, latched or on its way, is not how they shine now
            self._measured = dict(zip(message.channel, message.level))


class NoLights:
    """In the place of lights where a film is shown: whatever is asked for is taken as given."""

    def __init__(self) -> None:
        self._levels: dict[str, float] = {}

    def command(self, levels: dict[str, float]) -> None:
        self._levels = levels

    def measured(self) -> dict[str, float]:
        return self._levels


class Light(Adapter):
    """Sets the lights and answers once they shine as asked."""

    config_type = LightConfig
    config: LightConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("light", values, **options)

    def activate(self) -> None:
        self.driver: LightDriver = RigLights(self) if self.config.driver == "rig" else NoLights()
        self.serve(SetLight, "set_light", self._set)

    async def _set(self, request: SetLight.Request, response: SetLight.Response) -> SetLight.Response:
        try:
            levels = levels_of(request.levels)
            self.driver.command(levels)
            await self.until(lambda: self._shines(levels), self.config.timeout_s, "the lights' new level")
            response.success = True
        except (PhysadError, Overdue) as error:
            response.message = self.trouble = why(error)
        else:
            self.trouble = ""
        self.facts = dict(self.driver.measured())
        return response

    def _shines(self, levels: dict[str, float]) -> bool:
        measured = self.driver.measured()
        unknown = levels.keys() - measured.keys()
        if measured and unknown:
            raise BadData(f"no light {', '.join(sorted(unknown))}; known: {', '.join(sorted(measured))}")
        return bool(measured) and all(abs(measured[c] - v) <= self.config.tolerance for c, v in levels.items())


def levels_of(message: LightLevels) -> dict[str, float]:
    """Levels by channel; BadData where they cannot be commanded."""
    if len(message.channel) != len(message.level):
        raise BadData(f"{len(message.channel)} channels but {len(message.level)} levels")
    levels = {c: float(v) for c, v in zip(message.channel, message.level)}
    wrong = {c: v for c, v in levels.items() if not 0 <= v <= 1}  # not a number is wrong too
    if wrong:
        raise BadData(f"light levels go from 0 to 1: {wrong}")
    return levels


def main() -> None:
    run(Light)


if __name__ == "__main__":
    main()
