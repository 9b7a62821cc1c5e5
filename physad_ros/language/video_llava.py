"""Video-LLaVA (Lin et al., EMNLP 2024) as transformers has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from physad_ros.language.base import Pictures, back_ends
from physad_ros.language.generating import Generating
from physad_ros.language.pictures import prepared


@back_ends.register("video_llava")
class VideoLlava(Generating):
    """The class VideoLlavaForConditionalGeneration; frames are prepared here, as transformers' own way needs torchvision."""

    wanted = "LanguageBind/Video-LLaVA-7B-hf"

    def read(self, folder: Path) -> Any:
        from transformers import AutoTokenizer, VideoLlavaForConditionalGeneration

        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return self.pretrained(VideoLlavaForConditionalGeneration, folder)

    def see(self, frames: Pictures, rate_hz: float) -> Any:
        pixels = prepared(frames, self.network.config.vision_config.image_size)  # (T, 3, S, S)
        return pixels[None].to(self.network.dtype)  # (1, T, 3, S, S)

    def inputs(self, seen: Any, question: str) -> dict[str, Any]:
        import torch

        vision = self.network.config.vision_config
        places = seen.shape[1] * ((vision.image_size // vision.patch_size) ** 2 + 1)  # a token a patch and one of the whole frame
        before = self.tokenizer("USER: ")["input_ids"]
        after = self.tokenizer(f"\n{question} ASSISTANT:", add_special_tokens=False)["input_ids"]
        ids = torch.tensor([[*before, *[self.network.config.video_token_index] * places, *after]])  # (1, L)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values_videos": seen}
