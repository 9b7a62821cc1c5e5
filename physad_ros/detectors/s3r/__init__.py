"""Self-supervised sparse representation (Wu et al., S3R, ECCV 2022), in its weakly supervised setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from physad_ros.detectors.base import Setting, detectors
from physad_ros.detectors.multiple_instance import MultipleInstance, SnippetConfig
from physad_ros.detectors.s3r.dictionary import learn
from physad_ros.detectors.snippets import snippet_card
from physad_ros.features.base import Vectors

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class S3rConfig(SnippetConfig):
    """Sizes as in the public code, steps and batch as in the benchmark's."""

    atoms: float = 0.9  # of the dictionary, for every normal clip
    nonzero: int = 2  # atoms that explain a snippet
    rounds: int = 100  # of learning the dictionary
    narrower: int = 4  # how much narrower the context's branches are than the vectors
    gate: int = 16  # how much narrower the gate's inner layer is
    dropout: float = 0.7
    margin: float = 100.0  # of a defective clip's feature magnitudes
    magnitude: float = 1e-4
    smoothness: float = 8e-4
    sparsity: float = 8e-3
    weight_decay: float = 5e-3
    top: int = 5  # of a clip that is scored
    train_top: int = 3  # of a clip in training: a tenth of its 32 segments


@detectors.register("s3r")
class S3r(MultipleInstance):
    """What a dictionary of normal snippets can explain of a clip is weakened, and the rest is judged.

    A clip's value is the mean of its 5 highest snippet scores, as the benchmark's code takes it. The paper's other task, one-class with
    pseudo anomalies made by self-supervision, is not here. Against the public code: two projections of 25 178 112 numbers that it
    never uses are left out; the dictionary is learnt from all normal snippets by least squares, with atoms as long as snippets are,
    where it learns from each clip's mean, with scikit-learn; the smoothness does not reach from one clip into the next.
    """

    name = "s3r"
    card = snippet_card("S3R", Setting.WEAK, "Wu et al., ECCV 2022")
    presets: ClassVar[Mapping[str, Any]] = {
        "paper": S3rConfig(),
        # features that need no weights, cut to 128 components, the clip's own snippets instead of 32 segments of it, fewer steps; less
        # dropout, of which a classifier whose last layer has 8 inputs instead of 128 can bear only so much
        "quick": S3rConfig(
            features="motion", standardise=True, reduce=128, segments=0, steps=200, rounds=10, dropout=0.3, top=3,
        ),
    }

    def __init__(self, config: Any = None):
        super().__init__(config)
        self.dictionary: Vectors | None = None
        self.atoms = 1

    def build(self, dim: int) -> torch.nn.Module:
        import torch

        from physad_ros.detectors.s3r.network import SparseRepresentation

        atoms = np.zeros((self.atoms, dim), np.float32) if self.dictionary is None else self.dictionary
        return SparseRepresentation(torch.from_numpy(atoms), self.config.narrower, self.config.gate, self.config.dropout)

    def prepare(self, normal: Sequence[Vectors]) -> None:
        config = self.config
        self.atoms = max(round(config.atoms * len(normal)), config.nonzero)
        self.dictionary = learn(np.concatenate(normal), self.atoms, config.nonzero, config.rounds)

    def facts(self) -> dict[str, Any]:
        return {"atoms": self.atoms}

    def take_facts(self, facts: dict[str, Any]) -> None:
        self.atoms = int(facts["atoms"])

    def loss(self, network: Any, normal: torch.Tensor, defective: torch.Tensor) -> torch.Tensor:
        import torch

        from physad_ros.detectors.s3r.network import Weights, representation_loss

        config = self.config
        weights = Weights(config.margin, config.magnitude, config.smoothness, config.sparsity)
        return representation_loss(network(torch.cat([normal, defective])), config.train_top, config.dropout, weights)

    def scores(self, network: Any, vectors: torch.Tensor) -> torch.Tensor:
        return network(vectors[None]).scores[0]  # type: ignore[no-any-return]
