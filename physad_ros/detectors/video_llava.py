"""Video-LLaVA, asked whether the specimen is defective."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.generating import GeneratingConfig


@detectors.register("video_llava")
class VideoLlava(Asked):
    """The probability of yes, where the published code lets the model write a number."""

    name = "video_llava"
    back_end = "video_llava"
    height = 224
    published = 7_366_279_168
    card = Card(
        "Video-LLaVA", Setting.LANGUAGE, "Lin et al., EMNLP 2024", "8 frames 3x224x224", "LanguageBind/Video-LLaVA-7B-hf",
        "Apache-2.0 and Llama 2's; not commercial, says its repository", ran=UNTRIED,
    )
    presets: ClassVar = {"paper": GeneratingConfig(frames=8), "quick": GeneratingConfig(frames=4, words=0)}  # quick: fewer frames, no sentences
