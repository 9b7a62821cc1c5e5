"""One physical object: which category, object and defect, how bad, and the seed from which all else follows."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from physad_ros.core.catalogue import Category, categories, load_category
from physad_ros.core.errors import UnknownName
from physad_ros.core.types import NORMAL_LABEL


@dataclass(frozen=True)
class Specimen:
    """What lies before the robot."""

    category: str
    object: str
    defect: str  # anomaly_free or a defect of the category
    severity: float  # 0 the slightest that counts, 1 the worst; 0 for anomaly_free
    seed: int

    def rng(self, name: str) -> np.random.Generator:
        """A stream of random numbers of its own for each name.

        It depends on seed and name alone: the same seed with another defect is the same object, spoilt.
        """
        return stream(self.seed, name)


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers that follow from a seed and a name."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()),)))


def random_specimen(
    seed: int,
    category: str | None = None,
    object: str | None = None,
    defect: str | None = None,
    severity: float | None = None,
) -> Specimen:
    """A specimen; what is left out (None or empty) is drawn. Without ``defect``, half of them are normal.

    Raises:
        UnknownName: a category without simulated twin, or an object or defect that the category does not have.
    """
    rng = stream(seed, "specimen")
    drawn, half, which, how_bad = rng.random(), rng.random(), rng.random(), rng.random()
    data = _category(category, drawn)
    names = [o.name for o in data.objects]
    chosen = data.object_named(object).name if object else names[int(rng.integers(len(names)))]
    defects = list(data.defects)
    if not defect:
        defect = NORMAL_LABEL if half < 0.5 or not defects else defects[int(which * len(defects))]
    data.check_label(defect)
    if defect == NORMAL_LABEL:
        return Specimen(data.name, chosen, defect, 0.0, seed)
    return Specimen(data.name, chosen, defect, how_bad if severity is None else float(np.clip(severity, 0, 1)), seed)


def _category(name: str | None, drawn: float) -> Category:
    from physad_ros.sim.twin import twins  # MuJoCo, needed from here on only

    known = [c for c in categories() if c in twins]
    if name and name not in known:
        raise UnknownName("simulated category", name, known)
    return load_category(name or known[int(drawn * len(known))])
