"""Patch features of a pretrained image network, read from a local folder as transformers saves it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from physad_ros.core.errors import BadData, why

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Backbone:
    """Hidden layers of a convolutional network or of a vision transformer, on the grid of cells.

    Each layer's map is averaged over 3 × 3 neighbourhoods (PatchCore, section 3.1) and brought to the grid; together they are projected at random to
    fewer numbers, which keeps distances (PatchCore projects for its coreset only).
    """

    def __init__(self, folder: Path, layers: Sequence[int], shape: tuple[int, int], size: int, projected: int):
        """Args:
            layers: which of the model's hidden states; of a ResNet, 0 is the stem and 2 and 3 are the stages that PatchCore takes.
            shape: rows and columns of the grid.
            size: pixels, width and height, of the picture that the network gets.
            projected: numbers a cell.

        Raises:
            BadData: no such folder, or no model in it that has such layers.
        """
        self.network = _model(folder)
        self._layers, self._shape, self._size = tuple(layers), shape, size
        self._mean, self._deviation = (torch.tensor(v).view(3, 1, 1) for v in _normalisation(folder))
        try:
            width = self._maps(np.zeros((size, size, 3), np.uint8)).shape[0]
        except (IndexError, ValueError, RuntimeError) as error:
            raise BadData(f"{folder}: gives no maps of layers {self._layers} at {size} pixels: {why(error)}") from error
        generator = torch.Generator().manual_seed(0)
        self._projection = torch.randn(projected, width, generator=generator) / width**0.5

    def cells(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A frame (H, W, 3) BGR as (rows, columns, projected)."""
        return np.asarray(torch.einsum("pc,chw->hwp", self._projection, self._maps(frame)).numpy(), np.float32)

    def parameters(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    @torch.inference_mode()
    def _maps(self, frame: NDArray[np.uint8]) -> torch.Tensor:
        picture = cv2.cvtColor(cv2.resize(frame, (self._size, self._size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        pixels = (torch.from_numpy(picture).permute(2, 0, 1).float() / 255 - self._mean) / self._deviation  # (3, H, W)
        states = self.network(pixel_values=pixels[None], output_hidden_states=True).hidden_states
        maps = [functional.avg_pool2d(_as_map(states[k]), 3, 1, 1, count_include_pad=False) for k in self._layers]
        return torch.cat([functional.adaptive_avg_pool2d(m, self._shape) for m in maps], 1)[0]  # (C, rows, columns)


def _as_map(state: torch.Tensor) -> torch.Tensor:
    """A hidden state as (B, C, h, w); a transformer's tokens (B, N, C) less those that stand for no patch, which come first."""
    if state.ndim == 4:
        return state
    side = int(state.shape[1] ** 0.5)
    return state[:, -side * side :].transpose(1, 2).unflatten(2, (side, side))


def _model(folder: Path) -> torch.nn.Module:
    from transformers import AutoModel

    if not (folder / "config.json").is_file():
        raise BadData(f"{folder}: no model of transformers in it (config.json is missing); save one there with save_pretrained")
    try:
        return AutoModel.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError, KeyError) as error:
        raise BadData(f"{folder}: {why(error)}") from error


def _normalisation(folder: Path) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation of the pixels that the network was trained with."""
    file = folder / "preprocessor_config.json"
    facts = json.loads(file.read_text()) if file.is_file() else {}
    return facts.get("image_mean", IMAGENET_MEAN), facts.get("image_std", IMAGENET_DEVIATION)
