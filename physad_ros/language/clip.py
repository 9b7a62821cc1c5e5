"""CLIP (Radford et al., ICML 2021) as transformers has it: pictures and sentences in one space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.core.types import Floats
from physad_ros.language.base import Embedder, Pictures, back_ends
from physad_ros.language.local import Local
from physad_ros.language.pictures import prepared


@back_ends.register("clip")
class Clip(Local, Embedder):
    """Any checkpoint of the class CLIPModel."""

    wanted = "openai/clip-vit-base-patch32 or another CLIP"

    def read(self, folder: Path) -> Any:
        from transformers import AutoTokenizer, CLIPModel

        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = self.pretrained(CLIPModel, folder)
        self.scale = float(network.logit_scale.detach().exp())
        return network

    def pictures(self, frames: Pictures) -> Floats:
        pixels = prepared(frames, self.network.config.vision_config.image_size)  # (T, 3, S, S)
        return self._unit(self.network.vision_model, self.network.visual_projection, pixel_values=pixels.to(self.network.dtype))

    def sentences(self, texts: Sequence[str]) -> Floats:
        longest = self.network.config.text_config.max_position_embeddings
        tokens = self.tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
        kept = {key: tokens[key] for key in ("input_ids", "attention_mask")}  # (N, L)
        return self._unit(self.network.text_model, self.network.text_projection, **kept)

    def _unit(self, tower: Any, projection: Any, **inputs: Any) -> Floats:
        import torch

        with torch.inference_mode():
            pooled = tower(**{key: value.to(self.device) for key, value in inputs.items()}).pooler_output
            return np.asarray(torch.nn.functional.normalize(projection(pooled).double(), dim=-1).cpu())  # (N, D)
