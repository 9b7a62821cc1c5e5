"""FUVAS through anomalib: what a principal subspace leaves of the features of a video network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from physad_ros.detectors.base import Card, Setting, detectors
from physad_ros.detectors.through_anomalib import AnomalibConfig, Needed, ThroughAnomalib, hub

if TYPE_CHECKING:
    import torch

#: backbone to its weights: file below torch hub's `checkpoints`, address, and the layer whose features are taken
BACKBONES = {
    "x3d_s": ("X3D_S.pyth", "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/", "blocks.4"),
    "swin3d_b": ("swin3d_b_22k-7c6ae6fa.pth", "https://download.pytorch.org/models/", "features.6.1"),
}


@dataclass(frozen=True)
class FuvasConfig(AnomalibConfig):
    """Windows, network and subspace of FUVAS."""

    window: int = 13  # frames that X3D-S was trained on
    stride: int = 13
    backbone: str = "x3d_s"
    pooling: int = 1  # of its map, width and height
    variance: float = 0.98  # that the subspace holds


@detectors.register("fuvas")
class Fuvas(ThroughAnomalib):
    """A window is as anomalous as the squared distance of its features from the subspace of normal ones."""

    name = "fuvas"
    card = Card(
        "FUVAS", Setting.UNSUPERVISED,
        "low-rank factorization of video features, ICASSP 2025; anomalib 2.7", "13 frames of 256 by 256",
        checkpoint="X3D-S of PyTorchVideo, or Video Swin B of torchvision", licence="Apache-2.0, BSD-3-Clause",
        ran="never with the public weights; anomalib 2.7 itself fitted, scored and read it again with random ones in their place",
    )
    #: quick halves the windows and pools the map to a sixteenth; the network stays as it is, and anomalib resizes to 256 × 256
    presets: ClassVar[dict[str, FuvasConfig]] = {"paper": FuvasConfig(), "quick": FuvasConfig(stride=26, pooling=4)}

    def build(self) -> Any:
        from anomalib.models.video import Fuvas as Module

        config = self.config
        layer = BACKBONES[config.backbone][2]
        return Module(config.backbone, layer, pooling_kernel_size=config.pooling, pca_level=config.variance)

    def packages(self) -> tuple[str, ...]:
        """PyTorchVideo's code takes a layer of X3D from fvcore."""
        return ("fvcore",) if self.config.backbone == "x3d_s" else ()

    def needed(self) -> list[Needed]:
        """X3D's code comes through torch hub as its weights do."""
        file, address, _ = BACKBONES[self.config.backbone]
        weights = [Needed(hub() / "checkpoints" / file, address + file)]
        code = Needed(hub() / "facebookresearch_pytorchvideo_main", "https://github.com/facebookresearch/pytorchvideo")
        return [code, *weights] if self.config.backbone == "x3d_s" else weights

    def fitted_part(self, module: Any) -> Any:
        return module.model.pca_model

    def error(self, module: Any, images: torch.Tensor) -> float:
        return float(module.model(images).pred_score)
