"""What the networks of the paper share: short windows of consecutive frames in, an error for each window's newest frame out."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Floats, Score, Signals, Timetable
from physad_ros.detectors import storage
from physad_ros.detectors.base import Detector, Stream

if TYPE_CHECKING:
    import torch

TOP = 5  # frames whose mean score is the clip's, as published

Pictures = NDArray[np.uint8]
Scorer = Callable[["torch.Tensor"], Floats]


@dataclass(frozen=True)
class WindowConfig:
    """What a network over windows of frames takes, and how it is trained."""

    size: int = 256  # pixels, width and height
    colour: Literal["grey", "bgr"] = "bgr"
    window: int = 16  # frames
    stride: int = 1  # scored is every so many-th window; frames between get the score before
    batch: int = 8
    epochs: int = 60
    steps: int = 0  # of training at the most; 0: as many as the epochs have
    learning_rate: float = 1e-4


class Windowed(Detector):
    """Prepares pictures, trains, scores windows as frames come, saves. A subclass brings the network, its loss and its errors."""

    height = 256
    name: ClassVar[str]
    config: Any

    def __init__(self, config: Any = None):
        self.config = self.presets["paper"] if config is None else config
        self.network: Any = None

    # -- to be brought ------------------------------------------------------------------------------------------------

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """The untrained network."""

    @abstractmethod
    def loss(self, network: Any, windows: torch.Tensor) -> torch.Tensor:
        """Scalar to minimise on windows (B, T, C, H, W) in [-1, 1]."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """For one clip: windows (B, T, C, H, W) in order of time, to an error (B,) of each one's newest frame.

        Whatever it remembers from window to window begins anew with each scorer, so that no clip's score depends on another's.
        """

    def prepare_scoring(self, clips: Sequence[Pictures]) -> None:
        """Learn after training what scoring needs of the training clips, each (T, H, W, C); nothing unless overridden."""

    # -- the contract ---------------------------------------------------------------------------------------------------

    def parameters(self) -> int:
        return sum(p.numel() for p in (self.build() if self.network is None else self.network).parameters())

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        import torch

        torch.manual_seed(seed)
        pictures = [self.pictures(clip.frames) for clip in clips]
        if any(len(p) < self.config.window for p in pictures):
            raise BadData(f"{self.name} needs clips of at least {self.config.window} frames")
        self.network = self.build()
        self._train(pictures, seed)
        self.network.eval()
        self.prepare_scoring(pictures)

    def calibrate(self, threshold: float, false_alarm_rate: float, held_out: int) -> None:
        self.threshold = threshold

    def stream(self, timetable: Timetable) -> Stream:
        return _Stream(self)

    def score(self, clip: Clip) -> Score:
        """The calls of the live stream, several windows at a time."""
        pictures, scorer, config = self.pictures(clip.frames), self._scorer(), self.config
        ends = range(config.window, len(pictures) + 1, config.stride)
        errors: list[float] = []
        for at in range(0, len(ends), config.batch):
            errors.extend(scorer(self.tensor([pictures[e - config.window : e] for e in ends[at : at + config.batch]])))
        return _summed(np.repeat(errors, config.stride)[: max(len(pictures) - config.window + 1, 0)], len(pictures))

    def save(self, folder: Path) -> None:
        facts = {"config": dataclasses.asdict(self.config), "threshold": self.threshold, **self.facts()}
        storage.save(folder, self.name, self._fitted().state_dict(), facts)

    @classmethod
    def load(cls, folder: Path) -> Windowed:
        tensors, facts = storage.load(folder, cls.name)
        try:
            kind: Any = type(cls.presets["paper"])
            made = cls(kind(**facts.pop("config")))
            threshold = facts.pop("threshold")
            made.threshold = float("nan") if threshold is None else float(threshold)
            made.network = made.build()
            made.network.load_state_dict(tensors)
            made.network.eval()
            made.take_facts(facts)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadData(f"{folder / cls.name}: {error}; `physad fit --detector {cls.name}` makes it anew") from error
        return made

    def facts(self) -> dict[str, Any]:
        """What ``prepare_scoring`` learnt, as JSON holds it."""
        return {}

    def take_facts(self, facts: dict[str, Any]) -> None:
        """Take back what ``facts`` gave."""

    # -- pictures and training ------------------------------------------------------------------------------------------

    def pictures(self, frames: Pictures) -> Pictures:
        """Frames (T, H, W, 3) BGR as the network's pictures (T, size, size, C)."""
        made = [self.picture(frame) for frame in frames]
        return np.stack(made) if made else np.empty((0, self.config.size, self.config.size, 1), np.uint8)

    def picture(self, frame: Pictures) -> Pictures:
        """One frame, resized to a square as published."""
        small = cv2.resize(frame, (self.config.size, self.config.size), interpolation=cv2.INTER_AREA)
        if self.config.colour == "grey":
            small = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)[..., None]
        return np.asarray(small, np.uint8)

    def tensor(self, windows: Sequence[Pictures]) -> torch.Tensor:
        """Windows of pictures as (B, T, C, H, W) in [-1, 1]."""
        import torch

        stacked = torch.from_numpy(np.stack(windows)).permute(0, 1, 4, 2, 3)
        return stacked.float() / 127.5 - 1.0

    def _train(self, pictures: Sequence[Pictures], seed: int) -> None:
        import torch

        config = self.config
        rng = np.random.default_rng(seed)
        starts = [(i, at) for i, p in enumerate(pictures) for at in range(len(p) - config.window + 1)]
        steps = config.epochs * -(-len(starts) // config.batch)
        steps = min(steps, config.steps) if config.steps else steps
        optimiser = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps)
        self.network.train()
        order: deque[int] = deque()
        for _ in track(range(steps), f"training {self.name}", transient=True):
            while len(order) < config.batch:
                order.extend(rng.permutation(len(starts)).tolist())
            drawn = [starts[order.popleft()] for _ in range(config.batch)]
            optimiser.zero_grad()
            loss = self.loss(self.network, self.tensor([pictures[i][at : at + config.window] for i, at in drawn]))
            loss.backward()
            optimiser.step()
            schedule.step()

    def _scorer(self) -> Scorer:
        import torch

        self._fitted()
        score = self.scorer()

        def call(windows: torch.Tensor) -> Floats:
            with torch.inference_mode():
                return np.asarray(score(windows), dtype=float)

        return call

    def _fitted(self) -> Any:
        if self.network is None:
            raise BadData(f"{self.name} is not trained yet; fit or load it")
        return self.network


