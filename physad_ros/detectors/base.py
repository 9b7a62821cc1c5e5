"""What a detector is: fitted on normal clips, scoring frames as they come and the clip once it is whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.registry import Registry
from physad_ros.core.types import Clip, Score, Signals, Timetable


class Stream(ABC):
    """Scores one clip while it comes in."""

    @abstractmethod
    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        """Take the next frame (H, W, 3) BGR; return its provisional score, on the scale of the clip's: higher is more anomalous."""

    @abstractmethod
    def finish(self, signals: Signals) -> Score:
        """Score the whole clip. Frames must not come after this."""


class Detector(ABC):
    """Fitted on the normal clips of one category. Nothing is normalised within one video."""

    #: height in pixels at which it wants its frames; they are decoded or resized to it, keeping the aspect
    height: int = 360
    #: whether it looks at Signals; video only otherwise
    uses_signals: bool = False

    threshold: float = float("nan")  # by split-conformal calibration; NaN until calibrated

    @abstractmethod
    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        """Learn from normal clips of one category, which ``seed`` has drawn apart from those held out."""

    @abstractmethod
    def calibrate(self, threshold: float, false_alarm_rate: float, held_out: int) -> None:
        """Take over a threshold found on ``held_out`` normal clips."""

    @abstractmethod
    def stream(self, timetable: Timetable) -> Stream:
        """Begin to score a clip."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what was learnt, and the threshold, into a folder."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Detector:
        """Read what ``save`` wrote (for a category: models/<category>); BadData where it is missing or unusable."""

    def score(self, clip: Clip) -> Score:
        """Score a clip that is already whole: the very same calls that the live stream makes."""
        stream = self.stream(clip.timetable)
        for frame, stamp in zip(clip.frames, clip.stamps_s):
            stream.push(frame, float(stamp))
        return stream.finish(clip.signals)


detectors: Registry[type[Detector]] = Registry("detector", "physad_ros.detectors")
