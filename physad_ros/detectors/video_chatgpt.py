"""Video-ChatGPT, asked whether the specimen is defective."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.video_chatgpt import VideoChatGptConfig


@detectors.register("video_chatgpt")
class VideoChatGpt(Asked):
    """The probability of yes, where the published code lets the model write a number."""

    name = "video_chatgpt"
    back_end = "video_chatgpt"
    height = 224
    published = 7_045_793_792  # without the words that were added to LLaMA's
    card = Card(
        "Video-ChatGPT", Setting.LANGUAGE, "Maaz et al., ACL 2024", "100 frames 3x224x224", "MBZUAI/Video-ChatGPT-7B",
        "CC-BY-4.0 and LLaMA's; not commercial, says its repository", ran=UNTRIED,
    )
    presets: ClassVar = {"paper": VideoChatGptConfig(), "quick": VideoChatGptConfig(frames=16, words=0)}  # quick: fewer frames, no sentences
