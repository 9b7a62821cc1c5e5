"""S3R's network: context, en-normal, de-normal and the two classifiers, and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from physad_ros.detectors.multiple_instance.losses import changes, greatest, told_apart

GROUPS = 8  # of the group normalisation
REACH = (1, 2, 4)  # snippets between those that a dilated branch sees


class Seen(NamedTuple):
    """What the network makes of clips."""

    features: torch.Tensor  # (B, T, D) what the dictionary does not explain
    scores: torch.Tensor  # (B, T) of the snippets
    normal: torch.Tensor  # (B,) score of what the dictionary rebuilds, which should be low whatever the clip is


class NonLocal(nn.Module):
    """Every snippet takes from every other as much as it resembles it (Wang et al., CVPR 2018); begins as the identity."""

    def __init__(self, dim: int):
        super().__init__()
        inner = dim // 2
        self.query, self.key, self.value = (nn.Conv1d(dim, inner, 1) for _ in range(3))
        norm = nn.BatchNorm1d(dim)
        nn.init.zeros_(norm.weight)
        self.out = nn.Sequential(nn.Conv1d(inner, dim, 1), norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        alike = self.query(x).transpose(1, 2) @ self.key(x) / x.shape[2]  # (B, T, T)
        return x + self.out(self.value(x) @ alike.transpose(1, 2))  # type: ignore[no-any-return]


class Context(nn.Module):
    """Three dilated branches and a non-local one, fused, beside a shortcut (the temporal network of RTFM): (B, T, D) to the same."""

    def __init__(self, dim: int, narrower: int):
        super().__init__()
        inner = dim // narrower
        self.dilated = nn.ModuleList(
            nn.Sequential(nn.Conv1d(dim, inner, 3, dilation=r, padding=r), nn.GroupNorm(GROUPS, inner), nn.ReLU()) for r in REACH
        )
        self.wide = nn.Sequential(nn.Conv1d(dim, inner, 1, bias=False), nn.ReLU(), NonLocal(inner))
        fused = inner * (len(REACH) + 1)
        self.fuse = nn.Sequential(nn.Conv1d(fused, dim, 3, padding=1, bias=False), nn.GroupNorm(GROUPS, dim), nn.ReLU())

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        x = vectors.transpose(1, 2)  # (B, D, T)
        branches = [branch(x) for branch in self.dilated]
        return vectors + self.fuse(torch.cat([*branches, self.wide(x)], 1)).transpose(1, 2)


class EnNormal(nn.Module):
    """Rebuilds snippets (B, T, D) from a dictionary (S, D) by attention: what of them is normal."""

    def __init__(self, dim: int, narrower: int):
        super().__init__()
        self.query, self.key = nn.Linear(dim, dim // narrower), nn.Linear(dim, dim // narrower)
        self.value = nn.Linear(dim, dim)

    def forward(self, vectors: torch.Tensor, dictionary: torch.Tensor) -> torch.Tensor:
        return self.address(vectors, dictionary) @ self.value(dictionary)

    def address(self, vectors: torch.Tensor, dictionary: torch.Tensor) -> torch.Tensor:
        """Weights (B, T, S) of the atoms, which sum to one."""
        return (self.query(vectors) @ self.key(dictionary).T).softmax(-1)


class DeNormal(nn.Module):
    """Weakens the channels in which a clip is as its rebuilt self, by a gate on the difference of their means."""

    def __init__(self, dim: int, narrower: int):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(dim, dim // narrower), nn.ReLU(), nn.Linear(dim // narrower, dim), nn.Sigmoid())

    def forward(self, vectors: torch.Tensor, rebuilt: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        share = self.gate(vectors.mean(1, keepdim=True) - rebuilt.mean(1, keepdim=True))  # (B, 1, D)
        return vectors * share, rebuilt * (1 - share)


class SparseRepresentation(nn.Module):
    """Snippets (B, T, D) to what is ``Seen`` in them, against a dictionary (S, D) that is not trained here."""

    dictionary: torch.Tensor

    def __init__(self, dictionary: torch.Tensor, narrower: int, gate: int, dropout: float):
        super().__init__()
        dim = dictionary.shape[1]
        self.register_buffer("dictionary", dictionary)
        self.en_normal, self.de_normal = EnNormal(dim, narrower), DeNormal(dim, gate)
        self.context, self.rebuilt_context = Context(dim, narrower), Context(dim, narrower)
        self.dropout = nn.Dropout(dropout)
        self.classifier, self.rebuilt_classifier = _classifier(dim, dropout), _classifier(dim, dropout)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv1d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, vectors: torch.Tensor) -> Seen:
        rebuilt = self.dropout(self.rebuilt_context(self.en_normal(vectors, self.dictionary)))
        features, rebuilt = self.de_normal(self.dropout(self.context(vectors)), rebuilt)
        return Seen(features, self.classifier(features).squeeze(-1), self.rebuilt_classifier(rebuilt.mean(1)).squeeze(-1))


def _classifier(dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(dim, dim // 4), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(dim // 4, dim // 16), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(dim // 16, 1), nn.Sigmoid(),
    )


@dataclass(frozen=True)
class Weights:
    """What the parts of the loss weigh, and how great a defective clip's features should be."""

    margin: float
    magnitude: float
    smoothness: float
    sparsity: float


def representation_loss(seen: Seen, top: int, dropout: float, weights: Weights) -> torch.Tensor:
    """Of 2B clips, normal ones first: both classifiers, magnitudes, smoothness and sparsity of defective clips' scores."""
    (normal, normal_score), (defective, defective_score) = (
        greatest(f, s, top, dropout) for f, s in zip(seen.features.chunk(2), seen.scores.chunk(2))
    )
    judged = seen.scores.chunk(2)[1]
    loss = told_apart(normal_score, defective_score) + told_apart(seen.normal, seen.normal[:0])
    loss = loss + weights.smoothness * changes(judged) + weights.sparsity * judged.norm()
    return loss + weights.magnitude * magnitudes(normal.mean(1).norm(dim=1), defective.mean(1).norm(dim=1), weights.margin)


def magnitudes(normal: torch.Tensor, defective: torch.Tensor, margin: float) -> torch.Tensor:
    """Of features (B,) of each kind: a defective clip's should reach the margin, a normal one's nothing (RTFM's magnitude loss)."""
    return ((margin - defective).abs() + normal).square().mean()
