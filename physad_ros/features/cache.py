"""Snippet features on disk: reading them takes a millisecond, making them up to minutes."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from pathlib import Path

import numpy as np

from physad_ros.core.types import Clip
from physad_ros.dataset.files import write_atomically
from physad_ros.features.base import Extractor, Vectors

log = logging.getLogger(__name__)

SPARSE = 32  # every so many-th pixel each way is looked at when a clip is recognised


def cache_folder() -> Path:
    """Where features are kept unless told otherwise: below the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "physad" / "features"


def features_of(clip: Clip, extractor: Extractor, folder: Path | None = None) -> Vectors:
    """Vectors (S, dim) of a clip, from the cache where they are; a clip that was read from no file is never kept.

    Args:
        folder: of the cache; ``cache_folder()`` by default. If it cannot be written to, the features are made each time.

    Raises:
        BadData: the clip is shorter than a snippet, or the extractor is unavailable.
    """
    name = key(clip, extractor)
    if not name:
        return extractor.snippets(clip.frames)
    file = (folder or cache_folder()) / extractor.name / f"{name}.npy"
    kept = _read(file, extractor.dim)
    if kept is None:
        kept = extractor.snippets(clip.frames)
        _write(file, kept)
    return kept


def key(clip: Clip, extractor: Extractor) -> str:
    """Of the file (path, size, time of change), of the frames as they were read from it and of the extractor. Empty without a file."""
    if clip.source is None or not clip.source.is_file():
        return ""
    status = clip.source.stat()
    facts = (str(clip.source.resolve()), status.st_size, status.st_mtime_ns, clip.frames.shape, extractor.identity())
    made = hashlib.blake2b(repr(facts).encode(), digest_size=20)
    made.update(np.ascontiguousarray(clip.frames[:, ::SPARSE, ::SPARSE]).data)
    return made.hexdigest()


def _read(file: Path, dim: int) -> Vectors | None:
    try:
        kept = np.load(file)
    except (OSError, ValueError, EOFError):
        return None
    return kept if kept.ndim == 2 and kept.shape[1] == dim and kept.dtype == np.float32 else None


def _write(file: Path, vectors: Vectors) -> None:
    stream = io.BytesIO()
    np.save(stream, vectors)
    try:
        write_atomically(file, stream.getvalue())
    except OSError as error:
        log.warning("%s: features are not kept: %s", file.parent, error)
