"""Categories by their nearest learned prototype."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.errors import BadData, why
from physad_ros.core.paths import share_dir
from physad_ros.core.types import Floats, Percept
from physad_ros.core.words import count
from physad_ros.perception.describe import look

FILE = "perception.npz"  # in models/
PROTOTYPES = 6  # of a category: its objects in their usual turns
REACH = 1.35  # of the largest distance that a known picture had to its prototype: farther is something else
CLEAR = 0.8  # of the next category's distance, beyond which one cannot be told from the other


class Perceiver:
    """Prototypes of the known categories."""

    def __init__(self, names: Sequence[str], centres: Floats, owners: NDArray[np.int64], radii: Floats):
        """``centres`` (P, D), ``owners`` (P,) index of the category of each, ``radii`` (C,) farthest a known picture was."""
        self.names = tuple(names)
        self._centres, self._owners, self._radii = centres, owners, radii

    @classmethod
    def fit(cls, pictures: Mapping[str, Sequence[NDArray[np.uint8]]], seed: int = 0) -> Perceiver:
        """Learn prototypes from pictures of each category, taken before anything is touched.

        Raises:
            BadData: a picture in which nothing is to be seen.
        """
        from sklearn.cluster import KMeans  # takes a second to load, and only fitting needs it

        centres, owners, radii = [], [], []
        for index, (name, frames) in enumerate(pictures.items()):
            looks = [look(frame) for frame in frames]
            described = [seen.descriptor for seen in looks if seen is not None]
            if len(described) < len(frames):
                raise BadData(f"{name}: {len(frames) - len(described)} of {count(len(frames), 'picture')} show nothing")
            points = np.stack(described)
            found = KMeans(min(PROTOTYPES, len(points)), n_init=4, random_state=seed).fit(points)
            centres.append(found.cluster_centers_)
            owners += [index] * len(found.cluster_centers_)
            radii.append(float(np.sqrt(((points[:, None] - found.cluster_centers_[None]) ** 2).sum(-1)).min(axis=1).max()))
        return cls(list(pictures), np.concatenate(centres), np.array(owners), np.array(radii))

    def perceive(self, frame: NDArray[np.uint8], among: Sequence[str] = ()) -> Percept:
        """What a picture (H, W, 3) BGR shows, of all categories or of those named."""
        seen = look(frame)
        if seen is None:
            return Percept("nothing", "", 0.0)
        distances = self._distances(seen.descriptor, among)
        if not distances:
            return Percept("unsure", "", 0.0, seen.attributes, seen.region)
        order = sorted(distances, key=lambda name: distances[name])
        first = distances[order[0]]
        second = distances[order[1]] if len(order) > 1 else math.inf
        weights = {n: math.exp(-0.5 * (d / 0.35) ** 2) for n, d in distances.items()}
        confidence = weights[order[0]] / (sum(weights.values()) + math.exp(-0.5 * (REACH / 0.35) ** 2))
        known = first <= REACH and first < CLEAR * second
        return Percept("known" if known else "unsure", order[0], confidence, seen.attributes, seen.region)

    def _distances(self, descriptor: Floats, among: Sequence[str]) -> dict[str, float]:
        """Of each category, in its own radii."""
        to_each = np.linalg.norm(self._centres - descriptor, axis=1)
        return {
            name: float(to_each[self._owners == i].min() / self._radii[i])
            for i, name in enumerate(self.names)
            if not among or name in among
        }

    def save(self, file: Path) -> None:
        """Write the prototypes as a NumPy archive."""
        np.savez_compressed(file, names=np.array(self.names), centres=self._centres.astype(np.float32), owners=self._owners, radii=self._radii)

    @classmethod
    def read(cls, file: Path) -> Perceiver:
        """BadData, with the command that makes them, where there are no prototypes."""
        try:
            with np.load(file, allow_pickle=False) as data:
                return cls([str(n) for n in data["names"]], data["centres"].astype(float), data["owners"], data["radii"])
        except (OSError, KeyError, ValueError) as error:
            raise BadData(f"{file}: {why(error)}; `physad fit-perception` makes it") from error


@lru_cache(maxsize=1)
def load() -> Perceiver:
    """The shipped perceiver."""
    return Perceiver.read(share_dir() / "models" / FILE)
