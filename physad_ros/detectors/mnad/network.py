"""The network of MNAD: an autoencoder that sees its features through a memory of normal ones."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from physad_ros.detectors.mnad import memory
from physad_ros.detectors.networks.unet import Decoder, Encoder, Skips, head


class MemoryNetwork(nn.Module):
    """Pictures (B, inputs, H, W) to a picture (B, outputs, H, W) in [-1, 1], by way of queries to a memory."""

    items: torch.Tensor  # (M, 8 width), of unit length

    def __init__(self, inputs: int, outputs: int, width: int, items: int, skips: bool):
        super().__init__()
        self.encoder = Encoder(inputs, width, norm=True)
        self.decoder = Decoder(16 * width, width, norm=True, skips=skips)
        self.head = head(2 * width, outputs, width, norm=True)
        self.register_buffer("items", F.normalize(torch.rand(items, 8 * width), dim=1))

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, Skips]:
        """Queries (B, C, H/8, W/8), of unit length along C, and what the skip connections carry."""
        features, skips = self.encoder(x)
        return F.normalize(features, dim=1), skips

    def decode(self, queries: torch.Tensor, skips: Skips, items: torch.Tensor) -> torch.Tensor:
        """The picture (B, outputs, H, W), from queries and what the memory answers to them."""
        answers = memory.read(rows(queries), items)  # (B H/8 W/8, C)
        answers = answers.view(*queries.movedim(1, -1).shape).movedim(-1, 1)
        picture: torch.Tensor = self.head(self.decoder(torch.cat([queries, answers], dim=1), skips))
        return picture


def rows(queries: torch.Tensor) -> torch.Tensor:
    """A map of queries (B, C, H, W) as (B H W, C)."""
    return queries.movedim(1, -1).flatten(0, 2)
