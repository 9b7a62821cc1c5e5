"""The words of the project as frozen types. Times are seconds, lengths metres, angles radians, forces newtons."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORMAL_LABEL = "anomaly_free"
FPS = 60.0
DARK = 28  # of 255: what is brighter stands out from the rig's black table and backdrop


# -- programs: an interaction planned for one object, as plain data ---------------------------------------------------


@dataclass(frozen=True)
class Move:
    """The arm follows a timed path through joint space."""

    phase: str
    times_s: Floats  # (N,) from the step's begin, strictly increasing; first 0
    positions_rad: Floats  # (N, 6) in the order of motion.ur5.JOINTS
    velocities_rad_s: Floats  # (N, 6)
    guard_n: float | None = None  # stop and hold once the tool's force has changed by this much since the step began

    @property
    def duration_s(self) -> float:
        return float(self.times_s[-1])


@dataclass(frozen=True)
class Grip:
    """The gripper goes to an opening with limited force."""

    phase: str
    duration_s: float
    opening_m: float  # between the fingers' inner faces
    effort_n: float
    holds: bool = False  # an object must end between the fingers; closing on nothing is a fault


@dataclass(frozen=True)
class Drive:
    """A motor turns at a commanded velocity [rad/s], reached along a linear ramp."""

    phase: str
    duration_s: float
    motor: str
    velocity_rad_s: float
    ramp_s: float = 0.0


@dataclass(frozen=True)
class Wait:
    """Nothing is commanded."""

    phase: str
    duration_s: float


Step = Move | Grip | Drive | Wait


@dataclass(frozen=True)
class Phase:
    """A named span of an interaction as executed."""

    name: str
    begin_s: float
    end_s: float

    def shifted(self, by_s: float) -> Phase:
        return Phase(self.name, self.begin_s + by_s, self.end_s + by_s)


@dataclass(frozen=True)
class Box:
    """An obstacle: an upright box turned by yaw about z, in base_link."""

    name: str
    centre_m: tuple[float, float, float]
    size_m: tuple[float, float, float]
    yaw_rad: float = 0.0
    touch: bool = False  # the fingers may touch it; the rest of the arm may not


@dataclass(frozen=True)
class World:
    """What stands around the arm."""

    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Program:
    """Steps played one after another; the clip is cut from ``window_begin_s`` on and lasts ``frames`` frames."""

    category: str
    object: str
    interaction: str
    steps: tuple[Step, ...]
    window_begin_s: float
    frames: int
    fps: float = FPS
    world: World = World()  # that its motions were checked against, for those that must be made up while it is played

    @cached_property
    def begins_s(self) -> tuple[float, ...]:
        """When each step begins, in seconds of program time."""
        ends = np.cumsum([step.duration_s for step in self.steps])
        return (0.0, *(float(e) for e in ends[:-1]))

    @property
    def duration_s(self) -> float:
        return float(sum(step.duration_s for step in self.steps))

    @property
    def window_end_s(self) -> float:
        return self.window_begin_s + self.frames / self.fps

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """Spans of equal phase name, in order, in seconds of program time."""
        spans: list[Phase] = []
        for step, begin in zip(self.steps, self.begins_s):
            end = begin + step.duration_s
            if spans and spans[-1].name == step.phase:
                spans[-1] = replace(spans[-1], end_s=end)
            else:
                spans.append(Phase(step.phase, begin, end))
        return tuple(spans)


# -- clips: what was seen and felt --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timetable:
    """When an interaction happens, in seconds of the clock that stamps the frames (the message Interaction)."""

    clip_id: str
    category: str
    object: str
    interaction: str
    phases: tuple[Phase, ...]
    window_begin_s: float
    window_end_s: float
    frames: int
    fps: float = FPS

    @classmethod
    def of(cls, program: Program, clip_id: str, begin_s: float) -> Timetable:
        """The timetable of a program that begins at ``begin_s``."""
        return cls(
            clip_id,
            program.category,
            program.object,
            program.interaction,
            tuple(p.shifted(begin_s) for p in program.phases),
            begin_s + program.window_begin_s,
            begin_s + program.window_end_s,
            program.frames,
            program.fps,
        )

    def phase_at(self, stamp_s: float) -> Phase | None:
        """The phase that holds ``stamp_s``, or None outside all."""
        return next((p for p in self.phases if p.begin_s <= stamp_s < p.end_s), None)

    @property
    def window_phases(self) -> tuple[Phase, ...]:
        """The phases cut to the window; those outside it are left out."""
        cut = (
            Phase(p.name, max(p.begin_s, self.window_begin_s), min(p.end_s, self.window_end_s)) for p in self.phases
        )
        return tuple(p for p in cut if p.end_s - p.begin_s > 0.5 / self.fps)


@dataclass(frozen=True)
class Signals:
    """What the rig felt, each with stamps of its own in the frames' clock. Empty arrays where the rig has none."""

    joint_stamps_s: Floats  # (J,)
    joint_positions_rad: Floats  # (J, 6)
    gripper_opening_m: Floats  # (J,)
    wrench_stamps_s: Floats  # (W,)
    wrench: Floats  # (W, 6) force [N] and torque [N m] at the tool
    motor_stamps_s: Floats  # (M,)
    motor: Floats  # (M, 3) position [rad], velocity [rad/s], torque [N m]

    @classmethod
    def none(cls) -> Signals:
        """Signals of a clip without any, as footage is."""
        e = np.empty
        return cls(e(0), e((0, 6)), e(0), e(0), e((0, 6)), e(0), e((0, 3)))


