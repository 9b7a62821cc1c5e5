"""Clips of differing length as batches of bags of equally many segments."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch

from physad_ros.features.base import Vectors


def brought_to(vectors: Vectors, segments: int) -> Vectors:
    """Snippets (T, D) as so many segments (segments, D): each the mean of those in it, or the one that it lies in (as Sultani et al.)."""
    edges = np.linspace(0, len(vectors), segments + 1).astype(int)
    return np.stack([vectors[low : max(high, low + 1)].mean(0) for low, high in pairwise(edges)])


def stacked(bags: Sequence[Vectors], segments: int) -> torch.Tensor:
    """Clips of snippets, each (T, D), as one tensor."""
    return torch.from_numpy(np.stack([brought_to(bag, segments) for bag in bags]))  # (N, segments, D)


def batches(bags: torch.Tensor, size: int, rng: np.random.Generator) -> Iterator[torch.Tensor]:
    """So many of the bags at a time, without end, each as often as any other."""
    order: deque[int] = deque()
    while True:
        while len(order) < size:
            order.extend(rng.permutation(len(bags)).tolist())
        yield bags[[order.popleft() for _ in range(size)]]
