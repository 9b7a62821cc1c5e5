"""A rule bank: all rules of a category, as a YAML file that a person can read, edit and run."""

from __future__ import annotations

from math import inf
from pathlib import Path
from string import Formatter

import pydantic
import yaml

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData, PhysadError, why
from physad_ros.core.words import listed
from physad_ros.core.yamls import read_yaml
from physad_ros.dataset.files import write_atomically
from physad_ros.rules.measurement import Statistic, measurements

FILE = "rules.yaml"
PLACES = {"value", "low", "high"}  # in a sentence, for the numbers
UNMEASURED = 3.0  # violation of a rule that every normal clip could be measured by and this one could not; above every threshold


class _Data(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Rule(_Data):
    """A quantity, summed up on a phase, and the interval that normal specimens keep it in."""

    phase: str
    quantity: str
    statistic: Statistic
    low: float
    high: float
    unit: str = ""
    sentence: str = pydantic.Field(description="with {value}, {low} and {high}")

    @property
    def name(self) -> str:
        return f"{self.quantity}.{self.statistic}.{self.phase}"

    @pydantic.field_validator("sentence")
    @classmethod
    def _tells(cls, sentence: str) -> str:
        try:
            places = [(name, spec, how) for _, name, spec, how in Formatter().parse(sentence) if name is not None]
        except ValueError as error:
            raise ValueError(f"{sentence!r}: {error}; braces stand for numbers: {{value}}, {{low}}, {{high}}") from error
        if strange := [f"{{{name}}}" for name, spec, how in places if name not in PLACES or spec or how]:
            raise ValueError(f"{sentence!r} has {', '.join(strange)}; numbers are {{value}}, {{low}} and {{high}}, just so")
        return sentence

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Rule:
        if not 0 < self.high - self.low < inf:
            raise ValueError(f"{self.name}: low must lie below high, and both must be finite, not {self.low} and {self.high}; "
                             "half of what lies between them is the unit in which a violation is counted")
        return self


class Envelope(_Data):
    """Between what a quantity runs in normal clips, at equal steps from the window's begin to its end."""

    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


class Share(_Data):
    """A phase of the normal course, in shares of the window."""

    name: str
    begin: float
    end: float


class Fitted(_Data):
    """What a bank was deduced from."""

    clips: int
    held_out: int
    seed: int


class Bank(_Data):
    """The content of rules.yaml."""

    version: int = 1
    category: str
    interaction: str
    fitted: Fitted
    false_alarm_rate: float | None = pydantic.Field(description="share of normal clips that exceed the threshold, at the most")
    threshold: float | None = pydantic.Field(
        gt=0, lt=UNMEASURED, description="score above which a clip is anomalous; calibration sets none below 1, so the rate may be lower"
    )
    phases: tuple[Share, ...]
    guide: str = pydantic.Field(description="quantity whose course tells the phases of a clip that comes without them")
    course: tuple[float, ...] | None = pydantic.Field(
        default=None, min_length=2, description="the guide's median in normal clips, at equal steps from the window's begin to its end, with "
        "which others are aligned; without it the middle of the guide's envelope stands in, whose corners are less sharp"
    )
    rules: tuple[Rule, ...] = pydantic.Field(min_length=1)
    envelopes: dict[str, Envelope]

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Bank:
        phases = [s.name for s in self.phases]
        if strange := {r.phase for r in self.rules} - set(phases):
            raise ValueError(f"rules on {listed(strange)}; the phases are {', '.join(phases)}")
        if self.guide not in self.envelopes:
            raise ValueError(f"guide {self.guide!r} has no envelope; those there are: {listed(self.envelopes)}")
        return self

    def check(self) -> None:
        """Raise a PhysadError, with the valid names, where it does not speak of what its category's measurement measures."""
        recipe = load_category(self.category).recipe
        if self.interaction != recipe.interaction:
            raise BadData(f"the interaction of {self.category} is {recipe.interaction}, not {self.interaction}")
        known = measurements[self.interaction].quantities
        if strange := {*self.envelopes, *(r.quantity for r in self.rules)} - set(known):
            raise BadData(f"{self.interaction} has no quantity {listed(strange)}; known: {listed(known)}")

    def write(self, folder: Path) -> None:
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=140, default_flow_style=None)
        write_atomically(folder / FILE, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Bank:
        """The bank of a category's folder.

        Raises:
            BadData: there is none (the command that makes one is named), or it is unusable.
        """
        file = folder / FILE
        if not file.exists():
            raise BadData(f"{folder.name} has no rules yet ({file}); `physad fit` deduces them from normal clips")
        try:
            bank = cls.model_validate(read_yaml(file))
            bank.check()
        except (OSError, UnicodeDecodeError, yaml.YAMLError, pydantic.ValidationError, PhysadError) as error:
            raise BadData(f"{file}: {why(error)}") from error
        return bank
