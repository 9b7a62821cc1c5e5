"""The memory of MNAD: items on the unit sphere that record what normal queries look like (Park et al., on the memory and on the losses).

Queries are (K, C), items (M, C), both of unit length. Items are no parameters: queries are added to them as they are seen.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F


def address(queries: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """How much each query is each item's (K, M); each row sums to one."""
    return (queries @ items.T).softmax(1)


def read(queries: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """What the memory answers to each query (K, C)."""
    return address(queries, items) @ items


def update(queries: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """The items (M, C) after each took up the queries that it is the nearest to, the nearest of these with weight one."""
    scores = queries @ items.T  # (K, M)
    mine = F.one_hot(scores.argmax(1), len(items)).bool()
    best = scores.where(mine, scores.new_tensor(-torch.inf)).amax(0)  # (M,)
    weights = (scores - best).exp().where(mine, scores.new_zeros(()))
    return F.normalize(items + weights.T @ queries, dim=1)


def distance(queries: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """Of each query from the nearest item (K,)."""
    return _apart(queries, items[(queries @ items.T).argmax(1)])


def compactness(queries: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
    """Mean square of the difference to the nearest item, over queries and channels, as the public code averages it."""
    return distance(queries, items).square().mean() / queries.shape[1]


def separateness(queries: torch.Tensor, items: torch.Tensor, margin: float = 1.0) -> torch.Tensor:
    """By how much queries are nearer to the second nearest item than wanted: further by ``margin`` than to the nearest."""
    nearest, second = (queries @ items.T).topk(2, dim=1).indices.T
    return F.relu(_apart(queries, items[nearest]) - _apart(queries, items[second]) + margin).mean()


def _apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(a - b, dim=1)
