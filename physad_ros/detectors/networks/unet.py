"""The autoencoder of MNAD and MPN: three halvings of the picture, and back, with or without skip connections.

As in the public code of Park et al., CVPR 2020, after Ronneberger et al.'s U-Net; that of Lv et al., CVPR 2021, has it without batch norm.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

Skips = tuple[torch.Tensor, ...]  # of each level (B, C, H, W), the finest first


def conv(inputs: int, outputs: int, norm: bool) -> list[nn.Module]:
    """3 x 3 convolution, normalised over the batch or not, and rectified."""
    return [nn.Conv2d(inputs, outputs, 3, padding=1), *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]


def double(inputs: int, outputs: int, norm: bool) -> nn.Sequential:
    """Two of them."""
    return nn.Sequential(*conv(inputs, outputs, norm), *conv(outputs, outputs, norm))


def up(inputs: int, outputs: int, norm: bool) -> nn.Sequential:
    """Twice the height and width."""
    rise = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
    return nn.Sequential(rise, *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU())


def head(inputs: int, outputs: int, width: int, norm: bool) -> nn.Sequential:
    """From the decoder's features to a picture in [-1, 1]."""
    last = nn.Conv2d(width, outputs, 3, padding=1)
    return nn.Sequential(*conv(inputs, width, norm), *conv(width, width, norm), last, nn.Tanh())


class Encoder(nn.Module):
    """Pictures (B, inputs, H, W) to features (B, 8 width, H/8, W/8), neither normalised nor rectified at the end."""

    def __init__(self, inputs: int, width: int, norm: bool):
        super().__init__()
        sizes = (inputs, width, 2 * width, 4 * width)
        self.levels = nn.ModuleList(double(a, b, norm) for a, b in pairwise(sizes))
        self.bottom = nn.Sequential(*conv(4 * width, 8 * width, norm), nn.Conv2d(8 * width, 8 * width, 3, padding=1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, Skips]:
        skips = []
        for level in self.levels:
            x = level(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        return self.bottom(x), tuple(skips)  # (B, 8 width, H/8, W/8)


class Decoder(nn.Module):
    """Features (B, inputs, H/8, W/8) to features (B, 2 width, H, W); ``skips``: the encoder's are taken in at each level."""

    def __init__(self, inputs: int, width: int, norm: bool, skips: bool):
        super().__init__()
        self.skips = skips
        sizes = (8 * width, 4 * width, 2 * width)
        self.levels = nn.ModuleList(double(a, b, norm) for a, b in zip((inputs, *sizes), sizes))
        self.ups = nn.ModuleList(up(size, size // 2 if skips else size, norm) for size in sizes)

    def forward(self, x: torch.Tensor, skips: Skips) -> torch.Tensor:
        for level, rise, skip in zip(self.levels, self.ups, reversed(skips)):
            x = rise(level(x))
            if self.skips:
                x = torch.cat([skip, x], dim=1)
        return x  # (B, 2 width, H, W)
