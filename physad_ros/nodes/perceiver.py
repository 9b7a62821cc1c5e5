"""The perceiver: which category the latest picture shows, with what attributes, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import CompressedImage, RegionOfInterest

from physad_msgs.srv import Perceive
from physad_ros.core.errors import PhysadError, why
from physad_ros.core.types import Percept
from physad_ros.dataset.video import decode_jpeg
from physad_ros.nodes import convert
from physad_ros.nodes.base import STREAM, Adapter
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run
from physad_ros.nodes.waiting import Overdue
from physad_ros.perception.prototypes import load

CODES = {outcome: code for code, outcome in convert.OUTCOMES.items()}


@dataclass(frozen=True)
class PerceiverConfig:
    """Parameters of the node `perceiver`."""

    fresh_s: float = parameter(2.5, "how long to wait for a picture taken after the question", unit="s", low=0.05, high=30.0)


class PerceiverNode(Adapter):
    """Offers Perceive."""

    config_type = PerceiverConfig
    config: PerceiverConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("perceiver", values, **options)

    def activate(self) -> None:
        self._latest: CompressedImage | None = None
        self._count = 0
        self.workers.submit(load)  # so that the first question does not wait for it; a failure is told to who asks
        self.subscribe(CompressedImage, "camera/image_raw/compressed", self._on_frame, STREAM)
        self.serve(Perceive, "perceive", self._perceive)

    def _on_frame(self, message: CompressedImage) -> None:
        self._latest = message
        self._count += 1

    async def _perceive(self, request: Perceive.Request, response: Perceive.Response) -> Perceive.Response:
        before = self._count
        response.outcome = Perceive.Response.FAILED
        try:
            # two frames on, so that it was exposed after the question
            await self.until(lambda: self._count >= before + 2, self.config.fresh_s, "a picture")
            percept = await self.in_worker(self._look, self._latest, tuple(request.among), request.named)
        except (PhysadError, Overdue, ValueError) as error:
            response.message = self.trouble = why(error)
            return response
        self.trouble = ""
        self.facts = {"outcome": percept.outcome, "category": percept.category, "confidence": f"{percept.confidence:.2f}"}
        response.outcome, response.category = CODES[percept.outcome], percept.category
        response.confidence = percept.confidence if math.isfinite(percept.confidence) else 0.0
        response.attributes, response.contradicts = list(percept.attributes), percept.contradicts
        x, y, width, height = percept.region
        response.region = RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height)
        return response

    def _look(self, message: CompressedImage, among: tuple[str, ...], named: str) -> Percept:
        return load().perceive(decode_jpeg(message.data), among, named)


def main() -> None:
    run(PerceiverNode)


if __name__ == "__main__":
    main()
