"""The detector: scores the frames of an interaction's window as they come, and the clip once it is whole."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor_msgs.msg import CompressedImage

from physad_msgs.msg import FrameScore, Interaction
from physad_msgs.srv import ScoreClip
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Score, Signals, Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.announced import timetable_of
from physad_ros.dataset.video import decode_jpeg
from physad_ros.detectors.base import Detector, Stream, detectors
from physad_ros.detectors.storage import fingerprint
from physad_ros.nodes import convert
from physad_ros.nodes.base import LATCHED, STREAM, Adapter
from physad_ros.nodes.parameters import parameter
from physad_ros.nodes.run import main as run
from physad_ros.nodes.signals import SignalsCollector
from physad_ros.nodes.waiting import Overdue


@dataclass(frozen=True)
class DetectorConfig:
    """Parameters of the node `detector`."""

    detector: str = parameter("rules", "which detector judges")
    folder: str = parameter("", "folder of fitted models, one folder a category in it; empty: where the categories lie")
    patience_s: float = parameter(1.0, "how long to wait for the window's last frames", unit="s", low=0.0, high=10.0)


class _Job:
    """One clip as it is scored. All calls of the detector are made in the worker, in order."""

    def __init__(self, timetable: Timetable):
        self.timetable = timetable
        self.window = FrameWindow(timetable)
        self.over = False  # the window's last frame was seen
        self.last_arrival_s = float("nan")  # steady clock
        self.detector: Detector | None = None
        self.model: dict[str, str] = {}  # SHA-256 of each file that it was loaded from
        self.stream: Stream | None = None
        self.judged = 0  # frames that were scored
        self.fault = ""  # why it cannot be scored


class DetectorNode(Adapter):
    """Offers ScoreClip, publishes /frame_score."""

    config_type = DetectorConfig
    config: DetectorConfig

    def __init__(self, values: dict[str, Any] | None = None, **options: Any):
        super().__init__("detector", values, **options)

    def activate(self) -> None:
        self._kind = detectors[self.config.detector]  # an unknown name fails here, with the known ones
        self._loaded: dict[str, tuple[Detector, dict[str, str]]] = {}
        self._job: _Job | None = None
        self._signals = SignalsCollector(self) if self._kind.uses_signals else None
        self._score = self.publisher(FrameScore, "frame_score", STREAM)
        self.subscribe(Interaction, "interaction/plan", self._on_plan, LATCHED)
        self.subscribe(CompressedImage, "camera/image_raw/compressed", self._on_frame, STREAM)
        self.serve(ScoreClip, "score_clip", self._score_clip)

    # -- while the interaction runs -----------------------------------------------------------------------------------

    def _on_plan(self, message: Interaction) -> None:
        self.trouble = ""
        try:
            self._job = _Job(timetable_of(message))
        except BadData as error:
            self.trouble = why(error)
            return
        self.workers.submit(self._open, self._job)

    def _on_frame(self, message: CompressedImage) -> None:
        job = self._job
        if job is None or job.over:
            return
        stamp = convert.seconds(message.header.stamp)
        slot = job.window.slot(stamp)
        if slot is not None:
            job.last_arrival_s = time.monotonic()
            self.workers.submit(self._push, job, slot, message)
        job.over = job.window.over(stamp)

    # -- in the worker --------------------------------------------------------------------------------------------------

    def _open(self, job: _Job) -> None:
        try:
            job.detector, job.model = self._fitted(job.timetable.category)
            job.stream = job.detector.stream(job.timetable)
        except Exception as error:  # of whatever kind: nobody reads what a worker raises, and a fault must be told
            self._fail(job, f"the detector {self.config.detector} is not ready: {why(error)}")

    def _fail(self, job: _Job, fault: str) -> None:
        """Note why a clip cannot be scored, and tell it, unless another clip is scored by now."""
        job.fault = fault
        if job is self._job:
            self.trouble = fault

    def _fitted(self, category: str) -> tuple[Detector, dict[str, str]]:
        if category not in self._loaded:
            folder = Path(self.config.folder) / category if self.config.folder else load_category(category).folder
            model = fingerprint(folder, self.config.detector)
            self._loaded[category] = self._kind.load(folder), model
        return self._loaded[category]

    def _push(self, job: _Job, slot: int, message: CompressedImage) -> None:
        if job.fault or job.stream is None or job.detector is None:
            return
        stamp = convert.seconds(message.header.stamp)
        try:
            value = job.stream.push(decode_jpeg(message.data, job.detector.height), stamp)
        except Exception as error:
            self._fail(job, f"frame {slot} cannot be used: {why(error)}")
            return
        job.judged += 1
        head = convert.header(stamp)
        self._score.publish(FrameScore(header=head, clip_id=job.timetable.clip_id, index=slot, value=float(value)))

    def _finish(self, job: _Job, signals: Signals) -> Score:
        if job.fault or job.stream is None:
            raise BadData(job.fault or "the detector was not opened")
        return job.stream.finish(signals)

    # -- the service --------------------------------------------------------------------------------------------------

    async def _score_clip(self, request: ScoreClip.Request, response: ScoreClip.Response) -> ScoreClip.Response:
        job = self._job
        response.detector = self.config.detector
        if job is None or job.timetable.clip_id != request.interaction.clip_id:
            response.message = f"no frames of {request.interaction.clip_id!r} were scored"
            return response
        with contextlib.suppress(Overdue):  # frames are missing: what came is scored, and the count tells
            await self.until(lambda: job.over or bool(job.fault), self.config.patience_s)
        if job.window.went_back_s:
            self._fail(job, f"the stamps of the pictures went back by {job.window.went_back_s:.2g} s: a clock was set, or two cameras send at once")
        # here and not in the worker, beside which they go on being collected
        signals = Signals.none() if self._signals is None else self._signals.of(job.timetable)
        try:
            score = await self.in_worker(self._finish, job, signals)
        except Exception as error:
            response.message = why(error)
            self._fail(job, response.message)
            return response
        assert job.detector is not None
        response.latency_s = time.monotonic() - job.last_arrival_s
        response.success = True
        response.threshold = float(job.detector.threshold)
        convert.score_into(response, score)
        response.model_files, response.model_sha256 = list(job.model), list(job.model.values())
        response.frames = job.judged
        self.facts.update(latency_ms=round(1e3 * response.latency_s, 1), frames=job.judged)
        if self._job is job:  # else the next clip has begun meanwhile
            self._job, self.trouble = None, ""
        return response


def main() -> None:
    run(DetectorNode)


if __name__ == "__main__":
    main()
