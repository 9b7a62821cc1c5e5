"""Video-ChatGPT (Maaz et al., ACL 2024): CLIP's features of a hundred frames, pooled over space and over time, before a LLaMA."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from physad_ros.language.base import Pictures, back_ends
from physad_ros.language.generating import Generating, GeneratingConfig
from physad_ros.language.pictures import prepared

WEIGHTS = "video_chatgpt-7B.bin"
PATCH, BEGIN, END = "<vid_patch>", "<vid_start>", "<vid_end>"  # in the order in which they were added to the vocabulary


@dataclass(frozen=True)
class VideoChatGptConfig(GeneratingConfig):
    """As published, but for the wording of what the model is told of itself."""

    frames: int = 100
    batch: int = 25  # frames that go through CLIP at a time
    system: str = "You are Video-ChatGPT, an assistant that understands videos. Follow the instructions and rely on what the video shows."


@back_ends.register("video_chatgpt")
class VideoChatGpt(Generating):
    """Made of transformers' CLIP and LLaMA; the projector and the embeddings of its new words come from the public checkpoint."""

    files = (WEIGHTS, "llama/config.json", "clip/config.json")
    wanted = f"{WEIGHTS}, llama (mmaaz60/LLaVA-7B-Lightening-v1-1) and clip (openai/clip-vit-large-patch14)"

    def read(self, folder: Path) -> Any:
        import torch
        from transformers import AutoTokenizer, CLIPVisionModel, LlamaForCausalLM

        from physad_ros.language.video_chatgpt.network import VideoLlama

        self.tokenizer = AutoTokenizer.from_pretrained(folder / "llama", local_files_only=True)
        for token in (PATCH, BEGIN, END):
            self.tokenizer.add_tokens([token], special_tokens=True)
        network = VideoLlama(self.pretrained(CLIPVisionModel, folder / "clip"), self.pretrained(LlamaForCausalLM, folder / "llama"))
        network.take(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True), len(self.tokenizer))
        return network

    def see(self, frames: Pictures, rate_hz: float) -> Any:
        import torch

        pixels = prepared(frames, self.network.vision.config.image_size)  # (T, 3, S, S)
        with torch.inference_mode():
            return self.network.tokens(pixels.to(self.device), self.config.batch)  # (100 + P, C)

    def inputs(self, seen: Any, question: str) -> dict[str, Any]:
        import torch

        text = f"{self.config.system} USER: {question}\n{BEGIN}{PATCH * len(seen)}{END} ASSISTANT:"
        ids = torch.tensor(self.tokenizer(text)["input_ids"])  # (L,)
        with torch.inference_mode():
            embeddings = self.network.embedded(ids.to(self.device), seen, self.tokenizer.convert_tokens_to_ids(PATCH))
        return {"inputs_embeds": embeddings, "attention_mask": torch.ones(embeddings.shape[:2], dtype=torch.long)}
