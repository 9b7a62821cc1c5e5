"""The one-class support vector machine of the published benchmark, over snippets of 16 frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Floats
from physad_ros.detectors import storage
from physad_ros.detectors.base import Setting, detectors
from physad_ros.detectors.multiple_instance.scaling import Scaling
from physad_ros.detectors.snippets import OverSnippets, snippet_card
from physad_ros.features.base import Vectors

NAME = "ocsvm"


@dataclass(frozen=True)
class OcSvmConfig:
    """What the machine looks at, and its kernel exp(-gamma |x - y|²); nu and gamma as in the benchmark's code."""

    features: str = "i3d"  # a registered extractor
    checkpoint: str = ""  # path of its weights; PHYSAD_<FEATURES>_CHECKPOINT if empty
    standardise: bool = False  # to the training snippets' mean and spread; for features that no network made comparable
    nu: float = 0.1  # share of the training snippets that may lie outside
    gamma: float | Literal["scale"] = 0.1  # as scikit-learn has it: "scale" is 1 / (numbers of a vector * their variance)


@dataclass(frozen=True)
class Machine:
    """What was learnt: M support vectors of D numbers each."""

    scaling: Scaling
    vectors: Floats  # (M, D), scaled
    weights: Floats  # (M,)
    offset: float
    gamma: float

    @classmethod
    def of(cls, bags: Sequence[Vectors], config: OcSvmConfig) -> Machine:
        """Learn from clips of snippets (S, D)."""
        from sklearn.svm import OneClassSVM

        scaling = Scaling.of(bags, config.standardise, reduce=0)
        snippets = scaling(np.concatenate(bags)).astype(float)  # (N, D)
        gamma = 1 / (snippets.shape[1] * (snippets.var() or 1.0)) if config.gamma == "scale" else config.gamma
        svm = OneClassSVM(kernel="rbf", gamma=gamma, nu=config.nu).fit(snippets)
        return cls(scaling, svm.support_vectors_, svm.dual_coef_[0], -float(svm.intercept_[0]), float(gamma))

    def outside(self, snippets: Vectors) -> Floats:
        """How far snippets (S, D) lie outside of what is normal, (S,): the negated decision function, above 0 where its label is -1."""
        apart = np.stack([((self.vectors - snippet) ** 2).sum(1) for snippet in self.scaling(snippets)])  # (S, M)
        return np.asarray(self.offset - np.exp(-self.gamma * apart) @ self.weights, float)


@detectors.register(NAME)
class OcSvm(OverSnippets):
    """Learns where the snippets of normal clips lie: one machine a category, over all snippets of its training clips.

    A clip's value is the mean over its snippets of how far outside they lie. Not the maximum: nu leaves a tenth of the normal
    snippets outside, so that nearly every clip has one, and all that lies far outside is equally far for a radial kernel. The
    benchmark's code takes the bare label of the first snippet, which is no score to rank clips by.
    """

    libraries = ("safetensors",)
    card = snippet_card(
        "one-class SVM", Setting.UNSUPERVISED, "Schölkopf et al., Neural Computation 2001; as in Phys-AD, CVPR 2025, src/SVM/svm.py"
    )
    #: quick takes features that need no weights, whose numbers have units of their own: standardised, with a gamma that follows their number
    presets: ClassVar[dict[str, OcSvmConfig]] = {
        "paper": OcSvmConfig(),
        "quick": OcSvmConfig(features="motion", standardise=True, gamma="scale"),
    }

    def __init__(self, config: OcSvmConfig | None = None):
        self.config = self.presets["paper"] if config is None else config
        self.machine: Machine | None = None

    def parameters(self) -> int:
        """Of the extractor; how many support vectors there are depends on the clips."""
        return self.extractor.parameters()

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        """Nothing is drawn at random. Raises BadData for a clip shorter than a snippet, and where the features' checkpoint is missing."""
        bags = [self.features(clip) for clip in clips]
        if not bags:
            raise BadData(f"{NAME} needs a clip to learn from")
        self.machine = Machine.of(bags, self.config)

    def fitted(self) -> Machine:
        if self.machine is None:
            raise BadData(f"{NAME} is not fitted yet; fit or load it")
        return self.machine

    def snippet_scores(self, vectors: Vectors) -> Floats:
        return self.fitted().outside(vectors)

    def value(self, scores: Floats) -> float:
        return float(scores.mean())

    def save(self, folder: Path) -> None:
        machine = self.fitted()
        arrays = {"vectors": machine.vectors, "weights": machine.weights, **{n: getattr(machine.scaling, n) for n in _SCALING}}
        facts = {"config": dataclasses.asdict(self.config), "threshold": self.threshold, "features": self.extractor.identity()}
        storage.save_arrays(folder, NAME, arrays, {**facts, "offset": machine.offset, "gamma": machine.gamma})

    @classmethod
    def load(cls, folder: Path) -> OcSvm:
        arrays, facts = storage.load_arrays(folder, NAME)
        try:
            made = cls(OcSvmConfig(**facts["config"]))
            made.threshold = storage.number(facts["threshold"])
            if facts["features"] != made.extractor.identity():
                raise BadData(f"it was fitted on {made.config.features} features of another checkpoint or version")
            scaling = Scaling(*(arrays[n] for n in _SCALING))
            made.machine = Machine(scaling, arrays["vectors"], arrays["weights"], float(facts["offset"]), float(facts["gamma"]))
        except (BadData, KeyError, TypeError, ValueError) as error:
            raise BadData(f"{folder / NAME}: {why(error)}; `physad fit --detector {NAME}` makes it anew") from error
        return made


_SCALING = tuple(field.name for field in dataclasses.fields(Scaling))
