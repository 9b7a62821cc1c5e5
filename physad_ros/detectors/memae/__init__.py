"""MemAE: normal clips are what a memory of normal codes can put together again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.detectors.windowed import RAN, Scorer, Windowed
from physad_ros.detectors.windows import WindowConfig

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MemAEConfig(WindowConfig):
    """Sizes and weights of MemAE, as its public code has them."""

    widths: tuple[int, int, int, int] = (96, 128, 256, 256)  # channels of the encoder's layers
    items: int = 2000  # of the memory
    shrink: float = 0.0025  # weights of items at or below it count nothing
    entropy: float = 2e-4  # weight of the entropy in the loss


@detectors.register("memae")
class MemAE(Windowed):
    """Scores a window by the mean squared error of its reconstruction.

    It has as many numbers as its public code. Otherwise than there, convolutions begin with PyTorch's own weights, a code of which
    shrinkage would leave nothing keeps its addressing, and scores are not scaled to 0 to 1 within each video.
    """

    name = "memae"
    card = Card(
        "MemAE", Setting.UNSUPERVISED, "Gong et al., Memorizing Normality to Detect Anomaly, ICCV 2019",
        "16 grey frames, 256 x 256: (B, 1, 16, 256, 256)", ran=RAN,
    )
    presets: ClassVar[Mapping[str, MemAEConfig]] = {
        # batch, epochs and rate as the published benchmark trained it; its authors took 100 epochs in batches of 10
        "paper": MemAEConfig(colour="grey", window=16, batch=32, epochs=30, learning_rate=1e-4),
        # a sixteenth of the pixels, an eighth of the channels, a tenth of the memory with the paper's least threshold, 1 / items;
        # some hundred steps at a high learning rate, every fourth window scored
        "quick": MemAEConfig(
            size=64, colour="grey", window=16, stride=4, batch=2, epochs=24, epoch="clips", learning_rate=1e-2, annealed=True,
            widths=(8, 16, 32, 32), items=200, shrink=0.005,
        ),
    }

    def build(self) -> torch.nn.Module:
        from physad_ros.detectors.memae.network import Autoencoder

        config = self.config
        return Autoencoder(config.channels, config.widths, config.items, config.shrink)

    def loss(self, windows: torch.Tensor) -> torch.Tensor:
        from physad_ros.detectors.memae.network import entropy

        x = windows.transpose(1, 2)  # (B, C, T, H, W)
        again, weights = self.network(x)
        error: torch.Tensor = (again - x).square().mean()
        return error + self.config.entropy * entropy(weights)

    def scorer(self) -> Scorer:
        def score(window: torch.Tensor) -> float:
            x = window.transpose(1, 2)
            return float((self.network(x)[0] - x).square().mean())

        return score
