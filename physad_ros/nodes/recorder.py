"""The recorder: serialized messages to a bag while an interaction runs, cut on its window; then the clip's other files."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message

from physad_msgs.msg import Interaction
from physad_msgs.srv import CutClip
from physad_ros.core.errors import BadData, PhysadError, kept_traceback, why
from physad_ros.dataset.announced import timetable_of
from physad_ros.dataset.bag import move_bag
from physad_ros.dataset.finishing import BAG, finish_clip
from physad_ros.dataset.recording import Recorder as Recording
from physad_ros.dataset.recording import RecordingResult
from physad_ros.dataset.topics import LIGHT, PLAN, RECORDED
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, STREAM, Adapter
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run
from physad_ros.nodes.waiting import Overdue

LOOK_S = 0.1


@dataclass(frozen=True)
class RecorderConfig:
    """Parameters of the node `recorder`."""

    out: str = parameter("inspections", "folder that receives a folder for each clip as it is recorded")
    rig: str = parameter("", "noted in the manifest")
    patience_s: float = parameter(1.0, "how long to wait for the window's last frames", unit="s", low=0.0, high=10.0)


class Recorder(Adapter):
    """Offers CutClip."""

    config_type = RecorderConfig
    config: RecorderConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("recorder", values, **options)

    def activate(self) -> None:
        self._recording = Recording()
        self._clip_id = ""
        self._folder = Path()
        self._fault = ""  # why the present clip is not recorded
        for topic, kind in RECORDED.items():
            if topic != PLAN:
                qos: QoSProfile = LATCHED if topic == LIGHT else STREAM
                self.subscribe(_type_named(kind), topic.lstrip("/"), partial(self._take, topic), qos, raw=True)
        self.subscribe(Interaction, PLAN.lstrip("/"), self._open, LATCHED, raw=True)
        self.serve(CutClip, "cut_clip", self._cut)
        self.every(LOOK_S, self._look)

    def deactivate(self) -> None:
        if self._recording.timetable is not None:
            self._recording.close()  # what was recorded so far is whole
        self.workers.shutdown(wait=True)  # clips that are being written

    def _look(self) -> None:
        """Tell at once that writing has failed, not only when the clip is asked for."""
        if self._recording.fault:
            self.trouble = self._recording.fault

    def _take(self, topic: str, data: bytes) -> None:
        try:
            self._recording.take(topic, data)
        except BadData as error:
            self.trouble = f"{topic}: {why(error)}"

    def _open(self, data: bytes) -> None:
        message = deserialize_message(data, Interaction)
        self._clip_id = message.clip_id
        self._folder = Path(self.config.out) / message.clip_id
        self._fault = self.trouble = ""
        try:
            self._recording.open(timetable_of(message), data, self._folder / BAG)
        except PhysadError as error:
            self._fault = self.trouble = f"the recording cannot begin: {why(error)}"

    async def _cut(self, request: CutClip.Request, response: CutClip.Response) -> CutClip.Response:
        wanted = request.interaction
        response.frames_expected = wanted.frames
        response.folder = str(Path(request.out or self.config.out) / wanted.clip_id)
        if self._fault or self._recording.timetable is None or self._clip_id != wanted.clip_id:
            response.message = self._fault or f"{wanted.clip_id!r} is not being recorded"
            return response
        if self.now_s() >= convert.seconds(wanted.window_end):  # else it is cut short: no more is waited for
            with contextlib.suppress(Overdue):  # frames are missing: the counts tell
                await self.until(lambda: self._recording.over, self.config.patience_s)
        try:
            done = await self.in_worker(self._close, Path(response.folder))
        except Exception as error:  # of whatever kind: it is the answer
            response.message = self.trouble = f"the recording cannot be brought to {response.folder}: {why(error)}"
            return response
        response.frames_received, response.message = done.frames_received, done.fault
        response.success = not done.fault
        self.facts = {"frames": f"{done.frames_received} of {done.frames_expected}", "folder": response.folder}
        self.trouble = done.fault
        if response.success:
            self.workers.submit(self._finish, Path(response.folder))
        return response

    def _close(self, folder: Path) -> RecordingResult:
        """Close and sync the bag, and bring it to where it is wanted."""
        done = self._recording.close()
        if folder.resolve() != done.folder.parent.resolve() and done.folder.exists():
            move_bag(done.folder, folder / BAG)
            with contextlib.suppress(OSError):  # something else is in it
                done.folder.parent.rmdir()
        return done

    def _finish(self, folder: Path) -> None:
        """Video, signals and manifest; a clip with a manifest is whole."""
        try:
            finish_clip(folder, rig=self.config.rig)
        except Exception as error:  # of whatever kind: nobody reads what a worker raises, and the inspector waits for the files
            where = "" if isinstance(error, (PhysadError, OSError)) else f"; {kept_traceback()}"
            self.trouble = f"the clip's files cannot be written: {why(error)}{where}"


def _type_named(name: str) -> Any:
    """Class of a message type, e.g. sensor_msgs/msg/Image."""
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), kind)


def main() -> None:
    run(Recorder)


if __name__ == "__main__":
    main()
