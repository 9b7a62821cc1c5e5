"""The network of MPN: an autoencoder's features, pulled towards prototypes that each picture's own features make up."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from physad_ros.detectors.networks.unet import Decoder, Encoder, head


class Made(NamedTuple):
    """What comes of features (B, C, H, W), with M prototypes."""

    picture: torch.Tensor  # (B, outputs, H, W) in [-1, 1]
    distance: torch.Tensor  # (B, H W) squared, from each feature to its nearest prototype
    prototypes: torch.Tensor  # (B, M, C), of unit length


class PrototypeUnit(nn.Module):
    """Dynamic prototype unit: each of M heads weighs all features of a picture and averages them to a prototype."""

    def __init__(self, channels: int, prototypes: int):
        super().__init__()
        self.heads = nn.Linear(channels, prototypes, bias=False)

    def gather(self, features: torch.Tensor) -> torch.Tensor:
        """Prototypes (B, M, C) of unit length from features (B, N, C)."""
        weights = self.heads(features).softmax(1)  # (B, N, M); each head's sum to one over the picture
        return F.normalize(weights.transpose(1, 2) @ features, dim=2)

    def address(self, features: torch.Tensor, prototypes: torch.Tensor) -> torch.Tensor:
        """How much each feature is each prototype's (B, N, M); each row sums to one."""
        return (features @ prototypes.transpose(1, 2)).softmax(2)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features (B, N, C) of unit length with the normal ones added, and what Made holds beside the picture."""
        prototypes = self.gather(features)
        weights = self.address(features, prototypes)
        normal = F.normalize(weights @ prototypes, dim=2)
        nearest = prototypes.gather(1, weights.argmax(2, keepdim=True).expand_as(features))  # (B, N, C)
        return features + normal, (features - nearest).square().sum(2), prototypes


class Target(nn.Module):
    """What meta-learning learns to adapt: the prototype unit and the head that makes the picture."""

    def __init__(self, channels: int, outputs: int, width: int, norm: bool, prototypes: int):
        super().__init__()
        self.unit = PrototypeUnit(channels, prototypes)
        self.head = head(channels, outputs, width, norm)

    def forward(self, features: torch.Tensor) -> Made:
        rows = features.movedim(1, -1)  # (B, H, W, C)
        added, distance, prototypes = self.unit(rows.flatten(1, 2))
        return Made(self.head(added.view(rows.shape).movedim(-1, 1)), distance, prototypes)


class PrototypeNetwork(nn.Module):
    """Pictures (B, inputs, H, W) to a picture (B, outputs, H, W), with one learnt step size for each number of the target."""

    def __init__(self, inputs: int, outputs: int, width: int, norm: bool, prototypes: int, step_size: float):
        super().__init__()
        self.encoder = Encoder(inputs, width, norm)
        self.decoder = Decoder(8 * width, width, norm, skips=True)
        self.target = Target(2 * width, outputs, width, norm, prototypes)
        self.step_sizes = nn.ParameterList(torch.full_like(p, step_size) for p in self.target.parameters())

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Of pictures, (B, 2 width, H, W), of unit length along the channels."""
        return F.normalize(self.decoder(*self.encoder(x)), dim=1)

    def forward(self, x: torch.Tensor) -> Made:
        made: Made = self.target(self.features(x))
        return made


def compactness(made: Made) -> torch.Tensor:
    """Mean square of the difference of features to their nearest prototype, over features and channels."""
    return made.distance.mean() / made.prototypes.shape[2]


def diversity(prototypes: torch.Tensor, margin: float = 1.0) -> torch.Tensor:
    """By how much pairs of prototypes (B, M, C) are nearer than wanted; their distance squared, as in the public code."""
    first, second = torch.triu_indices(prototypes.shape[1], prototypes.shape[1], 1, device=prototypes.device)
    apart = (prototypes[:, first] - prototypes[:, second]).square().sum(2)  # (B, M (M - 1) / 2)
    return F.relu(margin - apart).mean()
