"""What is known of a clip, as JSON beside its video."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pydantic

from physad_ros.core.errors import BadData, why
from physad_ros.core.types import FPS, Phase, Timetable
from physad_ros.dataset.files import write_json


class PhaseEntry(pydantic.BaseModel):
    """A phase with its stamps."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    begin_s: float
    end_s: float


class CameraEntry(pydantic.BaseModel):
    """The camera, as far as it is known."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    intrinsics: tuple[float, ...] = pydantic.Field(default=(), description="row by row, 3x3, in pixels of the frames' own size")
    distortion_model: str = ""
    distortion: tuple[float, ...] = ()
    position_m: tuple[float, float, float] | None = pydantic.Field(default=None, description="in the world's frame")
    target_m: tuple[float, float, float] | None = pydantic.Field(default=None, description="what it looks at")


class Manifest(pydantic.BaseModel):
    """A clip's ids, timetable and circumstances. Stamps are seconds of the clock that stamps the frames."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = pydantic.Field(default=1, description="of this schema")
    clip_id: str
    category: str
    object: str = ""
    interaction: str = ""
    label: str | None = pydantic.Field(default=None, description="anomaly_free, a defect, or null where nobody knows")
    severity: float | None = None
    seed: int | None = None
    rig: str = ""
    fps: float = pydantic.Field(default=FPS, gt=0)
    phases: tuple[PhaseEntry, ...]
    window_begin_s: float
    window_end_s: float
    frames_expected: int = pydantic.Field(ge=0)
    frames_received: int = pydantic.Field(ge=0)
    missing: tuple[int, ...] = pydantic.Field(default=(), description="slots of the window without a frame")
    stamps_s: tuple[float, ...] = pydantic.Field(default=(), description="exposure of each frame received")
    size: tuple[int, int] = pydantic.Field(default=(0, 0), description="width and height in pixels")
    camera: CameraEntry | None = None
    lights: dict[str, float] = pydantic.Field(default={}, description="level of each channel, 0 to 1")
    signals: tuple[str, ...] = pydantic.Field(default=(), description="those that were felt: joints, gripper, wrench, motor")

    @classmethod
    def of(cls, timetable: Timetable, **known: Any) -> Manifest:
        """The manifest of a timetable's clip, with whatever else is known."""
        entries = tuple(PhaseEntry(name=p.name, begin_s=p.begin_s, end_s=p.end_s) for p in timetable.phases)
        return cls.model_validate({
            "clip_id": timetable.clip_id, "category": timetable.category, "object": timetable.object,
            "interaction": timetable.interaction, "fps": timetable.fps, "phases": entries,
            "window_begin_s": timetable.window_begin_s, "window_end_s": timetable.window_end_s,
            "frames_expected": timetable.frames, "frames_received": timetable.frames, **known,
        })

    @property
    def timetable(self) -> Timetable:
        """The timetable that the manifest keeps."""
        return Timetable(
            self.clip_id, self.category, self.object, self.interaction,
            tuple(Phase(p.name, p.begin_s, p.end_s) for p in self.phases),
            self.window_begin_s, self.window_end_s, self.frames_expected, self.fps,
        )

    def write(self, file: Path) -> None:
        """Write it, whole or not at all."""
        write_json(file, self.model_dump(mode="json"))

    @classmethod
    def read(cls, file: Path) -> Manifest:
        """BadData, naming file and field, where it cannot be used."""
        try:
            return cls.model_validate_json(file.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise BadData(f"{file}: {why(error)}") from error
        except pydantic.ValidationError as error:
            faults = (f"{'.'.join(map(str, e['loc'])) or 'content'}: {e['msg']}" for e in error.errors())
            raise BadData(f"{file}: {'; '.join(faults)}") from error
