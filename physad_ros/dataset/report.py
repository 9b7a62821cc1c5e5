"""verdict.json: all that an inspection concludes, for programs."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import pydantic

from physad_ros.core import versions
from physad_ros.core.errors import BadData
from physad_ros.core.types import MeasuredValue, Outcome, Percept, Timetable, Truth, Verdict
from physad_ros.dataset.document import Document, Entry, Number
from physad_ros.dataset.manifest import PhaseEntry

REPORT = "verdict.json"


class FindingEntry(Entry):
    """A rule that the clip broke."""

    rule: str
    phase: str
    quantity: str
    value: Number
    low: Number
    high: Number
    unit: str
    violation: Number = pydantic.Field(description="distance from the middle of the interval, in half-widths of it")
    begin_s: Number
    end_s: Number
    sentence: str


class MeasuredEntry(Entry):
    """A quantity that was measured, of a normal specimen too."""

    phase: str
    quantity: str
    statistic: str
    unit: str = pydantic.Field(description="empty: a share")
    value: Number
    low: Number
    high: Number
    margin: Number = pydantic.Field(description="from the interval's nearer edge, in half-widths: 1 in the middle, 0 at an edge, negative outside")

    @classmethod
    def of(cls, m: MeasuredValue) -> MeasuredEntry:
        return cls(phase=m.phase, quantity=m.quantity, statistic=m.statistic, unit=m.unit, value=m.value, low=m.low, high=m.high, margin=m.margin)


class Versions(Entry):
    """What was at work. The same seed is the same clip on the same versions."""

    physad: str
    simulator: str = pydantic.Field(description="empty on a real rig")
    ros: str
    rclpy: str
    python: str
    detector: dict[str, str] = pydantic.Field(description="SHA-256 of each file that the detector was loaded from, by its name")

    @classmethod
    def now(cls, rig: str, detector: dict[str, str]) -> Versions:
        """Those of this very process."""
        return cls(physad=versions.physad(), simulator=versions.simulator(rig), ros=versions.ros(), rclpy=versions.installed("rclpy"),
                   python=versions.python(), detector=detector)


class Report(Document):
    """One inspection. Stamps are seconds of the clock that stamps the frames."""

    version: Literal[1] = pydantic.Field(default=1, description="of this schema")
    clip_id: str
    time: pydantic.AwareDatetime | None = pydantic.Field(default=None, description="when the verdict was told")
    verdict: Literal["NORMAL", "ANOMALOUS", "INCONCLUSIVE"]
    reason: str = pydantic.Field(description="why inconclusive, empty otherwise")
    category: str
    part: str = pydantic.Field(default="", description="part number, where given")
    serial: str = pydantic.Field(default="", description="serial number, where given")
    confidence: Number | None = pydantic.Field(description="of perception, 0 to 1")
    perception: Percept | None
    object: str
    interaction: str
    detector: str
    score: Number
    threshold: Number
    findings: tuple[FindingEntry, ...]
    defects: tuple[str, ...] = pydantic.Field(default=(), description="whose known sign the worst finding is; several where they share it")
    measured: tuple[MeasuredEntry, ...] = pydantic.Field(default=(), description="all quantities, whether they broke a rule or not")
    truth: Truth | None = pydantic.Field(default=None, description="what the simulated specimen really is, learnt after the verdict")
    seed: int
    rig: str
    versions: Versions | None = None
    frames_expected: int
    frames_received: int
    phases: tuple[PhaseEntry, ...]
    window_s: tuple[float, ...]
    timings_s: dict[str, Number]
    frame_scores: tuple[Number, ...]

    @classmethod
    def of(cls, verdict: Verdict, timetable: Timetable | None, percept: Percept | None, **known: Any) -> Report:
        """The report of a verdict, with whatever else is known."""
        table = timetable or Timetable("", "", "", "", (), math.nan, math.nan, 0)
        return cls.model_validate({
            "verdict": verdict.outcome.name, "reason": verdict.reason, "category": verdict.category, "detector": verdict.detector,
            "score": verdict.score, "threshold": verdict.threshold, "findings": [dataclasses.asdict(f) for f in verdict.findings],
            "confidence": percept and percept.confidence, "perception": percept,
            "object": table.object, "interaction": table.interaction, "frames_expected": table.frames,
            "phases": [dataclasses.asdict(p) for p in table.phases],
            "window_s": (table.window_begin_s, table.window_end_s) if timetable else (), **known,
        })

    @property
    def compared(self) -> str:
        """What the simulated specimen really was, and in plain words whether the verdict is right; empty where nobody knows."""
        return "" if self.truth is None else f"On the twin: {self.truth}. {self._agreement(self.truth)}"

    def _agreement(self, truth: Truth) -> str:
        agrees = truth.agrees(Outcome[self.verdict])
        if agrees is None:
            return "There is no verdict to compare."
        if truth.category != self.category:
            return f"The verdict does not count: it was judged as {self.category}."
        if not agrees:
            return "The verdict is wrong: a false alarm." if self.verdict == "ANOMALOUS" else "The verdict is wrong: the defect was missed."
        if self.defects and truth.defect not in self.defects:
            return "The verdict is right, but it names another defect."
        return "The verdict is right."


def compared(folder: Path) -> str:
    """The same of the report in an inspection's folder; empty where there is none."""
    try:
        return Report.read(folder / REPORT).compared
    except BadData:
        return ""
