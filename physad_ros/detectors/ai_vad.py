"""AI-VAD through anomalib: velocity, pose and deep features of the regions where objects are or something moves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.detectors.through_anomalib import AnomalibConfig, Needed, ThroughAnomalib, hub

if TYPE_CHECKING:
    import torch

TORCHVISION = "https://download.pytorch.org/models/"
CLIP = "https://openaipublic.azureedge.net/clip/models/5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt"


@dataclass(frozen=True)
class AiVadConfig(AnomalibConfig):
    """Windows of AI-VAD; all else is anomalib's default."""

    height: int = 360


@detectors.register("ai_vad")
class AiVad(ThroughAnomalib):
    """A region's velocity is judged by a mixture of Gaussians, its pose and its CLIP features by their nearest normal neighbours."""

    name = "ai_vad"
    card = Card(
        "AI-VAD", Setting.UNSUPERVISED, "Reiss and Hoshen, arXiv 2212.00789, 2022; anomalib 2.7", "two frames at 360 lines",
        checkpoint="RAFT, Mask R-CNN and Keypoint R-CNN of torchvision, CLIP ViT-B/16", licence="BSD-3-Clause, MIT",
        ran="never with the public weights; anomalib 2.7 itself fitted, scored and read again small networks of random ones",
    )
    #: quick looks at one pair of frames a second, which on one core still takes about a quarter of a minute
    presets: ClassVar[dict[str, AiVadConfig]] = {"paper": AiVadConfig(), "quick": AiVadConfig(stride=60)}

    def build(self) -> Any:
        from anomalib.models.video import AiVad as Module

        return Module()

    def needed(self) -> list[Needed]:
        """Anomalib checks the sum of CLIP's file and builds all four networks whichever features are used."""
        files = ("raft_large_C_T_SKHT_V2-ff5fadd5.pth", "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", "keypointrcnn_resnet50_fpn_coco-fc266e95.pth")
        clip = Needed(Path("~/.cache/clip/ViT-B-16.pt").expanduser(), CLIP)
        return [*(Needed(hub() / "checkpoints" / f, TORCHVISION + f) for f in files), clip]

    def fitted_part(self, module: Any) -> Any:
        return module.model.density_estimator

    def error(self, module: Any, images: torch.Tensor) -> float:
        """By its parts: anomalib's own forward pass fails on a frame in which there is no region, as in a still picture."""
        model = module.model
        regions = model.region_extractor(images[:, 0], images[:, -1])
        flows = model.flow_extractor(images[:, 0], images[:, -1])
        features = model.feature_extractor(images[:, 0], flows, regions)[0]
        return float(model.density_estimator.predict(features)[1])
