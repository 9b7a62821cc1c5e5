"""A toy world for networks over windows of frames: a pale square that goes to and fro, until something is wrong with it."""

import numpy as np

from physad_ros.core.types import Clip, Timetable

SIZE, FRAMES, SIDE = 32, 48, 10
BREAKS = 24  # the frame from which on it does


def clip(seed, fault=None, frames=FRAMES):
    """``fault``: None, or what the square does in the middle: stops, jumps, changes."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(20, 26, (frames, SIZE, SIZE, 3), np.uint8)
    begin = int(rng.integers(0, 44))
    for i, picture in enumerate(pictures):
        wrong = fault if i >= BREAKS else None
        at = begin + {"stops": min(i, BREAKS), "jumps": i + 11 * (i % 3)}.get(wrong, i)
        x = abs(at % 44 - 22)  # to and fro, a pixel a frame
        picture[11 : 11 + SIDE, x : x + SIDE] = (20, 40, 250) if wrong == "changes" else (170, 180, 190)
    table = Timetable(f"c{seed}", "toy", "toy_1", "watch", (), 0.0, frames / 60, frames)
    return Clip(table, pictures, np.arange(frames) / 60)
