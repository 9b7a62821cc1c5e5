"""The network of MemAE: a 3-D convolutional autoencoder whose code is put together anew from a memory of normal codes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

STRIDES = ((1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2))  # of frames, height and width; the last layers undo the first
LEAST = 1e-12


def shrink(weights: torch.Tensor, threshold: float) -> torch.Tensor:
    """Weights (N, M) >= 0 with those at or below a threshold set to zero, and each row summing to one again (hard shrinkage).

    A row of which nothing would remain keeps all its weights: it would pass no gradient, and early in training that is most rows.
    """
    kept = weights * F.relu(weights - threshold) / ((weights - threshold).abs() + LEAST)
    kept = torch.where(kept.sum(1, keepdim=True) > 0, kept, weights)
    return F.normalize(kept, p=1, dim=1)


def entropy(weights: torch.Tensor) -> torch.Tensor:
    """Mean entropy [nat] of the rows (N, M), each summing to one; small where a code is made of few items."""
    return -(weights * (weights + LEAST).log()).sum(1).mean()


class Memory(nn.Module):
    """``items`` vectors that codes are put together from; they are learnt as all other parameters are.

    An item is found by its scalar product with the code, as the public code does; the paper writes the cosine, but the softmax
    of cosines over 2000 items hardly ever exceeds the published threshold.
    """

    def __init__(self, items: int, channels: int, threshold: float):
        super().__init__()
        self.threshold = threshold
        bound = channels**-0.5
        self.items = nn.Parameter(torch.empty(items, channels).uniform_(-bound, bound))

    def address(self, codes: torch.Tensor) -> torch.Tensor:
        """For codes (N, C), the weight of each item (N, M); each row sums to one."""
        return shrink((codes @ self.items.T).softmax(1), self.threshold)

    def forward(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes (B, C, T, H, W) put together anew, in their shape, and the weights (B T H W, M)."""
        rows = codes.movedim(1, -1)  # (B, T, H, W, C)
        weights = self.address(rows.flatten(0, 3))
        return (weights @ self.items).view(rows.shape).movedim(-1, 1), weights


class Autoencoder(nn.Module):
    """Windows (B, channels, T, H, W) to their reconstruction, in their shape, and the memory's weights (N, M)."""

    def __init__(self, channels: int, widths: Sequence[int], items: int, threshold: float):
        super().__init__()
        sizes = (channels, *widths)
        down = [_layer(nn.Conv3d(a, b, 3, s, 1), b) for a, b, s in zip(sizes, sizes[1:], STRIDES)]
        rise = [_layer(_transposed(b, a, s), a) for a, b, s in zip(sizes[1:], sizes[2:], STRIDES[1:])]
        self.encoder = nn.Sequential(*down)
        self.memory = Memory(items, sizes[-1], threshold)
        self.decoder = nn.Sequential(*reversed(rise), _transposed(sizes[1], channels, STRIDES[0]))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        codes, weights = self.memory(self.encoder(x))  # (B, C, T / 8, H / 16, W / 16)
        return self.decoder(codes), weights


def _layer(convolution: nn.Module, outputs: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.LeakyReLU(0.2))


def _transposed(inputs: int, outputs: int, stride: tuple[int, int, int]) -> nn.ConvTranspose3d:
    odd = (stride[0] - 1, stride[1] - 1, stride[2] - 1)  # what the stride left out
    return nn.ConvTranspose3d(inputs, outputs, 3, stride, 1, output_padding=odd)
