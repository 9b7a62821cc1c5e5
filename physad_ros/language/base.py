"""What a model of pictures and language is: frames and a prompt in, text and a score out, whoever computes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.registry import Registry
from physad_ros.core.types import Floats

Pictures = NDArray[np.uint8]  # (T, H, W, 3) BGR
#: metadata of a field that says where something lies here, or what it may do here: never read from a saved model, which may be somebody else's
HERE = {"here": True}
RATE_HZ = 4.0  # frames a second, about what eight frames of one of our clips are


@dataclass(frozen=True)
class Prompt:
    """What can be said to a model about the clips of one category; each back end takes what suits it."""

    working: str  # a sentence that fits a video of a working specimen
    defective: str  # one that fits a defective one
    describe: str  # asks what happens
    explain: str  # asks whether the specimen works, and why
    judge: str  # asks for yes (defective) or no
    report: str  # asks for all of it in one JSON object
    context: str  # who looks at what, for what purpose; the other questions begin with it


@dataclass(frozen=True)
class Answer:
    """What a model says of a clip."""

    score: float  # 0 (works) to 1 (defective); NaN where the model did not say
    text: str = ""  # as it came
    description: str = ""  # what happens
    explanation: str = ""  # why that is normal or not, or why there is no score
    per_frame: Floats | None = None  # (T,) one a frame that was given, where the model judges them one by one


class BackEnd:
    """One model, or one place where models are asked."""

    def __init__(self, config: Any):
        self.config = config

    @classmethod
    def unavailable(cls, config: Any) -> str:
        """Why it cannot be used here with this configuration, empty if it can; nothing is loaded to tell."""
        return ""

    def identity(self) -> str:
        """What tells this model from another; a threshold that was found with one means nothing for the other."""
        return ""

    def parameters(self) -> int:
        """How many numbers its networks have here; 0 where they are somewhere else."""
        return 0


class Judge(BackEnd, ABC):
    """Can be asked about a clip."""

    @abstractmethod
    def ask(self, frames: Pictures, prompt: Prompt, rate_hz: float = RATE_HZ) -> Answer:
        """Judge frames of one clip, in order of time, of which there are ``rate_hz`` a second; BadData where that cannot be."""


class Embedder(Judge):
    """Puts pictures and sentences into one space; judges by which of the two sentences of a prompt a frame is nearer to."""

    #: by what the published model multiplies the cosine before the softmax
    scale: float = 100.0

    def __init__(self, config: Any):
        super().__init__(config)
        self._pairs: dict[Prompt, Floats] = {}  # both sentences (2, D) of each prompt, which every frame is compared with

    @abstractmethod
    def pictures(self, frames: Pictures) -> Floats:
        """Frames as unit vectors (T, D)."""

    @abstractmethod
    def sentences(self, texts: Sequence[str]) -> Floats:
        """Sentences as unit vectors (N, D)."""

    def video(self, frames: Pictures) -> Floats:
        """Frames of one moment as one unit vector (D,): the direction of their mean."""
        mean = self.pictures(frames).mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))

    def ask(self, frames: Pictures, prompt: Prompt, rate_hz: float = RATE_HZ) -> Answer:
        if prompt not in self._pairs:
            self._pairs[prompt] = self.sentences((prompt.working, prompt.defective))
        logits = self.scale * self.pictures(frames) @ self._pairs[prompt].T  # (T, 2)
        per_frame = 1 / (1 + np.exp(np.clip(logits[:, 0] - logits[:, 1], -700, 700)))  # the softmax over two
        score = float(per_frame.mean())
        return Answer(score, prompt.defective if score > 0.5 else prompt.working, per_frame=per_frame)


class Talker(Judge):
    """Answers in words, with or without pictures."""

    @abstractmethod
    def say(self, text: str, frames: Pictures | None = None, system: str = "") -> str:
        """The reply to one message; BadData where there is none."""


class Captioner(BackEnd, ABC):
    """Says in a few words what each picture shows."""

    @abstractmethod
    def captions(self, frames: Pictures) -> list[str]:
        """One caption a frame."""


back_ends: Registry[type[BackEnd]] = Registry("back end", "physad_ros.language")
