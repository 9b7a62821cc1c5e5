"""Windows of consecutive frames: how they are prepared for a network, and how training draws them from clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Pictures = NDArray[np.uint8]  # (T, H, W, C) of one clip, or (H, W, C)
Place = tuple[int, int]  # which clip, and where in it a window begins


@dataclass(frozen=True)
class WindowConfig:
    """What a network over windows of frames takes, and how it is trained."""

    size: int = 256  # pixels, width and height
    colour: Literal["grey", "bgr"] = "bgr"
    window: int = 16  # frames
    stride: int = 1  # scored is every so many-th window; frames between get the score before
    batch: int = 8  # windows
    epochs: int = 60
    epoch: Literal["windows", "clips"] = "windows"  # shows each window once, or one batch of each clip
    learning_rate: float = 1e-4
    annealed: bool = False  # the learning rate falls to zero along a cosine

    @property
    def channels(self) -> int:
        """Of one picture."""
        return 1 if self.colour == "grey" else 3


def picture(frame: Pictures, config: WindowConfig) -> Pictures:
    """A frame (H, W, 3) BGR as the network's picture (size, size, C): a square, as published."""
    small = cv2.resize(frame, (config.size, config.size), interpolation=cv2.INTER_AREA)
    if config.colour == "grey":
        small = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(small, np.uint8).reshape(config.size, config.size, config.channels)


def tensor(windows: Sequence[Pictures], device: Any = "cpu") -> torch.Tensor:
    """Windows of pictures, each (T, H, W, C), as (B, T, C, H, W) in [-1, 1]."""
    import torch

    stacked = torch.from_numpy(np.stack(windows)).to(device)
    return stacked.permute(0, 1, 4, 2, 3).float() / 127.5 - 1.0


def starts(clips: Sequence[Pictures], config: WindowConfig) -> list[int]:
    """How many windows each clip has."""
    return [max(len(clip) - config.window + 1, 0) for clip in clips]


def steps(counts: Sequence[int], config: WindowConfig) -> int:
    """How many batches all epochs have, over clips of so many windows."""
    an_epoch = len(counts) if config.epoch == "clips" else -(-sum(counts) // config.batch)
    return config.epochs * an_epoch


def batches(counts: Sequence[int], config: WindowConfig, rng: np.random.Generator) -> Iterator[list[Place]]:
    """Batches of windows of clips that have so many, shuffled, epoch after epoch without end."""
    places = [(i, at) for i, count in enumerate(counts) for at in range(count)]
    while True:
        if config.epoch == "clips":
            yield from ([(int(i), at) for at in draw(counts[i], config.batch, rng)] for i in rng.permutation(len(counts)))
        else:
            order = rng.permutation(len(places))
            for begin in range(0, len(places), config.batch):
                yield [places[k] for k in order[begin : begin + config.batch]]


def draw(count: int, number: int, rng: np.random.Generator) -> list[int]:
    """So many of ``count`` things at random, each at most once if there are enough."""
    return [int(k) for k in rng.choice(count, number, replace=count < number)]
