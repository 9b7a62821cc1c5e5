"""Detectors that are asked rather than trained: a pretrained model judges a few frames of each clip; only the threshold is learnt."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Floats, Score, Signals, Timetable
from physad_ros.dataset.files import write_json
from physad_ros.detectors import storage
from physad_ros.detectors.base import Detector, Stream
from physad_ros.language.base import Judge, back_ends
from physad_ros.language.local import NO_FOLDER
from physad_ros.language.pictures import sampled
from physad_ros.language.prompts import prompt_of

UNTRIED = "its code with tiny models of random weights; not run with the published weights"


class Asked(Detector):
    """A back end of ``physad_ros.language``, opened when it is first needed, and the prompts of the clip's category."""

    name: ClassVar[str]
    back_end: ClassVar[str]
    #: whether each frame is judged as it comes, and the clip by their mean; else the clip is judged once it is whole
    framewise: ClassVar[bool] = False
    #: how many numbers the public checkpoint has; 0 where that is not known before one is there
    published: ClassVar[int] = 0
    config: Any

    def __init__(self, config: Any = None):
        self.config = self.presets["paper"] if config is None else config
        self._judge: Judge | None = None
        self._calibrated_with = ""  # identity of the model that the threshold was found with, where it was read from a file

    @classmethod
    def unavailable(cls, preset: str = "quick") -> str:
        """The checkpoint is where the environment variable PHYSAD_<NAME>_CHECKPOINT says."""
        return cls._lacking(cls.presets[preset])

    def judge(self) -> Judge:
        """The model, loaded; BadData where it cannot be."""
        if self._judge is None:
            if reason := self._lacking(self.config):
                raise BadData(reason)
            kind: Any = back_ends[self.back_end]
            judge: Judge = kind(self._placed(self.config))
            if self._calibrated_with not in ("", judge.identity()):
                raise BadData(f"{self.name}: its threshold was found with another model; `physad fit --detector {self.name}` finds one for this")
            self._judge = judge
        return self._judge

    def parameters(self) -> int:
        """Of what is loaded; of the public checkpoint before that."""
        return self.published if self._judge is None else self._judge.parameters()

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        """Learns nothing; makes sure that the model is there."""
        self.judge()

    def stream(self, timetable: Timetable) -> Stream:
        return _Framewise(self, timetable) if self.framewise else _Whole(self, timetable)

    def save(self, folder: Path) -> None:
        kept = {name: getattr(self.config, name) for name in _kept(type(self.config))}
        write_json(folder / f"{self.name}.json", {"config": kept, "threshold": self.threshold, "model": self.judge().identity()})

    @classmethod
    def load(cls, folder: Path) -> Asked:
        file = folder / f"{cls.name}.json"
        try:
            facts = json.loads(file.read_text())
            kind: Any = type(cls.presets["paper"])
            if foreign := set(facts["config"]) - _kept(kind):
                raise ValueError(f"{', '.join(sorted(foreign))} cannot be set by a saved model")
            made = cls(kind(**facts["config"]))
            made.threshold, made._calibrated_with = storage.number(facts["threshold"]), str(facts["model"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadData(f"{file}: {why(error)}; `physad fit --detector {cls.name}` makes it") from error
        return made

    @classmethod
    def _lacking(cls, config: Any) -> str:
        return back_ends[cls.back_end].unavailable(cls._placed(config)).replace(NO_FOLDER, f"set {cls._variable()} to a folder with")

    @classmethod
    def _variable(cls) -> str:
        return f"PHYSAD_{cls.name.upper()}_CHECKPOINT"

    @classmethod
    def _placed(cls, config: Any) -> Any:
        """The configuration with the environment's checkpoint where it takes one and names none."""
        if getattr(config, "checkpoint", None) != "":
            return config
        return dataclasses.replace(config, checkpoint=os.environ.get(cls._variable(), ""))


def _kept(config: type) -> set[str]:
    """Fields that are saved and read: not where the model lies or is asked, or what it may do here."""
    return {f.name for f in dataclasses.fields(config) if not f.metadata.get("here")}


class _Sampling(Stream):
    """Knows from the timetable which frames the model is to see."""

    def __init__(self, detector: Asked, timetable: Timetable):
        self._judge = detector.judge()
        self._prompt = prompt_of(load_category(timetable.category))
        wanted = sampled(timetable.frames, detector.config.frames)
        self._wanted, self._rate_hz = set(wanted), timetable.fps * len(wanted) / max(timetable.frames, 1)
        self._seen = 0
        self._at: list[int] = []  # places of the frames that the model is shown

    def _shown(self) -> bool:
        """Whether the frame that just came is one of them."""
        self._seen += 1
        if self._seen - 1 not in self._wanted:
            return False
        self._at.append(self._seen - 1)
        return True

    def _spread(self, scores: Floats) -> Floats:
        """Scores of the frames that were shown, to one for every frame (T,)."""
        return np.interp(np.arange(self._seen), self._at, scores)


class _Framewise(_Sampling):
    def __init__(self, detector: Asked, timetable: Timetable):
        super().__init__(detector, timetable)
        self._scores: list[float] = []

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        if self._shown():
            self._scores.append(self._judge.ask(frame[None], self._prompt).score)
        return self._scores[-1] if self._scores else 0.0

    def finish(self, signals: Signals) -> Score:
        if not self._scores:
            raise BadData("not one frame of the clip was seen that the model is asked about")
        return Score(float(np.mean(self._scores)), self._spread(np.array(self._scores)))


class _Whole(_Sampling):
    def __init__(self, detector: Asked, timetable: Timetable):
        super().__init__(detector, timetable)
        self._frames: list[NDArray[np.uint8]] = []

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        if self._shown():
            self._frames.append(frame)
        return 0.0  # it does not judge before it has seen all

    def finish(self, signals: Signals) -> Score:
        if not self._frames:
            raise BadData("not one frame of the clip was seen that the model is asked about")
        answer = self._judge.ask(np.stack(self._frames), self._prompt, self._rate_hz)
        per_frame = np.full(self._seen, answer.score) if answer.per_frame is None else self._spread(answer.per_frame)
        return Score(answer.score, per_frame, (), answer.description, answer.explanation)
