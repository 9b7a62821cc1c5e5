"""LAVAD: captions, a language model that sums them up and scores them, and similarity that corrects both."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.lavad import LavadConfig


@detectors.register("lavad")
class Lavad(Asked):
    """The language model is told that products are inspected, where the published code asks as a law enforcement agency would."""

    name = "lavad"
    back_end = "lavad"
    height = 224
    card = Card(
        "LAVAD", Setting.LANGUAGE, "Zanella et al., CVPR 2024", "16 frames 3x224x224 and a chat model",
        "Salesforce/blip2-opt-6.7b-coco, imagebind_huge.pth and a chat server", "MIT (BLIP-2), OPT's, CC-BY-NC-SA-4.0 (ImageBind)",
        ran=f"{UNTRIED}, nor with a real chat model",
    )
    presets: ClassVar = {"paper": LavadConfig(), "quick": LavadConfig(frames=4, window=2, neighbours=2)}  # quick: fewer frames, so fewer calls
