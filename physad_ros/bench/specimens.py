"""Which specimens a recorded campaign is made of: the file that says what was asked for, and the list that follows from it.

Also how every use draws its specimens' seeds, so that none is tested on what it was fitted on.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from physad_ros.core import places
from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.errors import BadData, UnknownName, WrongUse, why

FILE = "campaign.json"  # below a campaign's root
BAGS = "bags"  # likewise: an inspection's folder for each specimen


def drawn_seed(seed: int, use: str, number: int) -> int:
    """Seed of a use's specimen of that number. Uses share no specimen: a seed fixes the object and its looks, whatever its defect."""
    key = zlib.crc32(use.encode())
    return int(np.random.SeedSequence(seed, spawn_key=(key, number)).generate_state(1)[0])


@dataclass(frozen=True)
class Specimen:
    """One specimen of a campaign."""

    category: str
    label: str
    seed: int

    @property
    def clip_id(self) -> str:
        """Also the name of its files."""
        return f"{self.category}_{self.label}_{self.seed}"


@dataclass(frozen=True)
class Campaign:
    """What was asked for; a resumed campaign must be the same one."""

    categories: tuple[str, ...]  # empty: all
    labels: tuple[str, ...]  # empty: all of each category
    count: int  # of each label
    seed: int
    detector: str
    height: int
    models: str = ""  # folder of the detector's trained models; empty: where the categories lie

    @classmethod
    def read(cls, root: Path) -> Campaign:
        """BadData where there is none."""
        places.folder(root)
        try:
            found = json.loads((root / FILE).read_text())
            return cls(**{**found, "categories": tuple(found["categories"]), "labels": tuple(found["labels"])})
        except FileNotFoundError:
            raise WrongUse(f"{root} holds no recorded campaign ({FILE} is not in it); `physad record` makes one") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadData(f"{root / FILE}: {why(error)}; `physad record` made another one of it") from error

    def write(self, root: Path) -> None:
        """Note it below ``root``; BadData where another campaign is."""
        if (root / FILE).exists():
            before = Campaign.read(root)
            if differ := [f.name for f in fields(self) if getattr(before, f.name) != getattr(self, f.name)]:
                told = "; ".join(f"{name} {_told(getattr(before, name))}, not {_told(getattr(self, name))}" for name in differ)
                raise WrongUse(f"{root} holds another campaign ({told}); give that one's arguments, or another folder")
            return
        root.mkdir(parents=True, exist_ok=True)
        (root / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

    def specimens(self) -> Iterator[Specimen]:
        """Every specimen. No two share a seed, nor does one with what detectors and perception are fitted on.

        Raises:
            UnknownName: a label that a category which was asked for does not have.
        """
        asked = [load_category(name) for name in self.categories or tuple(categories())]
        known = {label for category in asked for label in category.labels}
        for label in self.labels:
            if label not in known:
                raise UnknownName("label" if len(asked) > 1 else f"defect of {asked[0].name}", label, known)
        for category in asked:
            for label in self.labels or category.labels:
                if label not in category.labels and self.categories:
                    category.check_label(label)
                if label in category.labels:
                    use = f"{category.name}/record/{label}"
                    yield from (Specimen(category.name, label, drawn_seed(self.seed, use, i)) for i in range(self.count))


def _told(value: object) -> str:
    """One of a campaign's fields, for a person."""
    return (" ".join(map(str, value)) or "all") if isinstance(value, tuple) else str(value) or "none"
