"""The Phys-AD tree: videos in <root>/<category>/train and <root>/<category>/test/<defect>, with or without manifests."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import NORMAL_LABEL, Clip, Film, Phase, Signals, Timetable
from physad_ros.core.words import count
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.signals import read_signals, signals_present, write_signals
from physad_ros.dataset.video import read_film, write_video

log = logging.getLogger(__name__)

SMALL = 16  # pixels high: frames that are only counted
#: suffixes of videos, in any case, and of what lies beside one
VIDEOS, BESIDE = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm"), (".json", ".npz")
WHOLE = "clip"  # the one phase of a clip without a manifest


@dataclass(frozen=True)
class ClipRef:
    """Where a clip lies and what its place says of it."""

    path: Path  # of the video
    category: str
    split: str  # train or test
    label: str


def clip_path(root: Path, category: str, split: str, label: str, clip_id: str) -> Path:
    """Where the video of a clip belongs; training clips are normal."""
    if split not in ("train", "test"):
        raise ValueError(f"split must be train or test, not {split!r}")
    if split == "train" and label != NORMAL_LABEL:
        raise BadData(f"a clip labelled {label!r} must not be trained on")
    folder = root / category / split
    return (folder if split == "train" else folder / label) / f"{clip_id}.mp4"


def write_clip(root: Path, clip: Clip, manifest: Manifest, split: str) -> Path:
    """Write video, signals and, last, the manifest: a clip with a manifest is whole. Returns the video's path.

    Raises:
        BadData: the clip has no frame, or no label that belongs into this split.
    """
    label = clip.label or manifest.label
    if not label:
        raise BadData(f"clip {clip.timetable.clip_id!r} has no label, so it has no place in the tree")
    path = clip_path(root, clip.timetable.category, split, label, clip.timetable.clip_id)
    height, width = clip.frames.shape[1:3]
    manifest = manifest.model_copy(update={"size": (width, height), "signals": signals_present(clip.signals)})
    write_video(path, clip.frames, clip.timetable.fps)
    write_signals(path.with_suffix(".npz"), clip.signals)
    manifest.write(path.with_suffix(".json"))
    return path


def scan(root: Path, category: str | None = None) -> list[ClipRef]:
    """Every clip of a tree, in order of path.

    Raises:
        BadData: no clip at all, or names of folders or clips that cannot be told apart or are not spelt as they must be.
    """
    found = list(_walk(root, category))
    if not found:
        where = f"of the category {category} " if category else ""
        raise BadData(f"{root}: no clips {where}in <category>/train or <category>/test/<defect>")
    return found


def _walk(root: Path, category: str | None) -> Iterator[ClipRef]:
    known = categories()
    for folder in sorted(p for p in root.glob("*") if p.is_dir() and (category in (None, p.name))):
        _spelt(_folders(folder), ("train", "test"))
        for path in _videos(folder / "train"):
            yield ClipRef(path, folder.name, "train", NORMAL_LABEL)
        labelled = {place: clips for place in _folders(folder / "test") if (clips := _videos(place))}
        _spelt(labelled, (NORMAL_LABEL,))
        for place, clips in labelled.items():
            if folder.name in known and place.name not in load_category(folder.name).labels:
                log.warning("%s: %r is no official label of %s", place, place.name, folder.name)
            for path in clips:
                yield ClipRef(path, folder.name, "test", place.name)


def _folders(place: Path) -> list[Path]:
    return sorted(p for p in place.glob("[!.]*") if p.is_dir())


def _videos(place: Path) -> list[Path]:
    """Clips of a folder; what is none is told, so that nobody thinks it was used."""
    found: dict[str, Path] = {}
    for path in sorted(place.glob("[!.]*")):
        suffix = path.suffix.lower()
        if suffix in VIDEOS and path.is_file():
            if (other := found.setdefault(path.stem, path)) is not path:
                raise BadData(f"{path} and {other.name} are one clip by their name; rename one of them")
        elif suffix not in BESIDE:
            log.warning("%s is left out: no video by its name (%s)", path, ", ".join(VIDEOS))
    return list(found.values())


def _spelt(places: Iterable[Path], names: Sequence[str]) -> None:
    """BadData where a folder's name is one of ``names``, or another folder's, but for its case, blanks or hyphens."""
    seen = {_letters(name): name for name in names}
    for place in places:
        if (meant := seen.setdefault(_letters(place.name), place.name)) != place.name:
            raise BadData(f"{place} is nearly named {meant}, but counts as something else; rename it, or put its clips into {meant}")


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def load_clip(ref: ClipRef, height: int | None = None) -> Clip:
    """A clip with its frames at this height. Without a manifest it has one phase that spans it.

    Raises:
        BadData: video, manifest or signals cannot be read or do not belong together.
    """
    film = read_film(ref.path, height)
    file = ref.path.with_suffix(".json")
    if not file.exists():
        _compare_length(ref, film)
        return replace(footage(film, ref.category, ref.path.stem, ref.label), source=ref.path)
    manifest = Manifest.read(file)
    stamps = np.array(manifest.stamps_s) if manifest.stamps_s else manifest.window_begin_s + film.stamps_s
    if len(stamps) != len(film.frames):
        raise BadData(f"{ref.path}: {count(len(film.frames), 'frame')}, but its manifest tells of {len(stamps)}")
    archive = ref.path.with_suffix(".npz")
    signals = read_signals(archive) if archive.exists() else Signals.none()
    return Clip(manifest.timetable, film.frames, stamps, signals, ref.label, ref.path)


def timetable_of(ref: ClipRef) -> Timetable:
    """A clip's timetable, without reading its frames where there is a manifest; BadData as `load_clip`."""
    file = ref.path.with_suffix(".json")
    return Manifest.read(file).timetable if file.exists() else load_clip(ref, SMALL).timetable


def _compare_length(ref: ClipRef, film: Film) -> None:
    if film.dropped:
        log.warning("%s: %s dropped in it", ref.path, count(film.dropped, "frame was", "frames were"))
    frames = round(film.length_s * film.fps)
    if ref.category in categories() and frames != (usual := load_category(ref.category).frames):
        log.warning("%s: %s; the clips of the category %s have %d", ref.path, count(frames, "frame"), ref.category, usual)


def footage(film: Film, category: str, clip_id: str, label: str | None = None) -> Clip:
    """A film of which nothing but the category is known, as a clip with one phase that spans it."""
    length = film.length_s
    table = Timetable(clip_id, category, "", "", (Phase(WHOLE, 0.0, length),), 0.0, length, round(length * film.fps), film.fps)
    return Clip(table, film.frames, film.stamps_s, label=label)
