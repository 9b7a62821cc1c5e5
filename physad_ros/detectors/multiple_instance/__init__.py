"""What the weakly supervised methods share: a clip is a bag of snippets, of which only the clip's label is known."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rich.progress import track

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import NORMAL_LABEL, Clip, Floats
from physad_ros.detectors import storage
from physad_ros.detectors.multiple_instance.scaling import Scaling
from physad_ros.detectors.snippets import OverSnippets
from physad_ros.features.base import Vectors

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SnippetConfig:
    """What a method looks at, and how it is trained."""

    features: str = "i3d"  # a registered extractor
    checkpoint: str = ""  # path of its weights; PHYSAD_<FEATURES>_CHECKPOINT if empty
    standardise: bool = False  # to the training snippets' mean and spread; for features that no network made comparable
    reduce: int = 0  # numbers that are kept of a vector, by principal components; 0: all
    segments: int = 32  # to which a training clip's snippets are brought; 0: as many as the clips have, by their median
    batch: int = 4  # clips of each kind in a step
    steps: int = 1000
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    top: int = 3  # snippets whose mean score is the clip's


class MultipleInstance(OverSnippets):
    """Trains on bags of snippets, scores, saves. A subclass brings the network, its loss and its scores.

    The clip's value is the mean of its ``top`` highest snippet scores.
    """

    name: ClassVar[str]
    libraries = ("torch", "safetensors")
    config: Any

    def __init__(self, config: Any = None):
        self.config = self.presets["paper"] if config is None else config
        self.network: Any = None
        self.scaling: Scaling | None = None

    # -- to be brought ------------------------------------------------------------------------------------------------

    @abstractmethod
    def build(self, dim: int) -> torch.nn.Module:
        """The untrained network for snippet vectors of ``dim`` numbers."""

    @abstractmethod
    def loss(self, network: Any, normal: torch.Tensor, defective: torch.Tensor) -> torch.Tensor:
        """Scalar to minimise on clips of both kinds, each (B, T, D)."""

    @abstractmethod
    def scores(self, network: Any, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (T,) of one clip's snippets (T, D), comparable from clip to clip."""

    def prepare(self, normal: Sequence[Vectors]) -> None:
        """Learn before training what the network needs of the normal clips, each (T, D); nothing unless overridden."""

    def facts(self) -> dict[str, Any]:
        """What ``build`` needs beside the configuration, as JSON holds it."""
        return {}

    def take_facts(self, facts: dict[str, Any]) -> None:
        """Take back what ``facts`` gave."""

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        """What trains; Adam unless overridden."""
        import torch

        return torch.optim.Adam(network.parameters(), self.config.learning_rate, weight_decay=self.config.weight_decay)

    def rate(self, step: int) -> float:
        """Share of the learning rate at a step; all of it unless overridden."""
        return 1.0

    # -- the contract ---------------------------------------------------------------------------------------------------

    def parameters(self) -> int:
        network = self.build(self.config.reduce or self.extractor.dim) if self.network is None else self.network
        return sum(p.numel() for p in network.parameters()) + self.extractor.parameters()

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        """Raises BadData where no clip is defective or none is normal, as their labels tell; one without a label is normal."""
        import torch

        bags: dict[bool, list[Vectors]] = {False: [], True: []}
        for clip in clips:
            bags[clip.label not in (None, NORMAL_LABEL)].append(self.features(clip))
        if not all(bags.values()):
            lacking = "defective" if bags[False] else "normal"
            raise BadData(f"{self.name} is weakly supervised and none of its {len(clips)} training clips is {lacking}")
        config = self.config
        self.scaling = Scaling.of([*bags[False], *bags[True]], config.standardise, config.reduce)
        normal, defective = ([self.scaling(bag) for bag in bags[kind]] for kind in (False, True))
        self.prepare(normal)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = self.build(normal[0].shape[1])
            self._train(normal, defective, seed)
        self.network.eval()

    def value(self, scores: Floats) -> float:
        return float(np.sort(scores)[-self.config.top :].mean())

    def snippet_scores(self, vectors: Vectors) -> Floats:
        import torch

        network, scaling = self.fitted()
        with torch.inference_mode():
            return np.asarray(self.scores(network, torch.from_numpy(scaling(vectors))), dtype=float)

    def save(self, folder: Path) -> None:
        network, scaling = self.fitted()
        facts = {"config": dataclasses.asdict(self.config), "threshold": self.threshold, "features": self.extractor.identity()}
        tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
        storage.save(folder, self.name, {**tensors, **scaling.tensors()}, {**facts, **self.facts()})

    @classmethod
    def load(cls, folder: Path) -> MultipleInstance:
        tensors, facts = storage.load(folder, cls.name)
        try:
            kind: Any = type(cls.presets["paper"])
            made = cls(kind(**facts.pop("config")))
            made.threshold = storage.number(facts.pop("threshold"))
            if facts.pop("features") != made.extractor.identity():
                raise BadData(f"it was fitted on {made.config.features} features of another checkpoint or version")
            made.take_facts(facts)
            made.scaling = Scaling.from_tensors(tensors)
            made.network = made.build(made.scaling.dim)
            made.network.load_state_dict({key.removeprefix("network."): t for key, t in tensors.items() if key.startswith("network.")})
            made.network.eval()
        except (BadData, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadData(f"{folder / cls.name}: {why(error)}; `physad bench --method {cls.name}` makes it anew") from error
        return made

    # -- training -------------------------------------------------------------------------------------------------------

    def _train(self, normal: Sequence[Vectors], defective: Sequence[Vectors], seed: int) -> None:
        import torch

        from physad_ros.detectors.multiple_instance.bags import batches, stacked

        config = self.config
        segments = config.segments or int(np.median([len(bag) for bag in [*normal, *defective]]))
        rng = np.random.default_rng(seed)
        draws = [batches(stacked(bags, segments), config.batch, rng) for bags in (normal, defective)]
        optimiser = self.optimiser(self.network)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.rate)
        self.network.train()
        for _ in track(range(config.steps), f"training {self.name}", transient=True):
            optimiser.zero_grad()
            self.loss(self.network, next(draws[0]), next(draws[1])).backward()
            optimiser.step()
            schedule.step()

    def fitted(self) -> tuple[Any, Scaling]:
        if self.network is None or self.scaling is None:
            raise BadData(f"{self.name} is not trained yet; fit or load it")
        return self.network, self.scaling
