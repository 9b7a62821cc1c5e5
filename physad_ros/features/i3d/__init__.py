"""Inflated 3-D networks trained to tell actions apart (Carreira & Zisserman, CVPR 2017), from a checkpoint in their public layout."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np

from physad_ros.core.errors import BadData, why
from physad_ros.features.base import Pictures, Vectors, extractors
from physad_ros.features.checkpoint import FromCheckpoint

if TYPE_CHECKING:
    import torch

RESIZED = (340, 256)  # pixels, width and height, of which the middle is cut out, as the published features were made
CUT = 224


class Inflated(FromCheckpoint):
    """Sixteen frames, 224 by 224, RGB in [-1, 1]; what the network pools last is the vector.

    One crop; the public features that S3R and MGFN learn from are of ten.
    """

    height = RESIZED[1]
    classifier: ClassVar[str]  # the checkpoint's last layer, which tells actions apart and is left out

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """The network, untrained: pictures (B, 3, T, H, W) in [-1, 1] to vectors (B, dim)."""

    def picture(self, frame: Pictures) -> Pictures:
        resized = cv2.resize(frame, RESIZED, interpolation=cv2.INTER_AREA if frame.shape[0] > RESIZED[1] else cv2.INTER_LINEAR)
        top, left = (RESIZED[1] - CUT) // 2, (RESIZED[0] - CUT) // 2
        return np.asarray(resized[top : top + CUT, left : left + CUT], np.uint8)

    def describe(self, pictures: Pictures) -> Vectors:
        import torch

        rgb = torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1])).permute(3, 0, 1, 2)[None]  # (1, 3, T, H, W)
        with torch.inference_mode():
            there = rgb.to(next(self._network.parameters()).device).float()
            return np.asarray(self._network(there / 127.5 - 1.0)[0].cpu().numpy(), np.float32)

    def parameters(self) -> int:
        import torch

        with torch.device("meta"):
            return sum(p.numel() for p in self.build().parameters())

    @cached_property
    def _network(self) -> torch.nn.Module:
        import torch

        self.must_be_available()
        network = self.build()
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            state = state.get("state_dict", state)
            network.load_state_dict({key: value for key, value in state.items() if not key.startswith(f"{self.classifier}.")})
        except Exception as error:  # torch.load raises whatever the damaged file makes it raise
            raise BadData(f"{self.path}: not a checkpoint of {self.name} ({self.checkpoint}): {why(error)}") from error
        return network.eval().to("cuda" if torch.cuda.is_available() else "cpu")


@extractors.register("i3d")
class I3D(Inflated):
    """On ResNet-50, 2048 numbers: the features that RTFM published, and S3R, MGFN and the benchmark take."""

    name = "i3d"
    source = "Carreira & Zisserman, CVPR 2017, inflated from ResNet-50 as by Wang et al., Non-local neural networks, CVPR 2018"
    checkpoint = "i3d_r50_kinetics.pth (video-nonlocal-net's i3d_baseline_32x2_IN_pretrain_400k, renamed for PyTorch)"
    licence = "CC BY-NC 4.0"
    dim = 2048
    classifier = "fc"

    def build(self) -> torch.nn.Module:
        from physad_ros.features.i3d.resnet import InflatedResNet

        return InflatedResNet()


@extractors.register("i3d_inception")
class I3DInception(Inflated):
    """On Inception-v1, 1024 numbers: the paper's own network."""

    name = "i3d_inception"
    source = "Carreira & Zisserman, CVPR 2017 (its inflated Inception-v1)"
    checkpoint = "rgb_imagenet.pt (pytorch-i3d)"
    licence = "Apache-2.0"
    dim = 1024
    classifier = "logits"

    def build(self) -> torch.nn.Module:
        from physad_ros.features.i3d.inception import InflatedInception

        return InflatedInception()
