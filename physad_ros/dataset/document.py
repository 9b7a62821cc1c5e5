"""JSON files with a schema: what a clip and an inspection leave for programs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, TypeVar

import pydantic

from physad_ros.core.errors import BadData, why
from physad_ros.dataset.files import write_json

#: a float that JSON holds as null where it is not a finite number
Number = Annotated[float, pydantic.BeforeValidator(lambda value: math.nan if value is None else value)]

D = TypeVar("D", bound="Document")


class Entry(pydantic.BaseModel):
    """A part of a document."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Document(Entry):
    """A whole file. Fields that came later have defaults, so that older files still read."""

    def write(self, file: Path) -> None:
        """Write it, whole or not at all."""
        write_json(file, self.model_dump(mode="json"))

    @classmethod
    def read(cls: type[D], file: Path) -> D:
        """BadData, naming file and field, where it cannot be used."""
        try:
            return cls.model_validate_json(file.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise BadData(f"{file}: {why(error)}") from error
        except pydantic.ValidationError as error:
            faults = (f"{'.'.join(map(str, e['loc'])) or 'content'}: {e['msg']}" for e in error.errors())
            raise BadData(f"{file}: {'; '.join(faults)}") from error
