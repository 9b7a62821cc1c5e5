"""CLIP's text half, from a local folder, run on words that are given as vectors so that some of them can be learnt."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CLIPTokenizer

from physad_ros.core.errors import BadData, why


class TextTower:
    """Frozen; holds the labels' words as vectors."""

    def __init__(self, model: Any, folder: str, labels: tuple[str, ...]):
        """``model`` is a CLIP, ``folder`` where its tokenizer lies; BadData where it does not."""
        try:
            tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadData(f"{folder}: no tokenizer of CLIP: {why(error)}") from error
        self._model, self._projection = model.text_model, model.text_projection
        self._positions = self._model.embeddings.position_embedding.weight  # (context, width)
        self.context, self.width = self._positions.shape
        #: of each label (words, width), the signs of begin and end among them
        self.words = [self._model.embeddings.token_embedding(torch.tensor(tokenizer(label)["input_ids"])) for label in labels]

    def encode(self, sentences: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        """What sentences (P, L, width), of which ``ends`` (P,) says where each ends, mean: (P, dim)."""
        length = sentences.shape[1]
        earlier = torch.full((length, length), float("-inf")).triu(1)[None, None]  # a word sees those before it only
        seen = self._model.encoder(inputs_embeds=sentences + self._positions[:length], attention_mask=earlier).last_hidden_state
        last = self._model.final_layer_norm(seen)[torch.arange(len(ends)), ends]
        return self._projection(last)  # type: ignore[no-any-return]
