"""Snippet features on disk: reading them takes less than a second, making them up to minutes.

They are found by content: by every pixel of the clip, and by what the extractor says that it is. So they stay good when a video is
moved or copied, and nothing is ever returned that was made of other frames, of frames of another size or by another version. The
folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
from pathlib import Path

import cv2
import numpy as np

from physad_ros.core.types import Clip
from physad_ros.dataset.files import write_atomically
from physad_ros.features.base import SNIPPET, Extractor, Vectors

log = logging.getLogger(__name__)

DIGEST = 16  # bytes at the end of a file that tell whether it is whole


def cache_folder() -> Path:
    """Where features are kept unless told otherwise: physad/features in the user's cache folder.

    That is $XDG_CACHE_HOME, or ~/.cache where it is not set or, against the XDG specification, a relative path.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "physad" / "features"


def features_of(clip: Clip, extractor: Extractor, folder: Path | None = None) -> Vectors:
    """Vectors (S, dim) of a clip, from the cache where they are; those of a clip that was read from no file are never kept.

    A file of the cache that is broken, cannot be read or cannot be written costs the time to make the features, and nothing else.
    Several processes may use one folder: each file appears whole, whoever writes it.

    Args:
        folder: of the cache; ``cache_folder()`` by default.

    Raises:
        BadData: the clip is shorter than a snippet, or the extractor is unavailable.
    """
    if clip.source is None:
        return extractor.snippets(clip.frames)
    file = (folder or cache_folder()) / extractor.name / f"{key(clip, extractor)}.npy"
    kept = _read(file, (len(clip.frames) // SNIPPET, extractor.dim))
    if kept is None:
        kept = extractor.snippets(clip.frames)
        _write(file, kept)
    return kept


def key(clip: Clip, extractor: Extractor) -> str:
    """Hash of the frames and of what makes the features of them: the extractor, and the OpenCV that resizes them."""
    frames = clip.frames
    made = hashlib.blake2b(repr((frames.shape, frames.dtype.str, extractor.identity(), cv2.__version__)).encode(), digest_size=20)
    for frame in frames:
        made.update(np.ascontiguousarray(frame).data)
    return made.hexdigest()


def _read(file: Path, shape: tuple[int, int]) -> Vectors | None:
    """What lies in a file, None unless it is whole and of this shape."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    if _digest(content[:-DIGEST]) != content[-DIGEST:]:
        return None
    kept = np.load(io.BytesIO(content[:-DIGEST]), allow_pickle=False)
    return kept if kept.shape == shape and kept.dtype == np.float32 else None


def _write(file: Path, vectors: Vectors) -> None:
    stream = io.BytesIO()
    np.save(stream, vectors)
    content = stream.getvalue()
    try:
        write_atomically(file, content + _digest(content))
    except OSError as error:
        log.warning("%s: features are not kept: %s", file.parent, error)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()
