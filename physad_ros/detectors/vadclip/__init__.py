"""Vision-language model for weakly supervised anomaly detection (Wu et al., VadCLIP, AAAI 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.detectors.multiple_instance import MultipleInstance, SnippetConfig
from physad_ros.features.checkpoint import checkpoint_of, why_not
from physad_ros.features.clip import ClipVision, untrained

if TYPE_CHECKING:
    import torch

    from physad_ros.detectors.vadclip.text import TextTower


@dataclass(frozen=True)
class VadclipConfig(SnippetConfig):
    """Sizes, rate, schedule and loss as in the benchmark's code, whose 15 epochs of about 110 clips in batches of 16 are 105 steps.

    Its authors' code has another window, batch, rate and weight of the labels' likeness for each data set.
    """

    features: str = "clip"
    labels: tuple[str, str] = ("normally functioning", "fail to function")  # the normal one first
    length: int = 256  # snippets that are looked at together; longer clips are cut
    window: int = 32  # snippets that attend to one another
    heads: int = 1
    layers: int = 1
    prefix: int = 10  # learnt words before a label
    postfix: int = 10  # and after it
    apart: float = 1 / 6  # weight of the labels' likeness
    segments: int = 0
    batch: int = 8
    steps: int = 105
    learning_rate: float = 1e-5
    weight_decay: float = 0.01
    milestones: tuple[float, ...] = (6 / 15, 9 / 15, 13 / 15)  # shares of the steps after which the rate falls to a tenth
    top: int = 1


@detectors.register("vadclip")
class Vadclip(MultipleInstance):
    """Tells snippets apart by their features alone and by their likeness to two labels in words, both on a frozen CLIP.

    A snippet's score is its probability of not being the normal label (branch A, from which the benchmark's code takes its clip
    scores, too). A clip's value is its highest snippet score, as training compares clips: there it is the mean of the highest sixteenth
    and one more, which is one snippet below 16 of them. Against the public code: clips are not filled up with zeros to 256 snippets.
    """

    name = "vadclip"
    card = Card(
        "VadCLIP", Setting.WEAK, "Wu et al., AAAI 2024", "one frame of 224 by 224 for each 16, as a vector of 512 (CLIP)",
        checkpoint=ClipVision.checkpoint, licence=ClipVision.licence,
        ran="on a tiny untrained CLIP, in the tests: learns a few clips, finds a planted anomaly; never with CLIP's weights",
    )
    presets: ClassVar[Mapping[str, Any]] = {
        "paper": VadclipConfig(),
        # fewer steps at a higher rate; the network is the paper's, and CLIP's own weights leave no smaller one
        "quick": VadclipConfig(batch=4, steps=30, learning_rate=1e-4),
    }

    def __init__(self, config: Any = None):
        super().__init__(config)
        self._labels: torch.Tensor | None = None  # (P, D) as encoded once training has ended

    @classmethod
    def unavailable(cls, preset: str = "quick") -> str:
        return why_not(_checkpoint(""), cls.name, ClipVision.checkpoint, ClipVision.libraries)

    @cached_property
    def extractor(self) -> ClipVision:  # type: ignore[override]
        return ClipVision(_checkpoint(self.config.checkpoint))

    @cached_property
    def tower(self) -> TextTower:
        """CLIP's text half, frozen. BadData where the checkpoint is missing or no CLIP."""
        from physad_ros.detectors.vadclip.text import TextTower

        return TextTower(self.extractor.model, self.extractor.path, self.config.labels)

    def parameters(self) -> int:
        if self.extractor.unavailable():
            clip, network = untrained(), self._built(512, 512, 77)
        else:
            clip, network = self.extractor.model, self.network or self.build(self.extractor.dim)
        return sum(p.numel() for part in (clip, network) for p in part.parameters())

    def build(self, dim: int) -> torch.nn.Module:
        self._labels = None
        return self._built(dim, self.tower.width, self.tower.context)

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        import torch

        return torch.optim.AdamW(network.parameters(), self.config.learning_rate, weight_decay=self.config.weight_decay)

    def rate(self, step: int) -> float:
        return float(0.1 ** sum(step >= share * self.config.steps for share in self.config.milestones))

    def loss(self, network: Any, normal: torch.Tensor, defective: torch.Tensor) -> torch.Tensor:
        import torch

        from physad_ros.detectors.vadclip.network import both_branches

        labels = network.labels(self.tower)
        judged, aligned = network(torch.cat([normal, defective]), labels)
        return both_branches(judged, aligned, labels, self.config.apart)

    def scores(self, network: Any, vectors: torch.Tensor) -> torch.Tensor:
        import torch

        if self._labels is None:
            self._labels = network.labels(self.tower)
        parts = [network(part[None], self._labels)[1][0] for part in vectors.split(self.config.length)]  # each (T, P)
        return 1 - torch.cat(parts).softmax(-1)[:, 0]

    def _built(self, dim: int, width: int, context: int) -> torch.nn.Module:
        from physad_ros.detectors.vadclip.network import Sizes, TwoBranches

        c = self.config
        return TwoBranches(dim, width, context, Sizes(c.length, c.window, c.heads, c.layers, c.prefix, c.postfix))


def _checkpoint(given: str) -> str:
    return checkpoint_of(Vadclip.name, given) or checkpoint_of(ClipVision.name, "")
