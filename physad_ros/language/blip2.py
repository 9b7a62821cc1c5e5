"""BLIP-2 (Li et al., ICML 2023) as transformers has it: a caption for each picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from physad_ros.core.errors import BadData
from physad_ros.language.base import Captioner, Pictures, back_ends
from physad_ros.language.local import Local, LocalConfig
from physad_ros.language.pictures import prepared


@dataclass(frozen=True)
class Blip2Config(LocalConfig):
    """How captions are made."""

    words: int = 20  # tokens of a caption, at the most
    batch: int = 8  # frames at a time


@back_ends.register("blip2")
class Blip2(Local, Captioner):
    """The class Blip2ForConditionalGeneration with a language model that only decodes, as the OPT variants have."""

    wanted = "Salesforce/blip2-opt-6.7b-coco or another BLIP-2 with OPT"

    def read(self, folder: Path) -> Any:
        from transformers import AutoTokenizer, Blip2ForConditionalGeneration

        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = self.pretrained(Blip2ForConditionalGeneration, folder)
        if network.config.image_token_index is None or network.language_model.config.is_encoder_decoder:
            raise BadData(f"{folder} is a BLIP-2 without image tokens, or with a language model that also encodes; neither is supported")
        return network

    def captions(self, frames: Pictures) -> list[str]:
        import torch

        config = self.network.config
        pixels = prepared(frames, config.vision_config.image_size, squeeze=True).to(self.network.dtype)  # (T, 3, S, S)
        found: list[str] = []
        for part in pixels.split(self.config.batch):
            with torch.inference_mode():
                tokens = self.network.generate(pixel_values=part.to(self.device), do_sample=False, max_new_tokens=self.config.words)
            written = tokens[:, config.num_query_tokens + 1 :]  # before it stand the picture and the begin of the text
            found.extend(text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True))
        return found
