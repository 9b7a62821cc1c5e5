"""MGFN's network (feature amplification, glance, focus) and loss (magnitude contrast)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from physad_ros.detectors.multiple_instance.losses import changes, greatest, told_apart


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of (B, C, T)."""

    def __init__(self, dim: int):
        super().__init__()
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]


class Glance(nn.Module):
    """Every snippet attends to every snippet of the clip."""

    def __init__(self, dim: int, head: int):
        super().__init__()
        self.heads = dim // head
        self.norm = ChannelNorm(dim)
        self.query_key_value = nn.Conv1d(dim, 3 * dim, 1, bias=False)
        self.out = nn.Conv1d(dim, dim, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.query_key_value(self.norm(x)).chunk(3, dim=1)
        query, key, value = (p.unflatten(1, (self.heads, -1)).transpose(2, 3) for p in parts)  # (B, heads, T, head)
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(attended.transpose(2, 3).flatten(1, 2))  # type: ignore[no-any-return]


class Focus(nn.Module):
    """Every snippet looks at its neighbours, by a kernel that all channels of a head share (self-attentional convolution)."""

    def __init__(self, dim: int, head: int, kernel: int):
        super().__init__()
        self.heads = dim // head
        self.norm = nn.BatchNorm1d(dim)
        self.value = nn.Conv1d(dim, dim, 1, bias=False)
        self.near = nn.Conv1d(self.heads, self.heads, kernel, padding=kernel // 2, groups=self.heads)
        self.out = nn.Conv1d(dim, dim, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        value = self.value(self.norm(x))
        per_head = value.unflatten(1, (-1, self.heads)).flatten(0, 1)  # (B head, heads, T)
        return self.out(self.near(per_head).unflatten(0, (len(x), -1)).flatten(1, 2))  # type: ignore[no-any-return]


class Block(nn.Module):
    """A short convolution, attention and a feed-forward part, each beside a shortcut."""

    def __init__(self, dim: int, attention: nn.Module):
        super().__init__()
        self.short = nn.Conv1d(dim, dim, 3, padding=1)
        self.attention = attention
        self.forth = nn.Sequential(ChannelNorm(dim), nn.Conv1d(dim, 4 * dim, 1), nn.GELU(), nn.Conv1d(4 * dim, dim, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.short(x)
        x = x + self.attention(x)
        return x + self.forth(x)  # type: ignore[no-any-return]


class GlanceFocus(nn.Module):
    """Snippets (B, T, D) to their features (B, T, C) and scores (B, T) in [0, 1]."""

    def __init__(
        self, dim: int, dims: tuple[int, int, int], depths: tuple[int, int, int], head: int, kernel: int, amplification: float
    ):
        super().__init__()
        self.amplification = amplification
        self.tokens = nn.Conv1d(dim, dims[0], 3, padding=1)
        self.magnitudes = nn.Conv1d(1, dims[0], 3, padding=1)
        stages: list[nn.Module] = []
        for at, (width, depth) in enumerate(zip(dims, depths)):
            stages += [Block(width, Focus(width, head, kernel) if at else Glance(width, head)) for _ in range(depth)]
            if at + 1 < len(dims):
                stages += [ChannelNorm(width), nn.Conv1d(width, dims[at + 1], 1)]
        self.stages = nn.Sequential(*stages)
        self.norm = nn.LayerNorm(dims[-1])
        self.score = nn.Linear(dims[-1], 1)

    def forward(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = vectors.transpose(1, 2)  # (B, D, T)
        x = self.tokens(x) + self.amplification * self.magnitudes(x.norm(dim=1, keepdim=True))  # (B, dims[0], T), amplified
        features = self.norm(self.stages(x).transpose(1, 2))  # (B, T, C)
        return features, torch.sigmoid(self.score(features)).squeeze(-1)


@dataclass(frozen=True)
class Weights:
    """What the parts of the loss weigh, and how far apart magnitudes should be."""

    margin: float
    smoothness: float
    sparsity: float
    contrast: float


def magnitude_loss(features: torch.Tensor, scores: torch.Tensor, top: int, dropout: float, weights: Weights) -> torch.Tensor:
    """Of features (2B, T, C) and scores (2B, T), normal clips first: cross entropy, smoothness, sparsity, contrast."""
    (normal, normal_score), (defective, defective_score) = (
        greatest(f, s, top, dropout) for f, s in zip(features.chunk(2), scores.chunk(2))
    )
    judged = scores.chunk(2)[1]
    loss = told_apart(normal_score, defective_score) + weights.smoothness * changes(judged) + weights.sparsity * judged.norm()
    return loss + weights.contrast * contrast(normal.abs().sum(2), defective.abs().sum(2), weights.margin)


def contrast(normal: torch.Tensor, defective: torch.Tensor, margin: float) -> torch.Tensor:
    """The magnitude contrastive loss of magnitudes (B, top) of as many clips of each kind: clips of a kind together, those of different kinds apart.

    Within a kind the batch's halves are compared. The part between kinds weighs a thousandth of these, as in the public code.
    """
    apart = torch.relu(margin - (defective - normal).norm(dim=1)).square().mean()
    half = len(normal) // 2
    near = [(kind[half : 2 * half] - kind[:half]).norm(dim=1).square().mean() for kind in (normal, defective)]
    return near[0] + near[1] + 1e-3 * apart
