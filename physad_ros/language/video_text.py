"""Any model of transformers that takes a video, or pictures, and text: Qwen2.5-VL, LLaVA-NeXT-Video, VideoLLaMA 3 and others."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from physad_ros.language.base import Pictures, back_ends
from physad_ros.language.generating import Generating, GeneratingConfig


@dataclass(frozen=True)
class VideoTextConfig(GeneratingConfig):
    """How frames are handed to a model that brings its own processor."""

    feed: Literal["video", "pictures"] = "video"  # as one video, or one after another as pictures, which most models take too
    trust_remote_code: bool = False  # whether Python files that lie in the folder may run


@back_ends.register("video_text")
class VideoText(Generating):
    """Whatever AutoModelForImageTextToText loads, with the processor and the chat template that lie beside it."""

    wanted = "a folder with a video and text model as transformers saves it, its processor and chat template included"

    @classmethod
    def unavailable(cls, config: Any) -> str:
        if config.feed == "video" and importlib.util.find_spec("torchvision") is None:
            return "torchvision must be installed, or frames be fed as pictures"
        return super().unavailable(config)

    def read(self, folder: Path) -> Any:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        trust = self.config.trust_remote_code
        self.processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
        self.tokenizer = self.processor.tokenizer
        return self.pretrained(AutoModelForImageTextToText, folder, trust_remote_code=trust)

    def see(self, frames: Pictures, rate_hz: float) -> Any:
        return [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in frames], rate_hz

    def inputs(self, seen: Any, question: str) -> dict[str, Any]:
        frames, rate_hz = seen
        if self.config.feed == "video":
            shown = [{"type": "video"}]
            times = {"total_num_frames": len(frames), "fps": rate_hz, "frames_indices": list(range(len(frames)))}
            fed: dict[str, Any] = {"videos": [np.stack(frames)], "video_metadata": [times], "do_sample_frames": False}
        else:
            shown = [{"type": "image"} for _ in frames]
            fed = {"images": frames}
        message = {"role": "user", "content": [*shown, {"type": "text", "text": question}]}
        text = self.processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
        made = self.processor(text=text, return_tensors="pt", **fed)
        return dict(made.to(dtype=self.network.dtype))  # which leaves whole numbers as they are
