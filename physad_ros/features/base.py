"""What a snippet feature is: sixteen consecutive frames in, one vector out. What the weakly supervised methods learn from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData
from physad_ros.core.registry import Registry
from physad_ros.core.words import count

SNIPPET = 16  # frames, one snippet after another without overlap, as all the methods' papers cut a video

Pictures = NDArray[np.uint8]
Vectors = NDArray[np.float32]


class Extractor(ABC):
    """Turns snippets into vectors. It learns nothing here; its network, if it has one, comes from a checkpoint and is frozen."""

    name: ClassVar[str]
    source: ClassVar[str]  # paper, venue and year
    checkpoint: ClassVar[str] = ""  # the public weights that it needs, empty if none
    licence: ClassVar[str] = ""  # of these weights
    version: ClassVar[int] = 1  # to be raised when the same pictures come to give other vectors, so that none of before are read again

    dim: int  # numbers of a vector
    height: int  # in pixels, at which it wants its frames

    @classmethod
    def using(cls, checkpoint: str = "") -> Extractor:
        """One in its default configuration, with the weights in ``checkpoint`` where it needs some."""
        return cls()

    def unavailable(self) -> str:
        """Why it cannot be used here, empty if it can: a library or checkpoint that is missing."""
        return ""

    @abstractmethod
    def identity(self) -> str:
        """Name, version, configuration and content of the weights: what is equal gives equal vectors. BadData where it is unavailable."""

    @abstractmethod
    def picture(self, frame: Pictures) -> Pictures:
        """What ``describe`` takes of one frame (H, W, 3) BGR."""

    @abstractmethod
    def describe(self, pictures: Pictures) -> Vectors:
        """The vector (dim,) of a snippet's pictures (SNIPPET, h, w, 3). BadData where the extractor is unavailable."""

    def parameters(self) -> int:
        """How many numbers its network has, 0 where there is none."""
        return 0

    def snippets(self, frames: Pictures) -> Vectors:
        """Vectors (S, dim) of a clip's frames (T, H, W, 3) BGR; frames that fill no snippet are left out.

        Raises:
            BadData: not one whole snippet, or the extractor is unavailable.
        """
        if len(frames) < SNIPPET:
            raise BadData(f"{count(len(frames), 'frame')}, fewer than one snippet of {SNIPPET}")
        starts = range(0, len(frames) - SNIPPET + 1, SNIPPET)
        return np.stack([self.describe(np.stack([self.picture(f) for f in frames[s : s + SNIPPET]])) for s in starts])


extractors: Registry[type[Extractor]] = Registry("snippet feature", "physad_ros.features")

