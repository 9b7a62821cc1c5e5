"""Extractors whose network comes from a checkpoint: where it lies, whether it can be used, and what tells it from another."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from physad_ros.core.errors import BadData
from physad_ros.features.base import Extractor


class FromCheckpoint(Extractor):
    """Frozen, with its weights read from a local path when they are first needed."""

    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    def __init__(self, checkpoint: str = ""):
        """``checkpoint`` is a path; the environment's PHYSAD_<NAME>_CHECKPOINT if empty."""
        self.path = checkpoint_of(self.name, checkpoint)

    @classmethod
    def using(cls, checkpoint: str = "") -> FromCheckpoint:
        return cls(checkpoint)

    def unavailable(self) -> str:
        return why_not(self.path, self.name, self.checkpoint, self.libraries)

    def identity(self) -> str:
        self.must_be_available()
        return f"{self.name} {self.version} {content_hash(Path(self.path))}"

    def must_be_available(self) -> None:
        """BadData, with the reason, where the extractor is unavailable."""
        if reason := self.unavailable():
            raise BadData(reason)


def checkpoint_of(name: str, given: str) -> str:
    """The path of a checkpoint: as given, else by the environment, else empty."""
    return given or os.environ.get(_variable(name), "")


def why_not(path: str, name: str, wanted: str, libraries: tuple[str, ...]) -> str:
    """Why what is called ``name`` cannot be used here with the checkpoint at ``path``, empty if it can."""
    if missing := [library for library in libraries if not importlib.util.find_spec(library)]:
        return f"{name} needs {' and '.join(missing)}, which is not installed"
    if not path:
        return f"{name} has no checkpoint: set {_variable(name)} to the path of {wanted}"
    return "" if Path(path).exists() else f"{path} does not exist, so {name} has no checkpoint ({wanted})"


def content_hash(path: Path) -> str:
    """Hash of a file, or of all files of a folder; made once as long as none of them changes. BadData where nothing is."""
    files = [path] if path.is_file() else sorted(p for p in path.glob("*") if p.is_file())
    if not files:
        raise BadData(f"{path}: no such file, and no folder with files in it")
    return _content_hash(tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=16)
def _content_hash(files: tuple[tuple[str, int, int], ...]) -> str:
    made = hashlib.blake2b(digest_size=16)
    for name, size, _ in files:
        made.update(f"{size} ".encode())  # where one file ends and the next begins
        with open(name, "rb") as stream:
            while part := stream.read(1 << 22):
                made.update(part)
    return made.hexdigest()


def _variable(name: str) -> str:
    return f"PHYSAD_{name.upper()}_CHECKPOINT"
