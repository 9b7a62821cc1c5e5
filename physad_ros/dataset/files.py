"""Files that are either whole or not there."""

from __future__ import annotations

import json
import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np


def write_atomically(file: Path, data: bytes) -> None:
    """Write, sync and rename, so that a crash leaves the old content or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(file)
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
        sync(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(file: Path) -> Path:
    """Hidden file beside ``file``, of this thread alone, that is renamed to it once it is whole."""
    return file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")


def sync(path: Path) -> None:
    """Bring a file's content, or the names in a folder, to the disk. OSError where it fails."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(file: Path, data: Any) -> None:
    """JSON for programs and people; what is not a finite number becomes null."""
    write_atomically(file, json.dumps(plain(data), indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def plain(data: Any) -> Any:
    """Data as JSON can say it: arrays as lists, what is not a finite number as null."""
    if isinstance(data, (np.generic, np.ndarray)):
        data = data.tolist()
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    return data
