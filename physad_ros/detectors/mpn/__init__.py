"""MPN: normal frames are predicted by way of prototypes that the frames before them make up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from physad_ros.detectors import windows
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.detectors.terms import Terms, TwoTerms, TwoTermsConfig, psnr
from physad_ros.detectors.windowed import RAN
from physad_ros.detectors.windows import Pictures, Place

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MPNConfig(TwoTermsConfig):
    """Sizes and weights of MPN as its public code has them; it is trained in two stages."""

    width: int = 64  # channels of the finest level; features have twice as many
    norm: bool = False  # over the batch, after each convolution
    prototypes: int = 10
    compactness: float = 1.0  # weight in the loss
    diversity: float = 1e-4  # weight in the loss
    # the second stage, of meta-learning: the autoencoder rests, the target is trained
    meta_epochs: int = 1000  # each has one task of each clip
    meta_rate: float = 1e-6  # of the initial weights and of the step sizes
    step_size: float = 1e-6  # of an adaptation, before it is learnt
    task: int = 4  # windows; the first half adapts, the second half judges
    segments: int = 32  # of a clip; a task's windows are of one of them
    # Off: nothing in a tested clip is known to be normal. A defect that shows from its first frame on would be taken for the
    # scene, and the scene of an inspection is that of training anyway. The published benchmark does not adapt either.
    adapt: int = 0  # windows at a tested clip's begin that the target adapts to, taken to be normal


@detectors.register("mpn")
class MPN(TwoTerms):
    """Scores a frame by how it was predicted from the four before, and how far their features are from their prototypes.

    Against its authors' code: the 113 731 step sizes of meta-learning are counted with the network, which keeps them beside it; the
    features' term is their distance, of which it takes the PSNR; and a tested clip is not adapted to, see ``adapt``. The preset
    quick has a batch norm, which the published network has not.
    """

    name = "mpn"
    config: MPNConfig
    card = Card(
        "MPN", Setting.UNSUPERVISED, "Lv et al., Learning Normal Dynamics in Videos with Meta Prototype Network, CVPR 2021",
        "4 frames BGR, 256 x 256: (B, 12, 256, 256)", ran=RAN,
    )
    presets: ClassVar[Mapping[str, MPNConfig]] = {
        # both stages as its authors' code trains it and weighs the terms; the published benchmark: to epoch 21 from a checkpoint, no
        # second stage
        "paper": MPNConfig(window=5, batch=4, epochs=1000, epoch="clips", learning_rate=1e-4, balance=0.5),
        # a sixteenth of the pixels, an eighth of the channels, some hundred steps, for which batch norm was added, one task of
        # meta-learning a clip and all of the clip for it; every third window scored
        "quick": MPNConfig(
            size=64, window=5, stride=3, batch=2, epochs=10, epoch="clips", learning_rate=5e-3, annealed=True, balance=0.5,
            width=8, norm=True, reference_clips=4, meta_epochs=1, meta_rate=1e-4, step_size=1e-2, segments=1,
        ),
    }

    def build(self) -> torch.nn.Module:
        from physad_ros.detectors.mpn.network import PrototypeNetwork

        config = self.config
        shown = (config.window - 1) * config.channels
        return PrototypeNetwork(shown, config.channels, config.width, config.norm, config.prototypes, config.step_size)

    def loss(self, windows: torch.Tensor) -> torch.Tensor:
        shown, frame = split(windows)
        return self._error(self.network(shown), frame)

    def train(self, clips: Sequence[Pictures], rng: np.random.Generator) -> None:
        """Train all but the step sizes, then the target and its step sizes for adaptation."""
        import torch

        super().train(clips, rng)
        from physad_ros.detectors.mpn.meta import task_loss

        network, config = self.network.eval(), self.config
        counts = windows.starts(clips, config)
        tasks = self._tasks(counts, rng)

        def loss() -> torch.Tensor:
            shown, frames = split(self.cut(clips, next(tasks)))
            with torch.no_grad():
                features = network.features(shown)
            return task_loss(network, self._error, features, frames)

        optimiser = torch.optim.Adam([*network.target.parameters(), *network.step_sizes], lr=config.meta_rate)
        self.descend(optimiser, config.meta_epochs * len(clips), loss)

    def terms(self) -> Terms:
        import torch

        from physad_ros.detectors.mpn import meta

        network = self.network
        weights = meta.initial(network)  # each clip begins with the trained ones
        first: list[tuple[torch.Tensor, torch.Tensor]] = []

        def of(window: torch.Tensor) -> tuple[float, float]:
            nonlocal weights
            shown, frame = split(window)
            features = network.features(shown)
            made = meta.make(network, weights, features)
            if len(first) < self.config.adapt:
                first.append((features, frame))
                if len(first) == self.config.adapt:
                    with torch.enable_grad():
                        seen, frames = (torch.cat(parts) for parts in zip(*first))
                        weights = meta.adapted(network, self._error, seen, frames, learn=False)
            return psnr(made.picture, frame), float(made.distance.mean())

        return of

    def _error(self, made: Any, frame: torch.Tensor) -> torch.Tensor:
        from physad_ros.detectors.mpn.network import compactness, diversity

        error: torch.Tensor = (made.picture - frame).square().mean()
        return error + self.config.compactness * compactness(made) + self.config.diversity * diversity(made.prototypes)

    def _tasks(self, counts: Sequence[int], rng: np.random.Generator) -> Iterator[list[Place]]:
        while True:
            for i in rng.permutation(len(counts)):
                yield segment(int(i), counts[i], self.config, rng)


def segment(clip: int, count: int, config: MPNConfig, rng: np.random.Generator) -> list[Place]:
    """A task: windows of one segment, drawn at random, of a clip that has so many."""
    long = min(max(count // config.segments, config.task), count)
    begin = int(rng.integers(count - long + 1))
    return [(clip, begin + at) for at in windows.draw(long, config.task, rng)]


def split(windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows (B, T, C, H, W) as what is shown (B, (T - 1) C, H, W) and the frame to be predicted."""
    return windows[:, :-1].flatten(1, 2), windows[:, -1]
