"""Footage in the place of an interaction: what was done to the object is on film, so to interact is to play it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from rclpy.action import GoalResponse

from physad_msgs.action import Interact
from physad_msgs.msg import Interaction
from physad_msgs.msg import Phase as PhaseMsg
from physad_ros.core.catalogue import Category, load_category
from physad_ros.core.errors import PhysadError, why
from physad_ros.core.types import Phase, Timetable
from physad_ros.core.words import count
from physad_ros.dataset.sources import Footage
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED
from physad_ros.nodes.controllers import Code
from physad_ros.nodes.waiting import result

if TYPE_CHECKING:
    from physad_ros.nodes.camera import Camera

MARGIN_S = 0.02  # between the last still picture and the first of the film
LEAD_S = 0.3  # from the announcement to the first frame


class FootageInteraction:
    """Offers the action Interact in the arm's place, for a stack without a robot."""

    def __init__(self, camera: Camera, footage: Footage):
        self.plays = False
        self.still_until_s = math.inf  # on the system's clock: from then on only the film is shown
        self._camera = camera
        self._footage = footage
        self._plan = camera.publisher(Interaction, "interaction/plan", LATCHED)
        self._phase = camera.publisher(PhaseMsg, "interaction/phase")
        camera.offer(Interact, "interact", self._interact, lambda _: GoalResponse.REJECT if self.plays else GoalResponse.ACCEPT)

    async def _interact(self, handle: Any) -> Interact.Result:
        if not handle.request.category:  # no arm stands in view
            handle.succeed()
            return Interact.Result(error_code=Code.SUCCESSFUL)
        try:
            category = load_category(handle.request.category)
        except PhysadError as error:
            handle.abort()
            return Interact.Result(error_code=Code.UNKNOWN_CATEGORY, error_string=why(error))
        have, want = round(self._footage.length_s * self._footage.fps), category.frames
        if have < want:
            handle.abort()
            reason = f"the video has {count(have, 'frame')}; the clips of the category {category.name} have {want}"
            return Interact.Result(error_code=Code.REFUSED, error_string=reason)
        self.plays = True
        try:
            whole, message = await self._play(handle, category)
        finally:
            self.plays, self.still_until_s = False, math.inf
        if whole:
            handle.succeed()
            return Interact.Result(error_code=Code.SUCCESSFUL, interaction=message)
        end = handle.canceled if handle.is_cancel_requested else handle.abort
        end()
        return Interact.Result(error_code=Code.CANCELED, error_string="the film was stopped", interaction=message)

    async def _play(self, handle: Any, category: Category) -> tuple[bool, Interaction]:
        goal: Interact.Goal = handle.request
        fps, begin = self._footage.fps, time.time() + LEAD_S
        self.still_until_s = begin - MARGIN_S
        end = begin + category.frames / fps
        phases = (Phase("clip", begin, end),)
        timetable = Timetable(
            goal.clip_id, category.name, goal.object, category.recipe.interaction, phases, begin, end, category.frames, fps
        )
        message = convert.interaction_msg(timetable, self._camera.now_s())
        self._plan.publish(message)
        self._tell(goal.clip_id, PhaseMsg.RUNNING)
        played = self._camera.workers.submit(
            self._camera.play, self._footage, begin, end, lambda: handle.is_cancel_requested
        )
        whole = bool(await result(played))
        self._tell(goal.clip_id, PhaseMsg.DONE if whole else PhaseMsg.ABORTED)
        return whole, message

    def _tell(self, clip_id: str, state: int) -> None:
        head = convert.header(self._camera.now_s())
        self._phase.publish(PhaseMsg(header=head, clip_id=clip_id, name="clip", index=0, count=1, state=state))
