"""The one-class support vector machine of the published benchmark, over snippets of 16 frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Floats, Score, Signals, Timetable
from physad_ros.detectors import storage
from physad_ros.detectors.base import Card, Detector, Setting, Stream, detectors
from physad_ros.detectors.descriptors import Descriptor, Grid, described

NAME = "ocsvm"


class SnippetFeatures(Protocol):
    """Numbers that describe a snippet of frames. The released machine takes I3D's; bring them by the detector's argument ``features``."""

    name: str
    frames: int  # in a snippet

    def __call__(self, frames: NDArray[np.uint8]) -> Floats:
        """A snippet (T, H, W, 3) BGR as (D,); T is ``frames`` or, at the end of a clip shorter than that, less."""


class Descriptors:
    """Features that need no weights: mean and deviation over the snippet of each cell's motion and gradients, on 6 × 8 cells."""

    name = "descriptors"
    frames = 16
    _descriptor = Descriptor(Grid(rows=6, columns=8, cell=16), lags=(1, 2, 4, 8))

    def __call__(self, frames: NDArray[np.uint8]) -> Floats:
        cells = described(frames, self._descriptor)  # (T, R, C, channels)
        return np.concatenate([cells.mean(0).ravel(), cells.std(0).ravel()]).astype(float)


@dataclass(frozen=True)
class OcSvmConfig:
    """The machine, and how a clip is scored."""

    nu: float = 0.1  # share of the training snippets that may lie outside
    gamma: float = 0.1  # of the kernel exp(-gamma |x - y|²), x and y scaled to a mean squared distance of 2
    first_label: bool = False  # the score is 0 or 1, whether the clip's first snippet lies outside, as the released code has it


@dataclass(frozen=True)
class Machine:
    """What was learnt: M support vectors of D numbers each."""

    mean: Floats  # (D,)
    deviation: Floats  # (D,), times the root of D
    vectors: Floats  # (M, D) in these units
    weights: Floats  # (M,)
    offset: float
    gamma: float

    def outside(self, features: Floats) -> float:
        """How far features (D,) lie outside of what is normal; negative inside."""
        apart = ((self.vectors - (features - self.mean) / self.deviation) ** 2).sum(1)
        return float(self.offset - self.weights @ np.exp(-self.gamma * apart))


@detectors.register(NAME)
class OcSvm(Detector):
    """Learns where the snippets of normal clips lie; a clip is as anomalous as its snippets are on average.

    As released: a radial kernel with gamma 0.1, nu 0.1, one machine a category over all snippets of its training clips. Not as released, since it is
    a fault of evaluation: there a clip's score is the bare label of its first snippet (``first_label``, preset ``released``).
    """

    height = 96
    card = Card(
        "one-class SVM", Setting.UNSUPERVISED, "Schölkopf et al., Neural Computation 2001; as in Phys-AD, CVPR 2025, src/SVM/svm.py",
        "snippets of 16 frames", checkpoint="none here; published with I3D features",
        ran="with features that need no weights, trained and scored on the simulated twin; not with I3D",
    )
    #: quick: the kernel is narrowed so that snippets a typical distance apart count little for each other; it costs the same
    presets: ClassVar[dict[str, OcSvmConfig]] = {
        "paper": OcSvmConfig(),
        "quick": OcSvmConfig(gamma=1.0),
        "released": OcSvmConfig(first_label=True),
    }

    def __init__(self, config: OcSvmConfig | None = None, features: SnippetFeatures | None = None):
        self.config = self.presets["paper"] if config is None else config
        self.features = features or Descriptors()
        self.machine: Machine | None = None

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        from sklearn.svm import OneClassSVM

        snippets = np.array([self.features(s) for clip in clips for s in _snippets(clip.frames, self.features.frames)])
        if not len(snippets):
            raise BadData(f"{NAME} needs a clip with frames to learn from")
        mean, deviation = snippets.mean(0), np.maximum(snippets.std(0), 1e-3) * np.sqrt(snippets.shape[1])
        svm = OneClassSVM(kernel="rbf", gamma=self.config.gamma, nu=self.config.nu).fit((snippets - mean) / deviation)
        offset = -float(svm.intercept_[0])
        self.machine = Machine(mean, deviation, svm.support_vectors_, svm.dual_coef_[0], offset, self.config.gamma)

    def calibrate(self, threshold: float, false_alarm_rate: float, held_out: int) -> None:
        self.threshold = threshold

    def stream(self, timetable: Timetable) -> Stream:
        if self.machine is None:
            raise BadData(f"{NAME} is not fitted yet; fit or load it")
        return _Stream(self.machine, self.features, self.config.first_label)

    def save(self, folder: Path) -> None:
        if self.machine is None:
            raise BadData(f"{NAME} is not fitted yet; fit or load it")
        arrays = {n: getattr(self.machine, n) for n in _ARRAYS}
        facts = {"config": dataclasses.asdict(self.config), "threshold": self.threshold, "offset": self.machine.offset}
        storage.save_arrays(folder, NAME, arrays, {**facts, "features": self.features.name})

    @classmethod
    def load(cls, folder: Path, features: SnippetFeatures | None = None) -> OcSvm:
        arrays, facts = storage.load_arrays(folder, NAME)
        try:
            made = cls(OcSvmConfig(**facts["config"]), features)
            made.threshold = storage.number(facts["threshold"])
            made.machine = Machine(offset=float(facts["offset"]), gamma=made.config.gamma, **{n: arrays[n] for n in _ARRAYS})
            learnt_on = facts["features"]
        except (KeyError, TypeError, ValueError) as error:
            raise BadData(f"{folder / NAME}: {error}; `physad fit --detector {NAME}` makes it anew") from error
        if learnt_on != made.features.name:
            raise BadData(f"{folder / NAME}: learnt on features {learnt_on!r}, not on {made.features.name!r}")
        return made


_ARRAYS = ("mean", "deviation", "vectors", "weights")


def _snippets(frames: NDArray[np.uint8], size: int) -> list[NDArray[np.uint8]]:
    """Frames cut one snippet after another; a rest is left out, unless it is all there is."""
    return [frames[at : at + size] for at in range(0, max(len(frames) - size, 0) + 1, size) if len(frames)]


class _Stream(Stream):
    def __init__(self, machine: Machine, features: SnippetFeatures, first_label: bool):
        self._machine, self._features, self._first_label = machine, features, first_label
        self._waiting: list[NDArray[np.uint8]] = []
        self._seen = 0
        self._outside: list[float] = []  # of each snippet

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        self._waiting.append(frame)
        self._seen += 1
        if len(self._waiting) == self._features.frames:
            self._take()
        return self._outside[-1] if self._outside else 0.0

    def finish(self, signals: Signals) -> Score:
        if not self._seen:
            raise BadData("not one frame of the clip was seen")
        if not self._outside:
            self._take()
        at = np.minimum(np.arange(self._seen) // self._features.frames, len(self._outside) - 1)
        value = float(self._outside[0] > 0) if self._first_label else float(np.mean(self._outside))
        return Score(value, np.array(self._outside)[at])

    def _take(self) -> None:
        self._outside.append(self._machine.outside(self._features(np.stack(self._waiting))))
        self._waiting.clear()
