"""ImageBind (Girdhar et al., CVPR 2023): its towers for vision and text, with the public checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.core.errors import BadData
from physad_ros.core.types import Floats
from physad_ros.language.base import Embedder, Pictures, back_ends
from physad_ros.language.local import Local
from physad_ros.language.pictures import prepared

WEIGHTS = "imagebind_huge.pth"


@back_ends.register("imagebind")
class ImageBind(Local, Embedder):
    """The public checkpoint beside the tokenizer of any CLIP, which ImageBind shares."""

    files = (WEIGHTS, "tokenizer_config.json")
    wanted = f"{WEIGHTS} and the tokenizer of a CLIP"

    def read(self, folder: Path) -> Any:
        import torch
        from transformers import AutoTokenizer

        from physad_ros.language.imagebind.network import Towers

        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = Towers.of(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
        self.scale = network.scale
        return network

    def pictures(self, frames: Pictures) -> Floats:
        pixels = prepared(frames, self.network.size)  # (T, 3, S, S)
        return self._unit(self.network.picture, pixels[:, :, None].expand(-1, -1, 2, -1, -1))  # a still is shown twice

    def video(self, frames: Pictures) -> Floats:
        """Frames by pairs, as the model was trained: the direction of the mean over all pairs."""
        pixels = prepared(frames, self.network.size)
        pairs = np.stack([np.arange(0, len(frames), 2), np.minimum(np.arange(1, len(frames) + 1, 2), len(frames) - 1)], axis=1)  # (P, 2)
        mean = self._unit(self.network.picture, pixels[pairs].transpose(1, 2)).mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))

    def sentences(self, texts: Sequence[str]) -> Floats:
        import torch

        longest = self.network.context
        tokens = torch.zeros((len(texts), longest), dtype=torch.long)  # padded by zeros, as it was trained
        for row, ids in zip(tokens, self.tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]):
            row[: len(ids)] = torch.tensor(ids)
        if int(tokens.max()) >= self.network.words:
            raise BadData(f"{self.folder}: the tokenizer has words that the model does not know")
        return self._unit(self.network.sentence, tokens)

    def _unit(self, tower: Any, inputs: Any) -> Floats:
        import torch

        with torch.inference_mode():
            return np.asarray(torch.nn.functional.normalize(tower(inputs.to(self.device)).double(), dim=-1).cpu())  # (N, D)
