"""Zero-shot CLIP: is a frame nearer to the sentence about a working specimen or to the one about a defective one?"""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.local import LocalConfig


@detectors.register("clip_zero_shot")
class ClipZeroShot(Asked):
    """The softmax over both sentences; with one alone, as in the published code, it would always be 1."""

    name = "clip_zero_shot"
    back_end = "clip"
    framewise = True
    height = 224
    published = 151_277_313
    card = Card(
        "zero-shot CLIP", Setting.LANGUAGE, "Radford et al., ICML 2021", "frames 3x224x224", "openai/clip-vit-base-patch32", "MIT", ran=UNTRIED,
    )
    presets: ClassVar = {"paper": LocalConfig(frames=16), "quick": LocalConfig(frames=4)}  # quick: fewer frames a clip
