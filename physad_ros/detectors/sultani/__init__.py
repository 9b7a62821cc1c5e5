"""Deep multiple-instance ranking (Sultani, Chen & Shah, Real-world anomaly detection in surveillance videos, CVPR 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from physad_ros.detectors.base import Setting, detectors
from physad_ros.detectors.multiple_instance import MultipleInstance, SnippetConfig
from physad_ros.detectors.snippets import snippet_card

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SultaniConfig(SnippetConfig):
    """Sizes, dropout and both constraints' weights as in the paper; learning rate, steps and decay as in the public code."""

    widths: tuple[int, int] = (512, 32)
    dropout: float = 0.6
    smoothness: float = 8e-5
    sparsity: float = 8e-5
    batch: int = 30
    steps: int = 20_000
    learning_rate: float = 0.01
    weight_decay: float = 2e-3  # the public code adds 0.001 times the squared weights, which Adagrad sees as twice that
    top: int = 1  # the maximum, by which the ranking loss compares clips


@detectors.register("sultani")
class Sultani(MultipleInstance):
    """Ranks the highest segment of a defective clip above the highest of a normal one. A clip's value is its highest snippet score.

    Against the public code, which learns from vectors of 4096 (C3D): the last snippet of a clip is in its segments, too.
    """

    name = "sultani"
    card = snippet_card("deep MIL ranking", Setting.WEAK, "Sultani et al., CVPR 2018")
    presets: ClassVar[Mapping[str, Any]] = {
        "paper": SultaniConfig(),
        # features that need no weights, cut to 128 components, the clip's own snippets instead of 32 segments of it, fewer steps; the
        # layers after the first are the paper's
        "quick": SultaniConfig(features="motion", standardise=True, reduce=128, segments=0, steps=400),
    }

    def build(self, dim: int) -> torch.nn.Module:
        from physad_ros.detectors.sultani.network import Ranker

        return Ranker(dim, self.config.widths, self.config.dropout)

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        import torch

        weights = [p for p in network.parameters() if p.dim() > 1]
        biases = [p for p in network.parameters() if p.dim() == 1]  # not held small, as in the public code
        groups = [{"params": weights, "weight_decay": self.config.weight_decay}, {"params": biases}]
        return torch.optim.Adagrad(groups, self.config.learning_rate)

    def loss(self, network: Any, normal: torch.Tensor, defective: torch.Tensor) -> torch.Tensor:
        from physad_ros.detectors.sultani.network import ranking_loss

        return ranking_loss(network(normal), network(defective), self.config.smoothness, self.config.sparsity)

    def scores(self, network: Any, vectors: torch.Tensor) -> torch.Tensor:
        return network(vectors)  # type: ignore[no-any-return]
