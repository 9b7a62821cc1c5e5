"""MNAD: normal frames are those that a small memory of normal features helps to predict, or to reconstruct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.detectors.terms import Terms, TwoTerms, TwoTermsConfig, psnr
from physad_ros.detectors.windowed import RAN

if TYPE_CHECKING:
    import torch

SOURCE = "Park et al., Learning Memory-guided Normality for Anomaly Detection, CVPR 2020"


@dataclass(frozen=True)
class MNADConfig(TwoTermsConfig):
    """Sizes and weights of MNAD, for prediction as its public code has them."""

    width: int = 64  # channels of the finest level; features have eight times as many
    items: int = 10  # of the memory
    compactness: float = 0.1  # weight in the loss
    separateness: float = 0.1  # weight in the loss
    regular: float = 0.01  # frames whose regular score is below it update the memory while a clip is scored


class MNAD(TwoTerms):
    """What both tasks share.

    Against its authors' code: a batch norm of 1024 numbers that it never uses is left out; a query's weight in an update is by the
    greatest among those of its item, not among all queries; gradients pass through the memory's addressing, where it stops them. Its
    scores are scaled to 0 to 1 within each video; see ``terms``.
    """

    config: MNADConfig

    def build(self) -> torch.nn.Module:
        from physad_ros.detectors.mnad.network import MemoryNetwork

        config = self.config
        shown = max(config.window - 1, 1) * config.channels
        return MemoryNetwork(shown, config.channels, config.width, config.items, skips=config.window > 1)

    def split(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Windows (B, T, C, H, W) as what is shown (B, (T - 1) C, H, W) and the frame to be made; of one frame, as both."""
        shown = windows[:, :-1] if windows.shape[1] > 1 else windows
        return shown.flatten(1, 2), windows[:, -1]

    def loss(self, windows: torch.Tensor) -> torch.Tensor:
        from physad_ros.detectors.mnad import memory
        from physad_ros.detectors.mnad.network import rows

        network, config = self.network, self.config
        shown, frame = self.split(windows)
        asked, skips = network.encode(shown)
        error: torch.Tensor = (network.decode(asked, skips, network.items) - frame).square().mean()
        queries, items = rows(asked), network.items
        network.items = memory.update(queries.detach(), items)
        near, apart = memory.compactness(queries, items), memory.separateness(queries, items)
        return error + config.compactness * near + config.separateness * apart

    def terms(self) -> Terms:
        from physad_ros.detectors.mnad import memory
        from physad_ros.detectors.mnad.network import rows

        network = self.network
        items = network.items  # each clip begins with the trained ones

        def of(window: torch.Tensor) -> tuple[float, float]:
            nonlocal items
            shown, frame = self.split(window)
            asked, skips = network.encode(shown)
            made, queries = network.decode(asked, skips, items), rows(asked)
            away = float(memory.distance(queries, items).mean())
            if regular_score(made, frame) < self.config.regular:
                items = memory.update(queries, items)
            return psnr(made, frame), away

        return of


def regular_score(made: torch.Tensor, true: torch.Tensor) -> float:
    """Squared error of pictures scaled to [0, 1], averaged with weights that grow with it (the weighted regular score).

    Taken for each number of the picture, as the public code does, for which the thresholds were found.
    """
    error = ((made - true) / 2).square()
    weights = -(-error).expm1()
    return float((weights * error).sum() / weights.sum().clamp_min(1e-12))


@detectors.register("mnad_p")
class Prediction(MNAD):
    """Scores a frame by how it was predicted from the four before."""

    name = "mnad_p"
    card = Card("MNAD, prediction", Setting.UNSUPERVISED, SOURCE, "4 frames BGR, 256 x 256: (B, 12, 256, 256)", ran=RAN)
    presets: ClassVar[Mapping[str, MNADConfig]] = {
        # batch, epochs and rate as the published benchmark trained it; its authors took 60 epochs
        "paper": MNADConfig(window=5, batch=4, epochs=7, learning_rate=2e-4, annealed=True),
        # a sixteenth of the pixels, an eighth of the channels, some hundred steps, every third window scored
        "quick": MNADConfig(
            size=64, window=5, stride=3, batch=2, epochs=16, epoch="clips", learning_rate=5e-3, annealed=True,
            width=8, reference_clips=4,
        ),
    }


@detectors.register("mnad_r")
class Reconstruction(MNAD):
    """Scores a frame by its reconstruction; with one frame in a window, nothing moves here."""

    name = "mnad_r"
    card = Card("MNAD, reconstruction", Setting.UNSUPERVISED, SOURCE, "a frame BGR, 256 x 256: (B, 3, 256, 256)", ran=RAN)
    presets: ClassVar[Mapping[str, MNADConfig]] = {
        # weights as its authors give them for this task, the rest as for prediction
        "paper": MNADConfig(
            window=1, batch=4, epochs=7, learning_rate=2e-4, annealed=True,
            compactness=0.01, separateness=0.01, balance=0.7, regular=0.015,
        ),
        # reduced as for prediction
        "quick": MNADConfig(
            size=64, window=1, stride=3, batch=2, epochs=16, epoch="clips", learning_rate=5e-3, annealed=True,
            compactness=0.01, separateness=0.01, balance=0.7, regular=0.015, width=8, reference_clips=4,
        ),
    }
