"""Inception-v1 inflated along time; its parameters bear the names of the public PyTorch checkpoint, whose last layer (`logits`) is not needed."""

from __future__ import annotations

import torch
from torch import nn

#: output widths of a mixed block's branches: 1x1x1; 1x1x1 then 3x3x3; 1x1x1 then 3x3x3; pooled then 1x1x1
MIXED = {
    "3b": (64, 96, 128, 16, 32, 32), "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64), "4c": (160, 112, 224, 24, 64, 64), "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64), "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128), "5c": (384, 192, 384, 48, 128, 128),
}
#: what is pooled before a block: kernel and stride
POOLED = {"4b": ((3, 3, 3), (2, 2, 2)), "5b": ((2, 2, 2), (2, 2, 2))}

Three = tuple[int, int, int]


class Unit(nn.Module):
    """Convolution, padded so that its output is the input over the stride, then normalisation and rectifier."""

    def __init__(self, before: int, after: int, kernel: Three = (1, 1, 1), stride: Three = (1, 1, 1)):
        super().__init__()
        self.conv3d = nn.Conv3d(before, after, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(after, eps=1e-3, momentum=0.01)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.conv3d.kernel_size, self.conv3d.stride
        return torch.relu(self.bn(self.conv3d(same(x, kernel, stride))))


class Mixed(nn.Module):
    """Four branches beside one another."""

    def __init__(self, before: int, widths: tuple[int, ...]):
        super().__init__()
        self.b0 = Unit(before, widths[0])
        self.b1a, self.b1b = Unit(before, widths[1]), Unit(widths[1], widths[2], (3, 3, 3))
        self.b2a, self.b2b = Unit(before, widths[3]), Unit(widths[3], widths[4], (3, 3, 3))
        self.b3b = Unit(before, widths[5])
        self.width = widths[0] + widths[2] + widths[4] + widths[5]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = pool(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


class InflatedInception(nn.Module):
    """Pictures (B, 3, T, H, W) in [-1, 1] to what the last block shows, averaged over time and space: (B, 1024)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, (7, 7, 7), (2, 2, 2))
        self.Conv3d_2b_1x1 = Unit(64, 64)
        self.Conv3d_2c_3x3 = Unit(64, 192, (3, 3, 3))
        width = 192
        for name, widths in MIXED.items():
            block = Mixed(width, widths)
            self.add_module(f"Mixed_{name}", block)
            width = block.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = pool(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))  # (B, 64, T/2, H/4, W/4)
        x = pool(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))  # (B, 192, T/2, H/8, W/8)
        for name in MIXED:
            if name in POOLED:
                x = pool(x, *POOLED[name])
            x = self.get_submodule(f"Mixed_{name}")(x)
        return x.mean((2, 3, 4))  # (B, 1024)


def pool(x: torch.Tensor, kernel: Three, stride: Three) -> torch.Tensor:
    """Maximum over a kernel, padded as the convolutions are; what is pooled is never negative, so zeros do not win."""
    return nn.functional.max_pool3d(same(x, kernel, stride), kernel, stride)


def same(x: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
    """Zeros around (B, C, T, H, W), the odd one behind, so that each side of the output is the input's over the stride, rounded up."""
    pad: list[int] = []
    for size, k, s in reversed(list(zip(x.shape[2:], kernel, stride))):
        lacking = max(k - (s if size % s == 0 else size % s), 0)
        pad += [lacking // 2, lacking - lacking // 2]
    return nn.functional.pad(x, pad)
