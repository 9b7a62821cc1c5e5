"""Zero-shot ImageBind: as zero-shot CLIP, in ImageBind's space."""

from __future__ import annotations

from typing import ClassVar

from physad_ros.detectors.asked import UNTRIED, Asked
from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.language.local import LocalConfig


@detectors.register("imagebind_zero_shot")
class ImageBindZeroShot(Asked):
    """The softmax over both sentences, not a determinant of similarities as in the published code."""

    name = "imagebind_zero_shot"
    back_end = "imagebind"
    framewise = True
    height = 224
    published = 986_862_081
    card = Card(
        "zero-shot ImageBind", Setting.LANGUAGE, "Girdhar et al., CVPR 2023", "frames 3x2x224x224",
        "imagebind_huge.pth", "CC-BY-NC-SA-4.0", ran=UNTRIED,
    )
    presets: ClassVar = {"paper": LocalConfig(frames=16), "quick": LocalConfig(frames=2)}  # quick: fewer frames a clip
