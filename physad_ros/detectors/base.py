"""What a detector is: fitted on normal clips, scoring frames as they come and the clip once it is whole."""

from __future__ import annotations

import enum
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import UnknownName
from physad_ros.core.registry import Registry
from physad_ros.core.types import Clip, Score, Signals, Timetable

PRESETS = ("quick", "paper")


class Setting(enum.StrEnum):
    """What a method learns from; the groups of the paper's Table 4, and two more."""

    RULES = "rules"
    BASELINE = "baseline"
    UNSUPERVISED = "unsupervised"  # normal clips
    WEAK = "weakly supervised"  # and a few clips of each defect, of which only the label is known
    LANGUAGE = "video understanding"  # no clips: a pretrained model is asked


@dataclass(frozen=True)
class Card:
    """What `physad methods` tells of a detector."""

    title: str
    setting: Setting
    source: str  # paper, venue and year
    input: str  # shape of what the network takes
    checkpoint: str = ""  # the public weights that it needs, empty if none
    licence: str = ""  # of these weights
    ran: str = field(kw_only=True)  # what of it was run so far, plainly


class Stream(ABC):
    """Scores one clip while it comes in."""

    @abstractmethod
    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        """Take the next frame (H, W, 3) BGR; return its provisional score, on the scale of the clip's: higher is more anomalous."""

    @abstractmethod
    def finish(self, signals: Signals) -> Score:
        """Score the whole clip. Frames must not come after this."""


class Detector(ABC):
    """Fitted on clips of one category. Nothing is normalised within one video."""

    card: ClassVar[Card]
    #: configurations by the name of their preset, `paper` and `quick`; empty where there is nothing to configure
    presets: ClassVar[Mapping[str, Any]] = {}

    #: height in pixels at which it wants its frames; they are decoded or resized to it, keeping the aspect
    height: int = 360
    #: whether it looks at Signals; video only otherwise
    uses_signals: bool = False

    threshold: float = float("nan")  # by split-conformal calibration; NaN until calibrated

    #: modules that it imports and a robot that inspects by its rules does not have
    libraries: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def unavailable(cls, preset: str = "quick") -> str:
        """Why it cannot be used here as configured, and what would change that: a library or weights that are missing. Empty where it can."""
        return lacking(cls.libraries)

    @classmethod
    def preset(cls, name: str) -> Detector:
        """A fresh detector as that preset configures it; UnknownName for another preset."""
        if name not in (cls.presets or PRESETS):
            raise UnknownName("preset", name, cls.presets or PRESETS)
        return cls(cls.presets[name]) if cls.presets else cls()  # type: ignore[call-arg]

    def parameters(self) -> int:
        """How many numbers its networks have, frozen ones included; 0 where there is none."""
        return 0

    @abstractmethod
    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        """Learn from clips of one category, which ``seed`` has drawn apart from those held out.

        They are normal ones. Where the setting is WEAK there are a few defective ones among them, as their ``label`` tells.
        """

    def calibrate(self, threshold: float, false_alarm_rate: float, held_out: int) -> None:
        """Take over a threshold found on ``held_out`` normal clips."""
        self.threshold = threshold

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


def lacking(modules: Sequence[str]) -> str:
    """Which modules cannot be imported here, in a sentence that says what to do; empty where all can."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    return f"{' and '.join(absent)} must be installed: `make bench` does it, or pip install -r requirements-learning.txt" if absent else ""


detectors: Registry[type[Detector]] = Registry("detector", "physad_ros.detectors")
