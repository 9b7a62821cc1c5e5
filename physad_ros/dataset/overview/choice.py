"""Which frames of a clip are shown, and what is marked in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physad_ros.core.types import Course, Finding, Floats, Mark, Phase, Score, Verdict
from physad_ros.dataset.overview.facts import phase_at, strongest


@dataclass(frozen=True)
class Choice:
    """What is known of a clip, and the quantity that its picture is about."""

    verdict: Verdict
    phases: Sequence[Phase]
    stamps_s: Floats  # (T,)
    score: Score
    quantity: str  # empty where the detector has none

    @property
    def course(self) -> Course | None:
        """Of the quantity."""
        return next((c for c in self.score.courses if c.quantity == self.quantity), None)

    def main_frame(self) -> int:
        """Number of the frame that shows best what the verdict says."""
        stamps = sorted({m.stamp_s for m in self.score.marks if m.quantity == self.quantity})
        if stamps:
            return self._number(self._telling(stamps))
        scores = self.score.per_frame
        if len(scores) == len(self.stamps_s) and np.isfinite(scores).any() and np.nanmax(scores) > self.verdict.threshold:
            return int(np.nanargmax(scores))
        return len(self.stamps_s) // 2

    def _telling(self, stamps: list[float]) -> float:
        broken = [f for f in strongest(self.verdict.findings) if f.quantity == self.quantity]
        for finding in broken:
            within = [s for s in stamps if (p := phase_at(self.phases, s)) is not None and p.name == finding.phase]
            if within:
                return within[0]
        assert self.course is not None  # for it has marks
        values = np.abs(self.course.values)
        return max(stamps, key=lambda s: float(np.nan_to_num(values[self._number(s)])))

    def strip(self, most: int) -> list[int]:
        """Numbers of some frames in the course of time: of every phase the one that tells the most, and the first if there is room."""
        stamps = {m.stamp_s for m in self.marks()}
        numbers = {self._of_phase(phase, stamps) for phase in self.phases}
        if len(numbers) < most:
            numbers = {0, *numbers}
        if len(numbers) < 3:
            numbers = {int(i) for i in np.linspace(0, len(self.stamps_s) - 1, most).round()}
        ordered = sorted(numbers)
        return [ordered[i] for i in np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int)]

    def _of_phase(self, phase: Phase, stamps: set[float]) -> int:
        """The frame of a phase that has marks, or its last one."""
        within = [s for s in stamps if phase_at([phase], s)]
        return self._number(within[0]) if within else max(0, int(np.sum(self.stamps_s < phase.end_s - 1e-6)) - 1)

    def marks(self, number: int | None = None) -> list[Mark]:
        """Marks of the quantity, in a frame or in all."""
        wanted = [m for m in self.score.marks if m.quantity == self.quantity]
        return wanted if number is None else [m for m in wanted if self._number(m.stamp_s) == number]

    def broken(self, number: int) -> bool:
        """Whether the quantity is not normal at that frame; any, where the detector has none."""
        stamp = float(self.stamps_s[number])
        about = self.course
        if about is not None:
            outside = about.values[number] < about.low[number] or about.values[number] > about.high[number]
            known = any(f.quantity == self.quantity for f in self.verdict.findings)
            return known and bool(outside or (number == self.main_frame() and self.finding_at(stamp)))
        return any(f.begin_s <= stamp <= f.end_s for f in self.verdict.findings)

    def finding_at(self, stamp_s: float) -> Finding | None:
        """The strongest finding of the quantity in the phase of a stamp."""
        phase = phase_at(self.phases, stamp_s)
        found = [f for f in self.verdict.findings if f.quantity == self.quantity and phase is not None and f.phase == phase.name]
        return max(found, key=lambda f: f.violation, default=None)

    def _number(self, stamp_s: float) -> int:
        return int(np.argmin(np.abs(self.stamps_s - stamp_s)))
