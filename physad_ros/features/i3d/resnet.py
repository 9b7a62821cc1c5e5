"""ResNet-50 inflated along time; its parameters bear the names of the public PyTorch checkpoint, whose last layer (`fc`) is not needed."""

from __future__ import annotations

import torch
from torch import nn

WIDTHS = (64, 128, 256, 512)
#: which blocks of each stage look at three frames instead of one
TEMPORAL = ((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0))
WIDER = 4  # a block's output against its inner width


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 in space beside a shortcut; the first also over time where ``temporal``."""

    def __init__(self, before: int, width: int, stride: int, temporal: int):
        super().__init__()
        after = width * WIDER
        self.conv1 = nn.Conv3d(before, width, (1 + 2 * temporal, 1, 1), padding=(temporal, 0, 0), bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.conv2 = nn.Conv3d(width, width, (1, 3, 3), stride=(1, stride, stride), padding=(0, 1, 1), bias=False)
        self.bn2 = nn.BatchNorm3d(width)
        self.conv3 = nn.Conv3d(width, after, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(after)
        self.downsample = (
            nn.Sequential(nn.Conv3d(before, after, 1, stride=(1, stride, stride), bias=False), nn.BatchNorm3d(after))
            if stride != 1 or before != after else None
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = torch.relu(self.bn1(self.conv1(x)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.bn3(self.conv3(inner)) + shortcut)


class InflatedResNet(nn.Module):
    """Pictures (B, 3, T, H, W) in [-1, 1] to what the last stage shows, averaged over time and space: (B, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, (5, 7, 7), stride=2, padding=(2, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        before = 64
        for at, (width, temporal) in enumerate(zip(WIDTHS, TEMPORAL), 1):
            self.add_module(f"layer{at}", _stage(before, width, 1 if at == 1 else 2, temporal))
            before = width * WIDER

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))  # (B, 64, T/2, H/2, W/2)
        x = nn.functional.max_pool3d(x, (2, 3, 3), stride=2)  # (B, 64, T/4, H/4, W/4)
        x = self.get_submodule("layer1")(x)
        x = nn.functional.max_pool3d(x, (2, 1, 1))  # (B, 256, T/8, H/4, W/4)
        for name in ("layer2", "layer3", "layer4"):
            x = self.get_submodule(name)(x)
        return x.mean((2, 3, 4))  # (B, 2048)


def _stage(before: int, width: int, stride: int, temporal: tuple[int, ...]) -> nn.Sequential:
    first = Bottleneck(before, width, stride, temporal[0])
    return nn.Sequential(first, *(Bottleneck(width * WIDER, width, 1, t) for t in temporal[1:]))
