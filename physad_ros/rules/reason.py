"""Reasoning, R(V | r) = S: a new clip's courses against the bank; the worst violation is the score, and every broken rule is told."""

from __future__ import annotations

import numpy as np

from physad_ros.core.errors import BadData
from physad_ros.core.telling import told
from physad_ros.core.types import Course, Finding, Floats, MeasuredValue, Phase, Score, Timetable
from physad_ros.rules.bank import UNMEASURED, Bank, Rule
from physad_ros.rules.deduce import ROUNDING, Measured
from physad_ros.rules.measurement import measurements


def reason(bank: Bank, clip: Measured) -> Score:
    """Score a measured clip: 0 in the middle of every interval, 1 at the edge of one.

    Raises:
        BadData: the clip has not the phases that the rules speak of.
    """
    phases = {p.name: p for p in clip.timetable.window_phases}
    missing = {r.phase for r in bank.rules} - set(phases)
    if missing:
        raise BadData(f"the clip has no phase {', '.join(sorted(missing))}; it has {', '.join(phases)}")
    judged = [(_measured(rule, clip.summed(phases[rule.phase], rule.quantity, rule.statistic)), rule) for rule in bank.rules]
    limit = bank.threshold or 1.0
    broken = sorted((row for row in judged if row[0].violation > limit), key=lambda row: -row[0].violation)
    return Score(
        max(value.violation for value, _ in judged),
        frame_violations(bank, clip.timetable, clip.stamps_s, clip.courses),
        findings=tuple(_finding(rule, value, clip, phases[rule.phase]) for value, rule in broken),
        measured=tuple(value for value, _ in judged),
        courses=tuple(_course(bank, clip, quantity) for quantity in bank.envelopes),
    )


def frame_violations(bank: Bank, timetable: Timetable, stamps_s: Floats, courses: dict[str, Floats]) -> Floats:
    """(T,) each frame's worst violation, on the scale of a clip's score; 0 where nothing could be measured."""
    worst = np.zeros(len(stamps_s))
    for quantity in bank.envelopes:
        worst = np.fmax(worst, course_violations(bank, timetable, quantity, stamps_s, courses[quantity]))
    return worst


def course_violations(bank: Bank, timetable: Timetable, quantity: str, stamps_s: Floats, course: Floats) -> Floats:
    """(T,) how far a course lies from the middle of what normal clips run through at that time: 1 at the edge; NaN where unmeasured."""
    low, high = normal_range(bank, timetable, quantity, stamps_s)
    return np.asarray(np.abs(course - (low + high) / 2) / ((high - low) / 2))


def normal_range(bank: Bank, timetable: Timetable, quantity: str, stamps_s: Floats) -> tuple[Floats, Floats]:
    """(T,) each: between what normal clips run at these stamps; NaN where they could not be measured."""
    envelope = bank.envelopes[quantity]
    low, high = (np.array([np.nan if v is None else v for v in side]) for side in (envelope.low, envelope.high))
    knot = np.clip((normal_time(bank, timetable, stamps_s) * len(low) + ROUNDING).astype(int), 0, len(low) - 1)
    return low[knot], high[knot]


def normal_time(bank: Bank, timetable: Timetable, stamps_s: Floats) -> Floats:
    """(T,) when in the normal course, as a share of its window, each stamp lies: phases are stretched to the normal ones."""
    found = {p.name: p for p in timetable.window_phases}
    if any(s.name not in found for s in bank.phases):
        return (stamps_s - timetable.window_begin_s) / (timetable.window_end_s - timetable.window_begin_s)
    at = [found[bank.phases[0].name].begin_s, *(found[s.name].end_s for s in bank.phases)]
    return np.asarray(np.interp(stamps_s, at, [bank.phases[0].begin, *(s.end for s in bank.phases)]))


def _violation(rule: Rule, value: float) -> float:
    if not np.isfinite(value):
        return UNMEASURED
    return abs(value - (rule.low + rule.high) / 2) / ((rule.high - rule.low) / 2)


def _measured(rule: Rule, value: float) -> MeasuredValue:
    return MeasuredValue(rule.phase, rule.quantity, rule.statistic, rule.unit, value, rule.low, rule.high, _violation(rule, value))


def _course(bank: Bank, clip: Measured, quantity: str) -> Course:
    unit = measurements[bank.interaction].quantities[quantity].unit
    return Course(quantity, unit, clip.courses[quantity], *normal_range(bank, clip.timetable, quantity, clip.stamps_s))


def _finding(rule: Rule, measured: MeasuredValue, clip: Measured, phase: Phase) -> Finding:
    begin, end = _when(rule, clip, phase)
    return Finding(
        rule=rule.name, phase=rule.phase, quantity=rule.quantity, value=measured.value, low=rule.low, high=rule.high, unit=rule.unit,
        violation=measured.violation, begin_s=begin, end_s=end, sentence=tell(rule, measured.value),
    )


def tell(rule: Rule, value: float) -> str:
    """The rule's sentence with its numbers."""
    if not np.isfinite(value):
        phase, quantity = rule.phase.replace("_", " "), rule.quantity.replace("_", " ")
        return f"during {phase}, {quantity} could not be measured; in normal specimens it can"
    said = told(value, rule.low, rule.high, rule.unit)
    return rule.sentence.format(value=said.with_unit(said.value), low=said.low, high=said.with_unit(said.high))


def _when(rule: Rule, clip: Measured, phase: Phase) -> tuple[float, float]:
    """Between which stamps of the phase the course lay outside the interval; the whole phase where it is a sum of all of it."""
    if rule.statistic in ("least", "most", "end"):
        within = (clip.stamps_s >= phase.begin_s - 1e-6) & (clip.stamps_s < phase.end_s - 1e-6)
        course = clip.courses[rule.quantity]
        outside = clip.stamps_s[within & ((course < rule.low) | (course > rule.high))]
        if len(outside):
            return float(outside[0]), float(outside[-1])
    return phase.begin_s, phase.end_s
