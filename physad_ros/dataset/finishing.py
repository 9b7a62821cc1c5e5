"""From a bag to the clip's other files: video, manifest, signals."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from physad_ros.core.errors import BadData
from physad_ros.core.types import Timetable
from physad_ros.core.window import FrameWindow
from physad_ros.dataset.manifest import CameraEntry, Manifest
from physad_ros.dataset.reading import decode, iter_pictures, messages, read_signals, read_timetable
from physad_ros.dataset.signals import signals_present, write_signals
from physad_ros.dataset.topics import CAMERA_INFO, LIGHT
from physad_ros.dataset.video import Frame, decode_jpeg, write_video

log = logging.getLogger(__name__)

VIDEO, MANIFEST, SIGNALS, BAG = "clip.mp4", "manifest.json", "signals.npz", "bag"  # names in an inspection's folder


def finish_clip(folder: Path, timetable: Timetable | None = None, **known: Any) -> Manifest:
    """Write clip.mp4, signals.npz and, last, manifest.json from the bag in an inspection's folder.

    A picture that cannot be decoded, or is of another size than the first, is none: it counts as missing here, while the bag
    keeps it.

    Args:
        folder: that holds ``bag/``.
        timetable: the bag's own where left out.
        known: fields of the manifest that the bag does not tell.

    Raises:
        BadData: the bag cannot be read.
    """
    bag = folder / BAG
    table = timetable or read_timetable(bag)
    stamps: list[float] = []
    pictures = _usable(bag, table, stamps)
    first = next(pictures, None)
    if first is not None:
        write_video(folder / VIDEO, chain([first], pictures), table.fps)
    signals = read_signals(bag, table)
    write_signals(folder / SIGNALS, signals)
    manifest = Manifest.of(table, **{
        "frames_received": len(stamps), "stamps_s": tuple(stamps), "missing": _missing(table, stamps),
        "size": (0, 0) if first is None else (first.shape[1], first.shape[0]),
        "signals": signals_present(signals), "lights": _lights(bag), "camera": _camera(bag), **known,
    })
    manifest.write(folder / MANIFEST)
    return manifest


def usable_stamps(bag: Path, timetable: Timetable) -> list[float]:
    """Stamps of the frames of the window that can be shown: those that ``finish_clip`` takes."""
    stamps: list[float] = []
    for _ in _usable(bag, timetable, stamps):
        pass
    return stamps


def _usable(bag: Path, timetable: Timetable, stamps: list[float]) -> Iterator[Frame]:
    """Frames of the window that can be shown; their stamps are appended to ``stamps``."""
    shape = None
    for jpeg, stamp in iter_pictures(bag, timetable):
        try:
            frame = decode_jpeg(jpeg)
        except BadData as error:
            log.warning("%s: the picture of %.3f s is left out: %s", bag, stamp, error)
            continue
        shape = shape or frame.shape
        if frame.shape != shape:
            log.warning("%s: the picture of %.3f s is left out: its size is %s and not %s", bag, stamp, frame.shape, shape)
            continue
        stamps.append(stamp)
        yield frame


def _missing(timetable: Timetable, stamps: list[float]) -> tuple[int, ...]:
    window = FrameWindow(timetable)
    for stamp in stamps:
        window.slot(stamp)
    return window.missing


def _lights(bag: Path) -> dict[str, float]:
    """The lights' levels when the window began, nothing where the rig tells none."""
    for _, kind, data, _ in messages(bag, (LIGHT,)):
        state = decode(kind, data)
        return {str(name): round(float(level), 4) for name, level in zip(state.channel, state.level)}
    return {}


def _camera(bag: Path) -> CameraEntry | None:
    """The camera's intrinsics, None where the rig tells none."""
    for _, kind, data, _ in messages(bag, (CAMERA_INFO,)):
        info = decode(kind, data)
        return CameraEntry(
            intrinsics=tuple(map(float, info.k)), distortion_model=info.distortion_model, distortion=tuple(map(float, info.d))
        )
    return None
