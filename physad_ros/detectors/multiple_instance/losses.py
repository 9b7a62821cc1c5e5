"""Parts that several methods' losses share; features are (B, T, C), scores (B, T) in [0, 1]."""

from __future__ import annotations

import torch
from torch import nn


def greatest(features: torch.Tensor, scores: torch.Tensor, top: int, dropout: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``top`` snippets of greatest magnitude of each clip, (B, top, C), and their mean score (B,), among those that dropout leaves.

    Tian et al., RTFM, ICCV 2021 (its feature magnitude learning), from where S3R and MGFN have it.
    """
    left = nn.functional.dropout(torch.ones_like(scores), dropout)
    at = (features.norm(dim=2) * left).topk(min(top, scores.shape[1]), dim=1).indices  # (B, top)
    return features.gather(1, at[..., None].expand(-1, -1, features.shape[2])), scores.gather(1, at).mean(1)


def told_apart(normal: torch.Tensor, defective: torch.Tensor) -> torch.Tensor:
    """Cross entropy of the clips' scores, each (B,)."""
    labels = torch.cat([torch.zeros_like(normal), torch.ones_like(defective)])
    return nn.functional.binary_cross_entropy(torch.cat([normal, defective]), labels)


def changes(scores: torch.Tensor) -> torch.Tensor:
    """Sum of the squared differences from snippet to snippet (the temporal smoothness of Sultani et al., CVPR 2018)."""
    return (scores[:, 1:] - scores[:, :-1]).square().sum()
