"""VideoLLaMA 3 (Zhang et al., 2025) as transformers has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from physad_ros.core.errors import BadData
from physad_ros.language.base import Pictures, back_ends
from physad_ros.language.generating import Generating, chat_text

if TYPE_CHECKING:
    from torch import Tensor

SAME = 0.1  # mean absolute difference, in grey values of standardised pixels times 255, up to which a token is that of the frame before


@back_ends.register("video_llama_3")
class VideoLlama3(Generating):
    """The class VideoLlama3ForConditionalGeneration. Its video is prepared here, as transformers' own way needs torchvision."""

    wanted = "lkhl/VideoLLaMA3-2B-Image-HF or another VideoLLaMA 3 of transformers"

    def read(self, folder: Path) -> Any:
        from transformers import AutoTokenizer, VideoLlama3ForConditionalGeneration, VideoLlama3ImageProcessorPil

        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        facts = _video_facts(folder)
        if facts.get("temporal_patch_size", 1) != 1:
            raise BadData(f"{folder} takes frames {facts['temporal_patch_size']} at a time; only one at a time is supported")
        size = facts.get("size") or {}
        self.fewest, self.most = size.get("shortest_edge") or facts["min_pixels"], size.get("longest_edge") or facts["max_pixels"]  # pixels
        self.merge, self.compresses = facts["merge_size"], facts.get("use_token_compression", True)
        shared = ("image_mean", "image_std", "merge_size", "patch_size", "resample", "rescale_factor")
        self.patches = VideoLlama3ImageProcessorPil(**{name: facts[name] for name in shared if facts.get(name) is not None})
        return self.pretrained(VideoLlama3ForConditionalGeneration, folder)

    def see(self, frames: Pictures, rate_hz: float) -> Any:
        import torch

        size = {"shortest_edge": self.fewest, "longest_edge": self.most // len(frames)}  # of all frames together there is a most
        made = self.patches([cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in frames], size=size, return_tensors="pt")
        patches = made["pixel_values"]  # (T * rows * columns, 3 * patch * patch)
        kept = told_apart(patches.view(len(frames), -1, self.merge**2 * patches.shape[1]))  # (T, P)
        if not self.compresses:
            kept = torch.ones_like(kept)
        grid = made["image_grid_thw"][:1].clone()
        grid[0, 0] = len(frames)
        video = {
            "pixel_values_videos": patches.to(self.network.dtype), "video_grid_thw": grid, "video_merge_sizes": torch.tensor([self.merge]),
            "video_compression_mask": kept.flatten(),
        }
        return video, kept.sum(dim=1).tolist(), rate_hz

    def inputs(self, seen: Any, question: str) -> dict[str, Any]:
        video, tokens, rate_hz = seen
        place = self.tokenizer.convert_ids_to_tokens(self.network.config.video_token_id)
        text = chat_text(self.tokenizer, [{"type": "video"}, {"type": "text", "text": question}])
        if text.count(place) != 1:
            raise BadData(f"the chat template in {self.folder} has not one place for a video but {text.count(place)}")
        timed = ",".join(f"Time {i / rate_hz:.1f}s:{place * count}" for i, count in enumerate(tokens))  # as the model was trained
        words = self.tokenizer(text.replace(place, timed), return_tensors="pt", add_special_tokens=False)
        return {"input_ids": words["input_ids"], "attention_mask": words["attention_mask"], **video}


def told_apart(tokens: Tensor) -> Tensor:
    """Which tokens (T, P) of a video with pixels (T, P, C) the language model gets: those that changed, of each frame the first at least."""
    import torch

    kept = torch.ones(tokens.shape[:2], dtype=torch.bool)
    kept[1:] = (tokens[1:] - tokens[:-1]).abs().mean(dim=2) * 255 > SAME
    kept[~kept.any(dim=1), 0] = True
    return kept


def _video_facts(folder: Path) -> dict[str, Any]:
    """How the checkpoint wants its videos prepared; transformers 5 writes it into one file with all else that a processor does."""
    alone, together = folder / "video_preprocessor_config.json", folder / "processor_config.json"
    facts: dict[str, Any] = json.loads(alone.read_text()) if alone.exists() else json.loads(together.read_text())["video_processor"]
    return facts
