"""The published evaluation, faults included, so that ours can be held against it. Only `--protocol legacy` uses this.

Read from the public code of the paper (Chopper-233/Physics-AD, commit f0e91e3); what it does with a video's scores:

- MemAE (src/MemAE/evaluator.py): the mean of the five greatest errors, as they are.
- MNAD (src/MNAD/test.py, utils/mnad_utils.py): PSNR and feature distance are each stretched to 0..1 within the video, so that
  every video, normal or not, holds a frame that scores 1; mixed 0.6 to 0.4; the mean of the five greatest. Of the predicting
  variant, the label of the i-th video is read from the name of the (i + 4)-th, the last four from the last: the shift. Videos are
  numbered folder by folder (extract_frames.py), so it hits the last four of each label; here the folders are taken by name.
- MPN (src/MPN/test.py, utils/mpn_utils.py): likewise, mixed 0.5 to 0.5, each smoothed by a Gaussian of 15 taps and sigma 2
  before; and the shift.
- S3R (src/S3R/engine/inference.py): the mean of the five greatest snippet scores; MGFN (src/MGFN/test.py): of the three greatest.
- LAVAD (src/LAVAD/evaluator.py): the mean of the five greatest.
- Accuracy (all of these) calls anomalous what scores 0.5 or more.

Not reproduced from scores of frames, and shown as a dash: the one-class SVM (the sign of a video's first snippet), VADClip (its
file of video scores is not in the public code), ImageBind, CLIP and the chat models (one answer a video), and what the paper does
not have. Ours gives one number a frame, so where the published code stretches PSNR and distance apart and then mixes them, here
their mixture is stretched. A score that several frames of one window share counts once, as windows do in the public code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physad_ros.core.types import Floats

CUT = 0.5  # of the published accuracy
TAPS, SIGMA = 15, 2.0


@dataclass(frozen=True)
class Published:
    """How the public code makes a video's score of its frames', and its label."""

    top: int  # greatest scores that are averaged
    stretched: bool = False  # to 0..1 within the video
    smoothed: bool = False
    shift: int = 0  # videos, folder by folder, by which labels are read too late


#: by our name of the method
PUBLISHED = {
    "memae": Published(top=5),
    "mnad_p": Published(top=5, stretched=True, shift=4),
    "mnad_r": Published(top=5, stretched=True),
    "mpn": Published(top=5, stretched=True, smoothed=True, shift=4),
    "s3r": Published(top=5),
    "mgfn": Published(top=3),
    "lavad": Published(top=5),
}


def legacy_value(per_frame: Floats, how: Published) -> float:
    """A video's score from its frames' (T,), as published."""
    scores = np.asarray(per_frame, float)
    scores = scores[np.concatenate([[True], np.diff(scores) != 0])]
    if how.stretched:
        reach = np.ptp(scores)
        scores = (scores - scores.min()) / reach if reach else np.zeros_like(scores)
    if how.smoothed and len(scores) >= TAPS:
        scores = _smooth(scores)
    return float(np.sort(scores)[-how.top :].mean())


def legacy_truth(names: Sequence[str], anomalous: Sequence[bool], how: Published) -> list[bool]:
    """Labels as the public code reads them: those of the video ``shift`` places later, folder by folder (<defect>/<name>.mp4)."""
    order = sorted(range(len(names)), key=lambda i: names[i])
    read = list(anomalous)
    for place, i in enumerate(order):
        read[i] = bool(anomalous[order[min(place + how.shift, len(order) - 1)]])
    return read


def _smooth(scores: Floats) -> Floats:
    """With the public code's Gaussian; its first and last whole windows stand for the ends."""
    at = np.arange(TAPS) - TAPS // 2
    taps = np.exp(-(at**2) / (2 * SIGMA**2)) / (np.sqrt(2 * np.pi) * SIGMA)
    return np.pad(np.convolve(scores, taps, mode="valid"), TAPS // 2, mode="edge")
