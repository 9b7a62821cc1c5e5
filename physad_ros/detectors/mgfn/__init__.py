"""Magnitude-contrastive glance-and-focus network (Chen et al., MGFN, AAAI 2023)."""

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
class MgfnConfig(SnippetConfig):
    """Sizes as in the public code, batch as in the benchmark's, whose 500 epochs of the usual 8 defective clips are 1000 steps."""

    dims: tuple[int, int, int] = (64, 128, 1024)  # of the glance stage and the two focus stages
    depths: tuple[int, int, int] = (3, 3, 2)
    head: int = 64  # numbers of an attention head
    kernel: int = 5  # snippets around one that the focus looks at
    amplification: float = 0.1  # of the magnitude against the vector itself (mag_ratio)
    dropout: float = 0.7  # share of the snippets that training leaves out when it looks for the greatest
    margin: float = 200.0  # between the magnitudes of the two kinds
    smoothness: float = 8e-4
    sparsity: float = 8e-3
    contrast: float = 1e-3
    weight_decay: float = 5e-4


@detectors.register("mgfn")
class Mgfn(MultipleInstance):
    """Attention over all of a clip, then over each snippet's neighbours; magnitudes drawn together within a kind and apart between.

    A clip's value is the mean of its 3 highest snippet scores, as the benchmark's code takes it. Against the public code: smoothness
    and sparsity are of the defective clips' scores, as Sultani et al. brought them in, where it takes smoothness of both kinds' scores
    and sparsity of the normal ones'.
    """

    name = "mgfn"
    card = snippet_card("MGFN", Setting.WEAK, "Chen et al., AAAI 2023")
    presets: ClassVar[Mapping[str, Any]] = {
        "paper": MgfnConfig(),
        # features that need no weights, narrower and shallower, the clip's own snippets instead of 32 segments of it, fewer steps; the
        # margin goes down with the width, for magnitudes are sums over it
        "quick": MgfnConfig(
            features="motion", standardise=True, segments=0, steps=200,
            dims=(32, 64, 128), depths=(1, 1, 1), head=32, margin=25.0,
        ),
    }

    def build(self, dim: int) -> torch.nn.Module:
        from physad_ros.detectors.mgfn.network import GlanceFocus

        config = self.config
        return GlanceFocus(dim, config.dims, config.depths, config.head, config.kernel, config.amplification)

    def loss(self, network: Any, normal: torch.Tensor, defective: torch.Tensor) -> torch.Tensor:
        import torch

        from physad_ros.detectors.mgfn.network import Weights, magnitude_loss

        config = self.config
        weights = Weights(config.margin, config.smoothness, config.sparsity, config.contrast)
        features, scores = network(torch.cat([normal, defective]))
        return magnitude_loss(features, scores, config.top, config.dropout, weights)

    def scores(self, network: Any, vectors: torch.Tensor) -> torch.Tensor:
        return network(vectors[None])[1][0]  # type: ignore[no-any-return]
