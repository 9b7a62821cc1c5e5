"""What really lies on the simulated rig: told of inspections whose verdict was told, and of no other."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from physad_msgs.msg import Verdict
from physad_msgs.srv import RevealSpecimen
from physad_ros.core.errors import PhysadError
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED
from physad_ros.nodes.waiting import Overdue, result, until

if TYPE_CHECKING:
    from physad_ros.nodes.mujoco_rig import MujocoRig

CONCLUDED = 16  # inspections that may still be asked about
HEARD_S = 5.0  # of wall clock, within which a verdict that was told is heard here too


class TruthServer:
    """Offers RevealSpecimen. It waits for the verdict, so that nothing which leads to one can learn the truth here."""

    def __init__(self, node: MujocoRig):
        self._node = node
        self._concluded: deque[str] = deque(maxlen=CONCLUDED)
        node.subscribe(Verdict, "verdict", lambda message: self._concluded.append(message.clip_id), LATCHED)
        node.serve(RevealSpecimen, "~/reveal", self._reveal)

    async def _reveal(self, request: RevealSpecimen.Request, response: RevealSpecimen.Response) -> RevealSpecimen.Response:
        try:
            await until(lambda: request.clip_id in self._concluded, HEARD_S)
        except Overdue:
            response.message = f"no verdict on {request.clip_id!r} was told"
            return response
        rig = self._node.rig
        try:
            specimen, placed_s = await result(self._node.in_sim(lambda: (rig.scene.specimen, rig.placed_s)))
        except PhysadError as error:
            response.message = str(error)
            return response
        if specimen is None:
            response.message = "nothing lies on the fixture"
            return response
        response.success = True
        response.category, response.object, response.defect = specimen.category, specimen.object, specimen.defect
        response.severity, response.seed, response.since = specimen.severity, specimen.seed, convert.time_msg(placed_s)
        return response
