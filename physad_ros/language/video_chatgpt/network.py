"""The part of Video-ChatGPT that is its own: pooling, projection, and placing the video among the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from physad_ros.core.errors import BadData, why

FRAMES = 100  # places for them; those that are not there are zero
PROJECTOR, EMBEDDINGS = "model.mm_projector.", "model.embed_tokens.weight"


class VideoLlama(nn.Module):
    """CLIP's vision tower and a LLaMA with a linear layer between them."""

    def __init__(self, vision: Any, llama: Any):
        super().__init__()
        self.vision, self.llama = vision, llama
        self.projector = nn.Linear(vision.config.hidden_size, llama.config.hidden_size)

    def take(self, state: Mapping[str, Tensor], vocabulary: int) -> None:
        """Take over projector and embeddings, after the vocabulary has grown to its new words. BadData where they do not fit."""
        known = len(self.llama.get_input_embeddings().weight)
        self.llama.resize_token_embeddings(vocabulary, mean_resizing=False)
        with torch.no_grad():
            written = self.llama.get_output_embeddings().weight
            written[known:] = written[:known].mean(dim=0)  # as published; else they would be drawn anew each time
        embeddings = self.llama.get_input_embeddings().weight
        try:
            self.projector.load_state_dict({name: state[PROJECTOR + name] for name in ("weight", "bias")})
        except (KeyError, RuntimeError) as error:
            raise BadData(f"these are not weights of Video-ChatGPT: {why(error)}") from error
        if EMBEDDINGS in state:
            if state[EMBEDDINGS].shape != embeddings.shape:
                raise BadData(f"the checkpoint has {len(state[EMBEDDINGS])} words, the language model {len(embeddings)}")
            with torch.no_grad():
                embeddings.copy_(state[EMBEDDINGS])
        self.projector.to(self.llama.dtype)

    def tokens(self, pixels: Tensor, batch: int) -> Tensor:
        """Frames (T, 3, S, S) as the tokens of a video (FRAMES + P, C) of the language model."""
        parts = [self.vision(part.to(self.vision.dtype), output_hidden_states=True).hidden_states[-2][:, 1:] for part in pixels.split(batch)]
        return self.projector(pooled(torch.cat(parts)).to(self.llama.dtype))

    def embedded(self, ids: Tensor, video: Tensor, patch: int) -> Tensor:
        """Token ids (L,) as embeddings (1, L, C), the video's tokens in the places of ``patch``."""
        embeddings = self.llama.get_input_embeddings()(ids).clone()  # (L, C)
        embeddings[ids == patch] = video.to(embeddings.dtype)
        return embeddings[None]

    def generate(self, **options: Any) -> Any:
        """As of the language model."""
        return self.llama.generate(**options)


def pooled(features: Tensor) -> Tensor:
    """Features (T, P, C) of each patch as FRAMES means over space, then P means over time: (FRAMES + P, C); section 3.1 of the paper."""
    over_space = features.mean(dim=1)  # (T, C)
    absent = over_space.new_zeros(max(FRAMES - len(over_space), 0), features.shape[2])
    return torch.cat([over_space, absent, features.mean(dim=0)])
