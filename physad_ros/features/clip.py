"""CLIP's picture of a snippet's middle frame (Radford et al., ICML 2021), one frame in sixteen as VadCLIP samples a video."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from physad_ros.core.errors import BadData, why
from physad_ros.features.base import SNIPPET, Pictures, Vectors, extractors
from physad_ros.features.checkpoint import FromCheckpoint
from physad_ros.language.pictures import prepared


@extractors.register("clip")
class ClipVision(FromCheckpoint):
    """The projected picture embedding, not normalised, as VadCLIP's features are. Its width is the checkpoint's: 512 for ViT-B/16."""

    name = "clip"
    source = "Radford et al., CLIP, ICML 2021; sampled as by Wu et al., VadCLIP, AAAI 2024"
    checkpoint = "openai/clip-vit-base-patch16 as a folder in transformers' layout"
    licence = "MIT"
    libraries = ("torch", "transformers")
    height = 224

    @property
    def dim(self) -> int:  # type: ignore[override]
        return 512 if self.unavailable() else int(self.model.config.projection_dim)

    def picture(self, frame: Pictures) -> Pictures:
        return frame

    def describe(self, pictures: Pictures) -> Vectors:
        import torch

        taken = prepared(pictures[SNIPPET // 2][None], int(self.model.config.vision_config.image_size))
        with torch.inference_mode():
            seen = self.model.vision_model(pixel_values=taken).pooler_output
            return np.asarray(self.model.visual_projection(seen)[0].numpy(), np.float32)  # (dim,)

    def parameters(self) -> int:
        model = untrained() if self.unavailable() else self.model
        return sum(p.numel() for part in (model.vision_model, model.visual_projection) for p in part.parameters())

    @cached_property
    def model(self) -> Any:
        """CLIP, both halves, frozen. BadData where the checkpoint is missing or none."""
        from transformers import CLIPModel

        self.must_be_available()
        try:
            return CLIPModel.from_pretrained(self.path, local_files_only=True).eval().requires_grad_(False)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BadData(f"{self.path}: not a CLIP checkpoint: {why(error)}") from error


def untrained() -> Any:
    """CLIP with ViT-B/16, without memory for its weights: only to be counted."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    with torch.device("meta"):
        return CLIPModel(CLIPConfig(vision_config={"patch_size": 16}))
