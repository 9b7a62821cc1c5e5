"""Snippet vectors as a network takes them: standardised to the training snippets, cut to their principal components, or left as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from physad_ros.features.base import Vectors

LEAST_SHARE = 0.1  # a number that hardly varies is not blown up beyond this share of the average spread


@dataclass(frozen=True)
class Scaling:
    """An affine map, learnt from all training clips and never from one that is scored."""

    mean: Vectors  # (D,)
    basis: Vectors  # (D, d); empty (D, 0) where vectors are left as long as they are
    spread: Vectors  # (D,)

    @classmethod
    def of(cls, bags: Sequence[Vectors], standardise: bool, reduce: int) -> Scaling:
        """From clips of snippets (T, D); ``reduce`` is the number of components, 0 for none; beyond the snippets' number they are zero."""
        every = np.concatenate(bags)  # (N, D)
        dim = every.shape[1]
        mean, spread = np.zeros(dim, np.float32), np.ones(dim, np.float32)
        if standardise:
            mean, spread = every.mean(0), every.std(0)
            spread = np.maximum(spread, max(LEAST_SHARE * float(spread.mean()), 1e-6)).astype(np.float32)
        basis = np.empty((dim, 0), np.float32)
        if reduce:
            scaled = (every - mean) / spread
            components = np.linalg.svd(scaled - scaled.mean(0), full_matrices=False)[2][:reduce].T
            basis = np.pad(components, ((0, 0), (0, reduce - components.shape[1]))).astype(np.float32)
        return cls(mean, basis, spread)

    @property
    def dim(self) -> int:
        """Numbers of a vector that comes out."""
        return self.basis.shape[1] or len(self.mean)

    def __call__(self, vectors: Vectors) -> Vectors:
        scaled = (vectors - self.mean) / self.spread
        return np.asarray(scaled @ self.basis if self.basis.shape[1] else scaled, np.float32)

    def tensors(self) -> dict[str, Any]:
        """As torch tensors by name, to be saved."""
        import torch

        return {f"scaling.{name}": torch.from_numpy(getattr(self, name)) for name in ("mean", "basis", "spread")}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Any]) -> Scaling:
        """From what ``tensors`` gave; KeyError where it is not all there."""
        return cls(*(tensors[f"scaling.{name}"].numpy() for name in ("mean", "basis", "spread")))