@dataclass(frozen=True)
class Film:
    """A video as it was read. Where frames were dropped, their stamps leave gaps."""

    frames: NDArray[np.uint8]  # (T, H, W, 3) BGR
    stamps_s: Floats  # (T,) since the first
    fps: float  # at which most frames follow one another

    @property
    def length_s(self) -> float:
        """From the first frame to the end of the last."""
        return float(self.stamps_s[-1]) + 1 / self.fps

    @property
    def dropped(self) -> int:
        """Frames that are missing between the first and the last."""
        return round(self.length_s * self.fps) - len(self.frames)


@dataclass(frozen=True)
class Clip:
    """Frames and signals of one interaction between the stamps of its window."""

    timetable: Timetable
    frames: NDArray[np.uint8]  # (T, H, W, 3) BGR
    stamps_s: Floats  # (T,) exposure
    signals: Signals = field(default_factory=Signals.none)
    label: str | None = None  # anomaly_free, a defect, or None where nobody knows
    source: Path | None = None  # the video that it was read from, None where it is in memory only

    def __post_init__(self) -> None:
        if len(self.frames) != len(self.stamps_s):
            raise ValueError(f"{len(self.frames)} frames but {len(self.stamps_s)} stamps")


# -- judgements -------------------------------------------------------------------------------------------------------


class Outcome(enum.IntEnum):
    """Outcome of an inspection. The zero value is not NORMAL on purpose: what was not seen is never normal."""

    INCONCLUSIVE = 0
    NORMAL = 1
    ANOMALOUS = 2


@dataclass(frozen=True)
class Finding:
    """One rule that a clip broke, in numbers and in a sentence."""

    rule: str
    phase: str
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    violation: float  # distance from the middle of the interval, in half-widths of it; 1 at its edge
    begin_s: float  # stamps between which it broke
    end_s: float
    sentence: str


@dataclass(frozen=True)
class MeasuredValue:
    """One quantity, summed up on a phase, beside the interval that normal specimens keep it in; of normal clips too."""

    phase: str
    quantity: str
    statistic: str  # how it is summed up: mean, least, most, end, swing
    unit: str  # empty: a share
    value: float  # NaN where it could not be measured
    low: float
    high: float
    violation: float  # distance from the middle of the interval, in half-widths of it; 1 at its edge

    @property
    def margin(self) -> float:
        """How far from the interval's nearer edge it lies, in half-widths: 1 in the middle, 0 at an edge, negative outside."""
        return 1.0 - self.violation


@dataclass(frozen=True)
class Course:
    """One quantity over a clip's frames, beside what normal clips run through at that time. NaN where it could not be measured."""

    quantity: str
    unit: str  # empty: a share
    values: Floats  # (T,)
    low: Floats  # (T,)
    high: Floats  # (T,)


@dataclass(frozen=True)
class Mark:
    """A line in the frame of that stamp: where a quantity is to be seen, or where it would be in normal specimens."""

    quantity: str
    stamp_s: float
    normal: bool  # where it would be, not where it is
    closed: bool  # the last point is joined with the first
    points: Floats  # (N, 2) right and down, in shares of the picture's width and height


@dataclass(frozen=True)
class Score:
    """How anomalous a clip is, by one detector."""

    value: float  # higher is more anomalous
    per_frame: Floats  # (T,)
    findings: tuple[Finding, ...] = ()
    description: str = ""  # what happens in the clip, in the words of a model that was asked
    explanation: str = ""  # and why that is normal or not
    measured: tuple[MeasuredValue, ...] = ()  # all that was, whether it broke a rule or not; empty where a detector has no quantities
    courses: tuple[Course, ...] = ()  # of these quantities
    marks: tuple[Mark, ...] = ()  # of these quantities, each in the frame that shows it best
    phases: tuple[Phase, ...] = ()  # that were found in a clip that came without them


@dataclass(frozen=True)
class Percept:
    """What the picture shows before anything is touched."""

    outcome: str  # nothing, unsure, known
    category: str
    confidence: float  # 0 to 1
    attributes: tuple[str, ...] = ()
    region: tuple[int, int, int, int] = (0, 0, 0, 0)  # x, y, width, height in pixels of the picture
    contradicts: bool = False  # the category that was named: the picture shows something else


@dataclass(frozen=True)
class Verdict:
    """What an inspection concludes."""

    outcome: Outcome
    category: str
    score: float = float("nan")
    threshold: float = float("nan")
    detector: str = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""  # why inconclusive
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """What a simulated specimen really is. Real rigs have none, and a simulated one tells it once the verdict is told."""

    category: str
    object: str
    defect: str  # anomaly_free or a defect of the category
    severity: float
    seed: int

    def __str__(self) -> str:
        if self.defect == NORMAL_LABEL:
            return f"{self.object}, without a defect"
        return f"{self.object}, {self.defect}, severity {self.severity:.2g}"

    def agrees(self, outcome: Outcome) -> bool | None:
        """Whether a verdict is right; None where there was none."""
        if outcome is Outcome.INCONCLUSIVE:
            return None
        return (outcome is Outcome.ANOMALOUS) == (self.defect != NORMAL_LABEL)
