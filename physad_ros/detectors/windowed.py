"""What the networks of the paper share: short windows of consecutive frames in, an error for each window's newest frame out."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rich.progress import track

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Floats, Score, Signals, Timetable
from physad_ros.core.words import count
from physad_ros.detectors import storage, windows
from physad_ros.detectors.base import Detector, Stream
from physad_ros.detectors.windows import Pictures, Place

if TYPE_CHECKING:
    import torch

TOP = 5  # frames whose mean score is the clip's, as published
#: what was run of a network that no more is said of
RAN = "quick: trained and tested on the twin; paper: built and counted, not trained"

Scorer = Callable[["torch.Tensor"], float]


class Windowed(Detector):
    """Prepares pictures, trains, scores windows as frames come, saves. A subclass brings the network, its loss and its errors.

    A whole clip is scored by the calls of the live stream, so both give the very same numbers; batches gain nothing on a processor.
    """

    name: ClassVar[str]
    libraries = ("torch", "safetensors")
    config: Any

    def __init__(self, config: Any = None):
        self.config = self.presets["paper"] if config is None else config
        self.height = self.config.size
        self.network: Any = None

    # -- to be brought ------------------------------------------------------------------------------------------------

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """The untrained network."""

    @abstractmethod
    def loss(self, windows: torch.Tensor) -> torch.Tensor:
        """Scalar to minimise on windows (B, T, C, H, W) in [-1, 1]."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """For one clip: a window (1, T, C, H, W) after the other, in order of time, to the error of its newest frame.

        Whatever it remembers from window to window begins anew with each scorer, so that no clip's score depends on another's.
        """

    def train(self, clips: Sequence[Pictures], rng: np.random.Generator) -> None:
        """Train the network on clips, each (T, H, W, C); in one stage, with Adam, unless overridden."""
        import torch

        counts = windows.starts(clips, self.config)
        batches = windows.batches(counts, self.config, rng)
        optimiser = torch.optim.Adam(self.network.parameters(), lr=self.config.learning_rate)
        self.descend(optimiser, windows.steps(counts, self.config), lambda: self.loss(self.cut(clips, next(batches))))

    def prepare_scoring(self, clips: Sequence[Pictures]) -> None:
        """Learn after training what scoring needs of the training clips, each (T, H, W, C); nothing unless overridden."""

    def facts(self) -> dict[str, Any]:
        """What ``prepare_scoring`` learnt, as JSON holds it."""
        return {}

    def take_facts(self, facts: dict[str, Any]) -> None:
        """Take back what ``facts`` gave."""

    # -- the contract ---------------------------------------------------------------------------------------------------

    def parameters(self) -> int:
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build().parameters())

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        import torch

        pictures = [self.pictures(clip.frames) for clip in clips]
        if not pictures or min(map(len, pictures)) < self.config.window:
            raise BadData(f"{self.name} needs clips of at least {self.config.window} frames")
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = _placed(self.build()).train()
            self.train(pictures, np.random.default_rng(seed))
        self.network.eval()
        with torch.no_grad():
            self.prepare_scoring(pictures)

    def stream(self, timetable: Timetable) -> Stream:
        return _Stream(self)

    def save(self, folder: Path) -> None:
        facts = {"config": dataclasses.asdict(self.config), "threshold": self.threshold, **self.facts()}
        storage.save(folder, self.name, self.fitted().state_dict(), facts)

    @classmethod
    def load(cls, folder: Path) -> Windowed:
        tensors, facts = storage.load(folder, cls.name)
        try:
            kind: Any = type(cls.presets["paper"])
            made = cls(kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in facts.pop("config").items()}))
            made.threshold = storage.number(facts.pop("threshold"))
            made.network = made.build()
            made.network.load_state_dict(tensors)
            made.network = _placed(made.network).eval()
            made.take_facts(facts)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadData(f"{folder / cls.name}: {why(error)}; `physad fit --detector {cls.name}` makes it anew") from error
        return made

    def fitted(self) -> Any:
        """The network; BadData where there is none yet."""
        if self.network is None:
            raise BadData(f"{self.name} is not trained yet; fit or load it")
        return self.network

    def pictures(self, frames: Pictures) -> Pictures:
        """Frames (T, H, W, 3) BGR as the network's pictures (T, size, size, C)."""
        shape = (len(frames), self.config.size, self.config.size, self.config.channels)
        return np.array([windows.picture(frame, self.config) for frame in frames], np.uint8).reshape(shape)

    def cut(self, clips: Sequence[Pictures], places: Sequence[Place]) -> torch.Tensor:
        """Windows of clips' pictures (B, T, C, H, W) in [-1, 1], where the network is."""
        device = next(self.fitted().parameters()).device
        return windows.tensor([clips[i][at : at + self.config.window] for i, at in places], device)

    def descend(self, optimiser: Any, steps: int, loss: Callable[[], torch.Tensor]) -> None:
        """Take so many steps of an optimiser, each down the gradient of a loss that is drawn anew."""
        import torch

        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=max(steps, 1))
        for _ in track(range(steps), f"training {self.name}", transient=True):
            optimiser.zero_grad()
            loss().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if self.config.annealed:
                schedule.step()


class _Stream(Stream):
    def __init__(self, detector: Windowed):
        detector.fitted()
        self._detector = detector
        self._scorer = detector.scorer()
        self._recent: deque[Pictures] = deque(maxlen=detector.config.window)
        self._seen = 0
        self._errors: list[float] = []

    def push(self, frame: Pictures, stamp_s: float) -> float:
        self._recent.append(windows.picture(frame, self._detector.config))
        self._seen += 1
        since = self._seen - self._detector.config.window
        if since < 0:
            return 0.0
        self._errors.append(self._errors[-1] if since % self._detector.config.stride else self._score())
        return self._errors[-1]

    def _score(self) -> float:
        import torch

        with torch.no_grad():
            return float(self._scorer(self._detector.cut([np.stack(self._recent)], [(0, 0)])))

    def finish(self, signals: Signals) -> Score:
        return summed(np.array(self._errors), self._seen)


def _placed(network: torch.nn.Module) -> torch.nn.Module:
    import torch

    return network.to("cuda" if torch.cuda.is_available() else "cpu")


def summed(errors: Floats, frames: int) -> Score:
    """Errors of the frames from the first whole window on, as the score of a clip; earlier frames get the first one's."""
    if not len(errors):
        raise BadData(f"{count(frames, 'frame')} of the clip came, fewer than one window")
    per_frame = np.concatenate([np.full(frames - len(errors), errors[0]), errors])
    return Score(top_mean(errors), per_frame)


def top_mean(errors: Floats) -> float:
    """Mean of the greatest TOP scores of a clip's frames."""
    return float(np.sort(errors)[-TOP:].mean())
