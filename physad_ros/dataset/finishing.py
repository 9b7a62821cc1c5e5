"""From a bag to the clip's other files: video, manifest, signals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from physad_ros.core.types import Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import iter_frames, read_signals, read_timetable
from physad_ros.dataset.signals import write_signals
from physad_ros.dataset.video import Frame, write_video

VIDEO, MANIFEST, SIGNALS, BAG = "clip.mp4", "manifest.json", "signals.npz", "bag"  # names in an inspection's folder


def finish_clip(folder: Path, **known: Any) -> Manifest:
    """Write clip.mp4, signals.npz and, last, manifest.json from the bag in an inspection's folder.

    Args:
        folder: that holds ``bag/``.
        known: fields of the manifest that the bag does not tell.

    Raises:
        BadData: the bag cannot be read.
    """
    bag = folder / BAG
    timetable = read_timetable(bag)
    stamps: list[float] = []
    size = (0, 0)

    def frames() -> Iterator[Frame]:
        nonlocal size
        for frame, stamp in iter_frames(bag, timetable):
            stamps.append(stamp)
            size = (frame.shape[1], frame.shape[0])
            yield frame

    first = next(pictures := frames(), None)
    if first is not None:
        write_video(folder / VIDEO, chain([first], pictures), timetable.fps)
    write_signals(folder / SIGNALS, read_signals(bag, timetable))
    manifest = Manifest.of(timetable, **{
        "frames_received": len(stamps), "stamps_s": tuple(stamps), "size": size,
        "missing": _missing(timetable, stamps), **known,
    })
    manifest.write(folder / MANIFEST)
    return manifest


def _missing(timetable: Timetable, stamps: list[float]) -> tuple[int, ...]:
    window = FrameWindow(timetable)
    for stamp in stamps:
        window.slot(stamp)
    return window.missing
