"""Whatever video and text model of transformers lies in a folder, asked whether the specimen is defective."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.video_text import VideoTextConfig


@detectors.register("video_text")
class VideoText(Asked):
    """Frames go in as single pictures, which most of these models take."""

    name = "video_text"
    back_end = "video_text"
    card = Card(
        "a model of video and text", Setting.LANGUAGE, "none; of the user's choice", "8 frames at 360 lines",
        "any that AutoModelForImageTextToText loads, such as LLaVA-NeXT", "its own", ran=UNTRIED,
    )
    presets: ClassVar = {"paper": VideoTextConfig(), "quick": VideoTextConfig(frames=4, words=0)}  # quick: fewer frames, no sentences
