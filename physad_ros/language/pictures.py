"""Frames as the models take them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.dataset.video import encode_jpeg
from physad_ros.language.base import Pictures

if TYPE_CHECKING:
    import torch

# of the pictures that CLIP was trained on, RGB in [0, 1] (Radford et al., ICML 2021); BLIP-2, ImageBind and Video-LLaVA took them over
MEAN = (0.48145466, 0.4578275, 0.40821073)
SPREAD = (0.26862954, 0.26130258, 0.27577711)


def sampled(total: int, count: int) -> list[int]:
    """Which of ``total`` frames stand for a clip: the middles of ``count`` equal spans; all of them where there are no more than that."""
    if total <= count:
        return list(range(total))
    return [int((i + 0.5) * total / count) for i in range(count)]


def prepared(frames: Pictures, size: int, squeeze: bool = False) -> torch.Tensor:
    """Frames as CLIP takes them, standardised: (T, 3, size, size) RGB, the middle square of each, or all of it squeezed into one."""
    import torch

    made = [_scaled(frame, size, size) if squeeze else _square(frame, size) for frame in frames]
    pixels = torch.from_numpy(np.stack(made)[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255  # (T, 3, S, S)
    return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SPREAD)[:, None, None]


def jpeg_url(frame: NDArray[np.uint8], height: int, quality: int) -> str:
    """A frame (H, W, 3) BGR as a data URL, no more than ``height`` pixels high."""
    if frame.shape[0] > height:
        frame = _scaled(frame, height, round(frame.shape[1] * height / frame.shape[0]))
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(frame, quality)).decode()


def _square(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    scale = size / min(height, width)
    frame = _scaled(frame, max(size, round(height * scale)), max(size, round(width * scale)))
    top, left = (frame.shape[0] - size) // 2, (frame.shape[1] - size) // 2
    return frame[top : top + size, left : left + size]


def _scaled(frame: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if frame.shape[:2] == (height, width):
        return frame
    smaller = height * width < frame.shape[0] * frame.shape[1]
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8)
