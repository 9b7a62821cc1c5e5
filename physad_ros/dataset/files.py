"""Files that are either whole or not there."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any


def write_atomically(file: Path, data: bytes) -> None:
    """Write, sync and rename, so that a crash leaves the old content or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def write_json(file: Path, data: Any) -> None:
    """JSON for programs and people; what is not a finite number becomes null."""
    write_atomically(file, json.dumps(_finite(data), indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {str(key): _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return data
