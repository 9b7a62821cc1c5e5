"""The house detector: measures physical quantities in the pictures and judges them by the category's rule bank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category, load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Floats, Score, Signals, Timetable
from physad_ros.core.words import number
from physad_ros.detectors.base import Card, Detector, Setting, Stream, detectors
from physad_ros.rules.bank import UNMEASURED, Bank, Fitted
from physad_ros.rules.deduce import Measured, deduce, envelopes, median_course
from physad_ros.rules.measurement import Measurement, measurements
from physad_ros.rules.phases import aligned, shares
from physad_ros.rules.reason import course_violations, reason
from physad_ros.rules.witness import marks


@detectors.register("rules")
class Rules(Detector):
    """Rules deduced from normal clips; a clip's score is its worst violation, its findings are the rules it broke.

    Both scores, a clip's and a frame's, are 0 in the middle of what normal clips keep to and 1 at its edge.
    """

    height = 360
    card = Card(
        "rules", Setting.RULES, "Li et al., Phys-AD, CVPR 2025, section 3 (deduction and reasoning), made executable", "frames at 360 lines",
        ran="deduced and tested on the twin, in the benchmark and live",
    )

    def __init__(self) -> None:
        self.bank: Bank | None = None

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        category = load_category(clips[0].timetable.category)
        quantities = dict(_kind(category).quantities)
        measured = [measure(category, clip) for clip in clips]
        self.bank = Bank(
            category=category.name, interaction=category.recipe.interaction,
            fitted=Fitted(clips=len(clips), held_out=0, seed=seed), false_alarm_rate=None, threshold=None,
            phases=shares(clips[0].timetable), guide=_kind(category).guide, course=median_course(_kind(category).guide, measured),
            rules=deduce(category, quantities, measured), envelopes=envelopes(quantities, measured),
        )

    def calibrate(self, threshold: float, false_alarm_rate: float, held_out: int) -> None:
        """Take over a threshold, at the least 1: what keeps to every interval breaks no rule. So the rate is an upper bound.

        Raises:
            BadData: the threshold would let pass what cannot be measured.
        """
        bank = self._fitted()
        threshold = max(threshold, 1.0)
        if not threshold < UNMEASURED:
            raise BadData(
                f"{bank.category}: at a false-alarm rate of {number(false_alarm_rate)} the threshold would be {number(threshold)}, and from "
                f"{number(UNMEASURED)} on it lets pass what cannot be measured; too many of the held-out normal clips could not be measured or "
                "are unlike the others"
            )
        fitted = bank.fitted.model_copy(update={"held_out": held_out})
        update = {"threshold": threshold, "false_alarm_rate": false_alarm_rate, "fitted": fitted}
        self.bank, self.threshold = bank.model_copy(update=update), threshold

    def stream(self, timetable: Timetable) -> Stream:
        bank = self._fitted()
        if timetable.category != bank.category or timetable.interaction not in ("", bank.interaction):  # none: footage
            raise BadData(f"the rules are for the category {bank.category}, interaction {bank.interaction}; "
                          f"what was recorded is {timetable.category}, {timetable.interaction}")
        return _Stream(bank, timetable)

    def save(self, folder: Path) -> None:
        self._fitted().write(folder)

    @classmethod
    def load(cls, folder: Path) -> Rules:
        detector = cls()
        detector.bank = Bank.read(folder)
        if detector.bank.threshold is not None:
            detector.threshold = detector.bank.threshold
        return detector

    def _fitted(self) -> Bank:
        if self.bank is None:
            raise BadData("the rules are not deduced yet; fit or load them")
        return self.bank


class _Stream(Stream):
    def __init__(self, bank: Bank, timetable: Timetable):
        self._bank = bank
        self._timetable = timetable
        self._category = load_category(bank.category)
        self._measurement: Measurement | None = None
        self._stamps: list[float] = []
        self._told: dict[str, int] = {}  # of each quantity, the latest frame that was judged

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        if self._measurement is None:
            self._measurement = _begun(self._category, frame, self._timetable)
        self._measurement.push(frame)
        self._stamps.append(stamp_s)
        return max(self._newest(self._measurement.courses()), default=0.0)

    def _newest(self, courses: dict[str, Floats]) -> Iterator[float]:
        """Of each quantity that has something new, its latest violation: what is known only some frames later counts when it is known."""
        for name in self._bank.envelopes:
            known = np.flatnonzero(np.isfinite(courses[name]))
            if not len(known) or known[-1] <= self._told.get(name, -1):
                continue
            at = self._told[name] = int(known[-1])
            stamp, value = np.array([self._stamps[at]]), courses[name][[at]]
            violation = float(course_violations(self._bank, self._timetable, name, stamp, value)[0])
            yield violation if np.isfinite(violation) else 0.0

    def finish(self, signals: Signals) -> Score:
        if self._measurement is None:
            raise BadData("not one frame of the clip was seen")
        courses = self._measurement.courses()
        measured = Measured(self._timetable, np.array(self._stamps), courses)
        without_phases = len(self._timetable.window_phases) == 1 < len(self._bank.phases)
        if without_phases:
            measured = aligned(self._bank, measured)
        score = reason(self._bank, measured)
        phases = measured.timetable.phases if without_phases else ()
        return replace(score, marks=marks(score, measured, self._measurement), phases=phases)


def measure(category: Category, clip: Clip) -> Measured:
    """The courses of a whole clip."""
    if not len(clip.frames):
        raise BadData("the clip has no frames")
    measurement = _begun(category, clip.frames[0], clip.timetable)
    for frame in clip.frames:
        measurement.push(frame)
    return Measured(clip.timetable, clip.stamps_s, measurement.courses())


def _begun(category: Category, frame: NDArray[np.uint8], timetable: Timetable) -> Measurement:
    """The category's measurement for frames of this size at the clip's rate."""
    return _kind(category)(category, (frame.shape[1], frame.shape[0]), timetable.fps)


def _kind(category: Category) -> type[Measurement]:
    return measurements[category.recipe.interaction]
