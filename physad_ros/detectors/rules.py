"""The house detector: measures physical quantities in the pictures and judges them by the category's rule bank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.catalogue import Category, load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Score, Signals, Timetable
from physad_ros.detectors.base import Card, Detector, Setting, Stream, detectors
from physad_ros.rules.bank import Bank, Fitted
from physad_ros.rules.deduce import Measured, deduce, envelopes
from physad_ros.rules.measurement import Measurement, measurements
from physad_ros.rules.phases import aligned, shares
from physad_ros.rules.reason import frame_violations, reason


@detectors.register("rules")
class Rules(Detector):
    """Rules deduced from normal clips; a clip's score is its worst violation, its findings are the rules it broke."""

    height = 360
    card = Card("rules", Setting.RULES, "Li et al., Phys-AD, CVPR 2025, section 3 (deduction and reasoning), made executable", "frames at 360 lines")

    def __init__(self) -> None:
        self.bank: Bank | None = None

    def fit(self, clips: Sequence[Clip], seed: int = 0) -> None:
        category = load_category(clips[0].timetable.category)
        quantities = dict(_kind(category).quantities)
        measured = [measure(category, clip) for clip in clips]
        self.bank = Bank(
            category=category.name, interaction=category.recipe.interaction,
            fitted=Fitted(clips=len(clips), held_out=0, seed=seed), false_alarm_rate=float("nan"), threshold=None,
            phases=shares(clips[0].timetable), guide=_kind(category).guide,
            rules=deduce(category, quantities, measured), envelopes=envelopes(quantities, measured),
        )

    def calibrate(self, threshold: float, false_alarm_rate: float, held_out: int) -> None:
        bank = self._fitted()
        threshold = max(threshold, 1.0)  # what keeps to every interval breaks no rule; this can only lower the false-alarm rate
        fitted = bank.fitted.model_copy(update={"held_out": held_out})
        update = {"threshold": threshold, "false_alarm_rate": false_alarm_rate, "fitted": fitted}
        self.bank, self.threshold = bank.model_copy(update=update), threshold

    def stream(self, timetable: Timetable) -> Stream:
        return _Stream(self._fitted(), timetable)

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

    def push(self, frame: NDArray[np.uint8], stamp_s: float) -> float:
        if self._measurement is None:
            self._measurement = _kind(self._category)(self._category, (frame.shape[1], frame.shape[0]))
        self._measurement.push(frame)
        self._stamps.append(stamp_s)
        latest = {name: course[-1:] for name, course in self._measurement.courses().items()}
        return float(frame_violations(self._bank, self._timetable, np.array([stamp_s]), latest)[0])

    def finish(self, signals: Signals) -> Score:
        if self._measurement is None:
            raise BadData("not one frame of the clip was seen")
        courses = self._measurement.courses()
        measured = Measured(self._timetable, np.array(self._stamps), courses)
        if len(self._timetable.window_phases) == 1 < len(self._bank.phases):
            measured = aligned(self._bank, measured)
        return reason(self._bank, measured)


def measure(category: Category, clip: Clip) -> Measured:
    """The courses of a whole clip."""
    if not len(clip.frames):
        raise BadData("the clip has no frames")
    height, width = clip.frames.shape[1:3]
    measurement: Any = _kind(category)(category, (width, height))
    for frame in clip.frames:
        measurement.push(frame)
    return Measured(clip.timetable, clip.stamps_s, measurement.courses())


def _kind(category: Category) -> type[Measurement]:
    return measurements[category.recipe.interaction]
