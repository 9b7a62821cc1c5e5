"""Models whose weights lie in a folder of this machine. Nothing is ever downloaded."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from physad_ros.core.errors import BadData, why
from physad_ros.language.base import HERE, BackEnd

NO_FOLDER = "no folder is given with"
LOOK = 1 << 20  # bytes


@dataclass(frozen=True)
class LocalConfig:
    """Where the weights lie, and how many frames of a clip the model sees."""

    checkpoint: str = field(default="", metadata=HERE)  # folder; empty: as an environment variable says, where the caller has one
    frames: int = 8
    device: str = field(default="", metadata=HERE)  # of torch; empty: a GPU where there is one


class Local(BackEnd, ABC):
    """Loads from ``config.checkpoint`` when it is made; BadData where that cannot be."""

    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")
    files: ClassVar[tuple[str, ...]] = ("config.json",)
    wanted: ClassVar[str]  # what the folder must hold, in a few words; models as transformers saves them
    network: Any  # torch.nn.Module

    def __init__(self, config: Any):
        super().__init__(config)
        if reason := self.unavailable(config):
            raise BadData(reason)
        with loading(self.folder):
            self.network = self.read(self.folder).eval().to(self.device)

    @abstractmethod
    def read(self, folder: Path) -> Any:
        """The network with its weights, and beside it whatever else the folder holds."""

    @classmethod
    def unavailable(cls, config: Any) -> str:
        return missing(config.checkpoint, cls.libraries, cls.files, cls.wanted)

    def identity(self) -> str:
        """Hash of the names, sizes and beginnings of the folder's files, and of the ends, where weights lie in no header."""
        made = hashlib.blake2b(digest_size=16)
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            size = file.stat().st_size
            made.update(f"{file.relative_to(self.folder)} {size} ".encode())
            with file.open("rb") as stream:
                made.update(stream.read(LOOK))
                stream.seek(max(size - LOOK, 0))
                made.update(stream.read(LOOK))
        return made.hexdigest()

    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def folder(self) -> Path:
        return Path(self.config.checkpoint).expanduser()

    def pretrained(self, kind: Any, folder: Path, **options: Any) -> Any:
        """A model of transformers from this folder alone, in the weights' own precision where a GPU computes.

        BadData where weights are missing, which transformers would fill with random numbers.
        """
        precision = "float32" if self.device.type == "cpu" else "auto"
        network, report = kind.from_pretrained(folder, local_files_only=True, dtype=precision, output_loading_info=True, **options)
        if lacking := sorted(report["missing_keys"]):
            raise BadData(f"{folder} lacks {len(lacking)} of the model's weights, {lacking[0]} for one")
        return network

    @property
    def device(self) -> Any:
        import torch

        return torch.device(self.config.device or ("cuda" if torch.cuda.is_available() else "cpu"))


def missing(checkpoint: str, libraries: Sequence[str], files: Sequence[str], wanted: str) -> str:
    """What a model lacks here, empty if nothing."""
    absent = [library for library in libraries if importlib.util.find_spec(library) is None]
    if absent:
        return f"{' and '.join(absent)} must be installed"
    if not checkpoint:
        return f"{NO_FOLDER} {wanted}"
    folder = Path(checkpoint).expanduser()
    lacking = [file for file in files if not (folder / file).exists()]
    return f"{folder} has no {' and no '.join(lacking)}; it should hold {wanted}" if lacking else ""


@contextlib.contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Turns whatever a library raises while it reads a folder into BadData that names the folder."""
    try:
        yield
    except BadData:
        raise
    except Exception as error:
        raise BadData(f"{folder} cannot be loaded: {why(error)}") from error