class _Stream(Stream):
    def __init__(self, detector: Windowed):
        self._detector = detector
        self._scorer = detector._scorer()
        self._recent: deque[Pictures] = deque(maxlen=detector.config.window)
        self._seen = 0
        self._errors: list[float] = []

    def push(self, frame: Pictures, stamp_s: float) -> float:
        config = self._detector.config
        self._recent.append(self._detector.picture(frame))
        self._seen += 1
        since = self._seen - config.window
        if since < 0:
            return 0.0
        if since % config.stride == 0:
            self._errors.append(float(self._scorer(self._detector.tensor([np.stack(self._recent)]))[0]))
        else:
            self._errors.append(self._errors[-1])
        return self._errors[-1]

    def finish(self, signals: Signals) -> Score:
        return _summed(np.array(self._errors), self._seen)


def _summed(errors: Floats, frames: int) -> Score:
    """Errors of the frames from the first whole window on, as the score of a clip; earlier frames get the first one's."""
    if not len(errors):
        raise BadData(f"{frames} frames of the clip were seen, fewer than one window")
    per_frame = np.concatenate([np.full(frames - len(errors), errors[0]), errors])
    return Score(top_mean(errors), per_frame)


def top_mean(errors: Floats) -> float:
    """Mean of the greatest TOP scores of a clip's frames."""
    return float(np.sort(errors)[-TOP:].mean())
