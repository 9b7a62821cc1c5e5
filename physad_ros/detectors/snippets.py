"""What detectors over snippet features share: where the features come from, and how a clip is scored snippet by snippet as it comes in."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Floats, Score, Signals, Timetable
from physad_ros.core.words import count
from physad_ros.detectors.base import Card, Detector, Setting, Stream
from physad_ros.features.base import SNIPPET, Extractor, Pictures, Vectors, extractors
from physad_ros.features.cache import features_of
from physad_ros.features.i3d import I3D


def snippet_card(title: str, setting: Setting, source: str) -> Card:
    """Of a method that takes I3D's features as published, and `motion` in the preset quick."""
    return Card(
        title, setting, source, "snippets of 16 frames as vectors of 2048 (I3D) or 880 (motion)",
        checkpoint=f"for the preset paper: {I3D.checkpoint}", licence=I3D.licence,
        ran="quick: trained and tested on the twin, on features that need no weights; paper: never, for want of I3D's weights",
    )


class OverSnippets(Detector):
    """A snippet is scored when its last frame comes, by those up to it; the whole clip's scores are made anew at its end.

    A subclass brings the scores, and how a clip's value is made of them. ``config`` has ``features`` and ``checkpoint``.
    """

    config: Any
    cache: Path | None = None  # folder of the features' cache, the user's own if None

    @classmethod
    def unavailable(cls, preset: str = "quick") -> str:
        made: Any = cls.preset(preset)
        return super().unavailable(preset) or str(made.extractor.unavailable())

    @abstractmethod
    def fitted(self) -> Any:
        """What was learnt; BadData where nothing was yet."""

    @abstractmethod
    def snippet_scores(self, vectors: Vectors) -> Floats:
        """Scores (S,) of a clip's snippets (S, D) as the extractor made them."""

    @abstractmethod
    def value(self, scores: Floats) -> float:
        """A clip's score from its snippets' (S,)."""

    @property
    def height(self) -> int:  # type: ignore[override]
        return self.extractor.height

    @cached_property
    def extractor(self) -> Extractor:
        """What makes the features."""
        return extractors[self.config.features].using(self.config.checkpoint)

    def features(self, clip: Clip) -> Vectors:
        """Vectors (S, D) of a clip's snippets, from the cache where they are."""
        return features_of(clip, self.extractor, self.cache)

    def stream(self, timetable: Timetable) -> Stream:
        self.fitted()
        return _Stream(self)

    def score(self, clip: Clip) -> Score:
        """As the stream does, from the features' cache where the clip was read from a file."""
        self.fitted()
        return self.judge(self.features(clip), len(clip.frames))

    def judge(self, vectors: Vectors, frames: int) -> Score:
        """The score of a clip of so many frames from its snippets (S, D); frames after the last one get its score."""
        scores = self.snippet_scores(vectors)
        per_frame = np.repeat(scores, SNIPPET)
        tail = np.full(frames - len(per_frame), scores[-1])
        return Score(self.value(scores), np.concatenate([per_frame, tail]))


class _Stream(Stream):
    def __init__(self, detector: OverSnippets):
        self._detector = detector
        self._pictures: list[Pictures] = []
        self._vectors: list[Vectors] = []
        self._seen = 0
        self._latest = 0.0

    def push(self, frame: Pictures, stamp_s: float) -> float:
        extractor = self._detector.extractor
        self._pictures.append(extractor.picture(frame))
        self._seen += 1
        if len(self._pictures) == SNIPPET:
            self._vectors.append(extractor.describe(np.stack(self._pictures)))
            self._pictures.clear()
            self._latest = float(self._detector.snippet_scores(np.stack(self._vectors))[-1])
        return self._latest

    def finish(self, signals: Signals) -> Score:
        if not self._vectors:
            raise BadData(f"{count(self._seen, 'frame')} of the clip came, fewer than one snippet of {SNIPPET}")
        return self._detector.judge(np.stack(self._vectors), self._seen)
