"""Networks that score by two terms: how badly a picture was made, and how far its features are from normal ones.

The papers scale each term to 0 to 1 within every video, so that each video has its 1, normal ones too. Here each is taken
against its mean and spread over the training clips, so that scores are comparable across videos.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from physad_ros.core.types import Floats
from physad_ros.detectors import windows
from physad_ros.detectors.windowed import Scorer, Windowed
from physad_ros.detectors.windows import Pictures, WindowConfig

if TYPE_CHECKING:
    import torch

LEAST_SPREAD = 1e-6
LEAST_ERROR = 1e-10  # mean square of a picture in [0, 1], 100 dB

Terms = Callable[["torch.Tensor"], tuple[float, float]]


@dataclass(frozen=True)
class TwoTermsConfig(WindowConfig):
    """And how the terms are combined."""

    balance: float = 0.6  # weight of the picture's term; the features' has the rest
    reference_clips: int = 0  # training clips that mean and spread are taken over; 0: all


class TwoTerms(Windowed):
    """The score is balance * z(-PSNR) + (1 - balance) * z(distance), with z by the training clips."""

    def __init__(self, config: Any = None):
        super().__init__(config)
        self.centre: Floats = np.full(2, np.nan)
        self.spread: Floats = np.full(2, np.nan)

    @abstractmethod
    def terms(self) -> Terms:
        """For one clip: a window (1, T, C, H, W) after the other to the picture's PSNR [dB] and the features' distance."""

    def scorer(self) -> Scorer:
        terms, balance = self.terms(), self.config.balance

        def score(window: torch.Tensor) -> float:
            picture, features = (_worse(*terms(window)) - self.centre) / self.spread
            return float(balance * picture + (1 - balance) * features)

        return score

    def prepare_scoring(self, clips: Sequence[Pictures]) -> None:
        seen = []
        for at in range(self.config.reference_clips or len(clips))[: len(clips)]:
            terms = self.terms()
            ends = windows.starts([clips[at]], self.config)[0]
            seen += [_worse(*terms(self.cut(clips, [(at, begin)]))) for begin in range(0, ends, self.config.stride)]
        self.centre, self.spread = np.mean(seen, axis=0), np.maximum(np.std(seen, axis=0), LEAST_SPREAD)

    def facts(self) -> dict[str, Any]:
        return {"centre": self.centre.tolist(), "spread": self.spread.tolist()}

    def take_facts(self, facts: dict[str, Any]) -> None:
        self.centre, self.spread = (np.array(facts[key], dtype=float) for key in ("centre", "spread"))
        if self.centre.shape != (2,) or self.spread.shape != (2,):
            raise ValueError("centre and spread must be two numbers each")


def psnr(made: torch.Tensor, true: torch.Tensor) -> float:
    """Peak signal to noise ratio [dB] of pictures in [-1, 1], of any shape."""
    error = float(((made - true) / 2).square().mean())
    return float(-10 * np.log10(max(error, LEAST_ERROR)))


def _worse(psnr_db: float, distance: float) -> Floats:
    return np.array([-psnr_db, distance])
