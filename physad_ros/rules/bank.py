"""A rule bank: all rules of a category, as a YAML file that a person can read, edit and run."""

from __future__ import annotations

from pathlib import Path

import pydantic
import yaml

from physad_ros.core.errors import BadData
from physad_ros.dataset.files import write_atomically

FILE = "rules.yaml"


class _Data(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Rule(_Data):
    """A quantity, summed up on a phase, and the interval that normal specimens keep it in."""

    phase: str
    quantity: str
    statistic: str = pydantic.Field(description="least, most, mean, end or swing")
    low: float
    high: float
    unit: str = ""
    sentence: str = pydantic.Field(description="with {value}, {low} and {high}")

    @property
    def name(self) -> str:
        return f"{self.quantity}.{self.statistic}.{self.phase}"

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Rule:
        if not self.low < self.high:
            raise ValueError(f"{self.quantity} on {self.phase}: low must lie below high, not {self.low} and {self.high}")
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
    false_alarm_rate: float
    threshold: float | None = pydantic.Field(description="score that normal clips exceed at the false-alarm rate")
    phases: tuple[Share, ...]
    guide: str = pydantic.Field(description="quantity whose course tells the phases of a clip that comes without them")
    rules: tuple[Rule, ...] = pydantic.Field(min_length=1)
    envelopes: dict[str, Envelope]

    def write(self, folder: Path) -> None:
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=140, default_flow_style=None)
        write_atomically(folder / FILE, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Bank:
        """The bank of a category's folder; BadData, with the command that makes one, where there is none or it is unusable."""
        file = folder / FILE
        if not file.exists():
            raise BadData(f"{folder.name} has no rules yet ({file}); `physad fit` deduces them from normal clips")
        try:
            return cls.model_validate(yaml.safe_load(file.read_text()))
        except (OSError, yaml.YAMLError, pydantic.ValidationError) as error:
            raise BadData(f"{file}: {error}") from error
