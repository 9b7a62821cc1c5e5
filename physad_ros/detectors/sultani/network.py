"""Three fully connected layers on a segment, and the ranking loss between bags of segments."""

from __future__ import annotations

import torch
from torch import nn

from physad_ros.detectors.multiple_instance.losses import changes


class Ranker(nn.Module):
    """Segments (..., T, D), each brought to length one, to scores (..., T) in [0, 1]."""

    def __init__(self, dim: int, widths: tuple[int, int], dropout: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dim, widths[0]), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(widths[0], widths[1]), nn.Dropout(dropout),
            nn.Linear(widths[1], 1), nn.Sigmoid(),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, segments: torch.Tensor) -> torch.Tensor:
        return self.layers(nn.functional.normalize(segments, dim=-1)).squeeze(-1)  # type: ignore[no-any-return]


def ranking_loss(normal: torch.Tensor, defective: torch.Tensor, smoothness: float, sparsity: float) -> torch.Tensor:
    """The ranking loss with its two constraints on scores (N, T) and (M, T): defective bags against normal ones, summed as in the public code.

    A defective bag's maximum should exceed a normal one's by 1; its scores should change little from segment to segment and be few.
    """
    margins = torch.relu(1 - defective.amax(1)[:, None] + normal.amax(1)[None])  # (M, N)
    return margins.mean(1).sum() + smoothness * changes(defective) + sparsity * defective.sum()
