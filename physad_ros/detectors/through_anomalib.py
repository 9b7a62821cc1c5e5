"""Video models of anomalib 2, run through anomalib itself. It is not required: pip install 'anomalib[video]', in an environment with torchvision."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import Clip, Score, Signals, Timetable
from physad_ros.detectors import storage
from physad_ros.detectors.base import Detector, Stream
from physad_ros.detectors.windowed import summed

if TYPE_CHECKING:
    import torch

INSTALL = "pip install 'anomalib[video]'"


def hub() -> Path:
    """Folder of torch hub, where anomalib and torchvision look for what they would else download."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub"


@dataclass(frozen=True)
class Needed:
    """A file or folder that a model reads, and where it would be downloaded from."""

    path: Path
    source: str


@dataclass(frozen=True)
class AnomalibConfig:
    """What of a clip the model sees."""

    height: int = 256  # pixels; the width keeps the aspect
    window: int = 2  # consecutive frames
    stride: int = 1  # one window every so many frames


class ThroughAnomalib(Detector):
    """Feeds windows of frames to anomalib's module, lets it fit, and takes its score for each window's newest frame and those up to the next.

    The published weights are frozen, so only what was fitted is saved; the networks are built anew from the same weights.
    """

    name: ClassVar[str]
    config: Any
    presets: ClassVar[dict[str, Any]]

    def __init__(self, config: Any = None):
        self.config = self.presets["paper"] if config is None else config
        self.height = self.config.height
        self.module: Any = None  # anomalib's Lightning module, fitted

    # -- to be brought ------------------------------------------------------------------------------------------------

    @abstractmethod
    def build(self) -> Any:
        """Anomalib's module as configured, not fitted."""

    @abstractmethod
    def needed(self) -> list[Needed]:
        """What must lie on the disk so that nothing is downloaded."""

    def packages(self) -> tuple[str, ...]:
        """What this configuration imports beside anomalib and its extra `video`."""
        return ()

    @abstractmethod
    def fitted_part(self, module: Any) -> Any:
        """The part of the module that fitting changes: a torch module."""

    @abstractmethod
    def error(self, module: Any, images: torch.Tensor) -> float:
        """Of one window (1, T, 3, H, W), RGB, prepared as the model wants it."""

    # -- the contract ---------------------------------------------------------------------------------------------------

    @classmethod
    def unavailable(cls, preset: str = "quick") -> str:
        made: Any = cls.preset(preset)
        return str(made.lacking())

    def lacking(self) -> str:
        """Packages, or the weights of this configuration, that are not here; empty if none."""
        packages = [p for p in ("anomalib", "requests", *self.packages()) if importlib.util.find_spec(p) is None]
        if packages:
            return f"{self.name} needs {' and '.join(packages)}: {' '.join([INSTALL, *self.packages()])}"
        files = [f"{n.path} (from {n.source})" for n in self.needed() if not n.path.exists()]
        return f"{self.name} needs public weights that are not here: {', '.join(files)}" if files else ""

    def parameters(self) -> int:
        if self.module is None and self.lacking():
            return 0
        return sum(p.numel() for p in (self.module or self.build()).model.parameters())

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        self._check()
        import torch
        from anomalib.data import VideoBatch

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            module = self.build().train()
            for clip in clips:
                for window in self._windows(clip.frames):
                    module.training_step(VideoBatch(image=self._images(module, window), video_path=[clip.timetable.clip_id]))
            try:
                module.fit()
            except (ValueError, RuntimeError) as error:
                raise BadData(f"{self.name}: anomalib could not fit it: {why(error)}") from error
        self.module = module.eval()

    def stream(self, timetable: Timetable) -> Stream:
        self._fitted()
        return _Stream(self)

    def window_error(self, frames: Sequence[NDArray[np.uint8]]) -> float:
        """Of one window of frames (H, W, 3) BGR."""
        import torch

        module = self._fitted()
        with torch.no_grad():
            return float(self.error(module, self._images(module, frames)))

    def save(self, folder: Path) -> None:
        facts = {"config": dataclasses.asdict(self.config), "threshold": self.threshold}
        storage.save(folder, self.name, self.fitted_part(self._fitted()).state_dict(), facts)

    @classmethod
    def load(cls, folder: Path) -> ThroughAnomalib:
        tensors, facts = storage.load(folder, cls.name)
        try:
            made = cls(type(cls.presets["paper"])(**facts["config"]))
            made.threshold = storage.number(facts["threshold"])
            made._check()
            made.module = made.build().eval()
            made.fitted_part(made.module).load_state_dict(tensors)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadData(f"{folder / cls.name}: {why(error)}; `physad fit --detector {cls.name}` makes it anew") from error
        return made

    def _windows(self, frames: NDArray[np.uint8]) -> Iterator[list[NDArray[np.uint8]]]:
        for end in range(self.config.window, len(frames) + 1, self.config.stride):
            yield list(frames[end - self.config.window : end])

    def _images(self, module: Any, frames: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Frames (H, W, 3) BGR as (1, T, 3, H, W), through the module's own pre-processor."""
        import torch

        width = round(frames[0].shape[1] * self.config.height / frames[0].shape[0])
        small = [cv2.resize(f, (width, self.config.height), interpolation=cv2.INTER_AREA)[..., ::-1] for f in frames]
        images = torch.from_numpy(np.stack(small).copy()).permute(0, 3, 1, 2).float() / 255
        return module.pre_processor(images)[None]

    def _check(self) -> None:
        if reason := self.lacking():
            raise BadData(reason)

    def _fitted(self) -> Any:
        if self.module is None:
            raise BadData(f"{self.name} is not fitted yet; fit or load it")
        return self.module


class _Stream(Stream):
    def __init__(self, detector: ThroughAnomalib):
        self._detector = detector
        self._recent: deque[NDArray[np.uint8]] = deque(maxlen=detector.config.window)
        self._errors: list[float] = []  # of each frame from the first whole window on
        self._seen = 0

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        self._recent.append(frame)
        self._seen += 1
        since = self._seen - self._detector.config.window
        if since < 0:
            return 0.0
        fresh = since % self._detector.config.stride == 0
        self._errors.append(self._detector.window_error(list(self._recent)) if fresh else self._errors[-1])
        return self._errors[-1]

    def finish(self, signals: Signals) -> Score:
        return summed(np.array(self._errors), self._seen)
