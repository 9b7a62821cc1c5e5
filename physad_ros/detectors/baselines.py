"""Trivial baselines: one number a frame, its mean over the clip against that of normal clips. They must not solve the task."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Score, Signals, Timetable
from physad_ros.dataset.files import write_json
from physad_ros.detectors.base import Card, Detector, Setting, Stream, detectors

LEAST_SPREAD = 1e-6


class Baseline(Detector):
    """|z| of the clip's mean number against normal clips."""

    height = 90
    name: ClassVar[str]

    def __init__(self) -> None:
        self.mean = self.spread = float("nan")

    @abstractmethod
    def number(self, frame: NDArray[np.uint8], before: NDArray[np.uint8] | None) -> float:
        """One number of a frame."""

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        means = [np.mean([self.number(f, b) for f, b in zip(c.frames, (None, *c.frames[:-1]))]) for c in clips]
        self.mean, self.spread = float(np.mean(means)), max(float(np.std(means, ddof=1)), LEAST_SPREAD)

    def stream(self, timetable: Timetable) -> Stream:
        return _Mean(self)

    def save(self, folder: Path) -> None:
        write_json(folder / f"{self.name}.json", {"mean": self.mean, "spread": self.spread, "threshold": self.threshold})

    @classmethod
    def load(cls, folder: Path) -> Baseline:
        file = folder / f"{cls.name}.json"
        try:
            data: dict[str, Any] = json.loads(file.read_text())
            made = cls()
            made.mean, made.spread, made.threshold = (float(data[k]) for k in ("mean", "spread", "threshold"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadData(f"{file}: {why(error)}; `physad fit --detector {cls.name}` makes it") from error
        return made


class _Mean(Stream):
    def __init__(self, baseline: Baseline):
        self._baseline = baseline
        self._before: NDArray[np.uint8] | None = None
        self._numbers: list[float] = []

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        self._numbers.append(self._baseline.number(frame, self._before))
        self._before = frame
        return self._z(self._numbers[-1])

    def finish(self, signals: Signals) -> Score:
        if not self._numbers:
            raise BadData("not one frame of the clip was seen")
        return Score(self._z(float(np.mean(self._numbers))), np.array([self._z(n) for n in self._numbers]))

    def _z(self, number: float) -> float:
        return abs(number - self._baseline.mean) / self._baseline.spread


@detectors.register("intensity")
class Intensity(Baseline):
    """Mean brightness."""

    name = "intensity"
    card = Card("mean intensity", Setting.BASELINE, "none", "frames at 90 lines", ran="on the twin, in the benchmark and live")

    def number(self, frame: NDArray[np.uint8], before: NDArray[np.uint8] | None) -> float:
        return float(frame.mean())


@detectors.register("frame_difference")
class FrameDifference(Baseline):
    """Mean absolute difference to the frame before."""

    name = "frame_difference"
    card = Card("mean frame difference", Setting.BASELINE, "none", "frames at 90 lines", ran="on the twin, in the benchmark and live")

    def number(self, frame: NDArray[np.uint8], before: NDArray[np.uint8] | None) -> float:
        return 0.0 if before is None else float(np.abs(frame.astype(np.int16) - before).mean())
