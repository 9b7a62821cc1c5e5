"""Any model of transformers that takes several pictures and text: LLaVA-NeXT, Gemma 3, Qwen2.5-VL and others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2

from physad_ros.language.base import HERE, Pictures, back_ends
from physad_ros.language.generating import Generating, GeneratingConfig, chat_text


@dataclass(frozen=True)
class VideoTextConfig(GeneratingConfig):
    """Of a model that brings its own processor."""

    trust_remote_code: bool = field(default=False, metadata=HERE)  # whether Python files that lie in the folder may run


@back_ends.register("video_text")
class VideoText(Generating):
    """Whatever AutoModelForImageTextToText loads, with the processor and the chat template that lie beside it; it is shown frame after frame.

    A processor that could also take videos, as Qwen2.5-VL's, does not load without torchvision.
    """

    wanted = "a model of pictures and text, with its processor and chat template"

    def read(self, folder: Path) -> Any:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        trust = self.config.trust_remote_code
        self.processor = AutoProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
        self.tokenizer = self.processor.tokenizer
        return self.pretrained(AutoModelForImageTextToText, folder, trust_remote_code=trust)

    def see(self, frames: Pictures, rate_hz: float) -> Any:
        return [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in frames]

    def inputs(self, seen: Any, question: str) -> dict[str, Any]:
        text = chat_text(self.processor, [*({"type": "image"} for _ in seen), {"type": "text", "text": question}])
        begun = text.startswith(self.tokenizer.bos_token or "\0")  # by the template, which the tokenizer must not do once more
        made = self.processor(text=text, images=seen, return_tensors="pt", add_special_tokens=not begun)
        return dict(made.to(dtype=self.network.dtype))  # which leaves whole numbers as they are
