"""Video-LLaMA's line of models, asked whether the specimen is defective."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.generating import GeneratingConfig


@detectors.register("video_llama")
class VideoLlama(Asked):
    """VideoLLaMA 3: the first Video-LLaMA, whose numbers the published table has, cannot be loaded by any package that is kept up."""

    name = "video_llama"
    back_end = "video_llama_3"
    published = 1_959_993_584
    card = Card(
        "VideoLLaMA 3, in place of Video-LLaMA", Setting.LANGUAGE, "Zhang et al., 2025; the published table has Zhang et al., EMNLP 2023",
        "8 frames at 360 lines", "lkhl/VideoLLaMA3-2B-Image-HF", "Apache-2.0", ran=UNTRIED,
    )
    presets: ClassVar = {"paper": GeneratingConfig(frames=8), "quick": GeneratingConfig(frames=4, words=0)}  # quick: fewer frames, no sentences
