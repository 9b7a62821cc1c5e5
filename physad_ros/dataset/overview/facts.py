"""What an inspection has to say, each thing once: the verdict in a sentence, and of each quantity its strongest finding."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from physad_ros.core.telling import told
from physad_ros.core.types import Finding, MeasuredValue, Outcome, Percept, Phase, Score, Verdict

BRIEFLY = 3  # facts beside the main one that are told


def strongest(findings: Sequence[Finding]) -> list[Finding]:
    """Of each quantity the finding with the greatest violation. First comes what is nearest to the cause: of those about as bad as
    the worst the earliest; then the others, the worst first. What could not be measured comes last."""
    facts: dict[str, Finding] = {}
    for finding in sorted(findings, key=_rank):
        facts.setdefault(finding.quantity, finding)
    ranked = list(facts.values())
    bad = [f for f in ranked if isfinite(f.value) and f.violation >= ranked[0].violation / 2]
    first = min(bad, key=lambda f: f.begin_s, default=None)
    return sorted(ranked, key=lambda f: (f is not first, *_rank(f)))


def _rank(finding: Finding) -> tuple[bool, float]:
    return not isfinite(finding.value), -finding.violation


def main_quantity(verdict: Verdict, score: Score) -> str:
    """The quantity whose course is drawn: the worst; where none broke a rule, the first. Empty where there are none."""
    known = [c.quantity for c in score.courses]
    broken = [f.quantity for f in strongest(verdict.findings) if f.quantity in known]
    return (broken or known or [""])[0]


def tightest(measured: Sequence[MeasuredValue]) -> MeasuredValue | None:
    """The value with the least margin."""
    return min(measured, key=lambda m: m.margin, default=None)


def headline(verdict: Verdict) -> str:
    """The one sentence."""
    thing = f"This {words(verdict.category)}" if verdict.category else "This object"
    if verdict.outcome is Outcome.NORMAL:
        return f"{thing} works as normal ones do."
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return f"No verdict: {verdict.reason.rstrip('.') or 'no reason was given'}."
    facts = strongest(verdict.findings)
    return f"{capital(facts[0].sentence)}." if facts else f"{thing} does not move as normal ones do."


def details(verdict: Verdict, score: Score, percept: Percept | None) -> str:
    """What else there is to say, in a line or two."""
    if verdict.outcome is Outcome.ANOMALOUS:
        others = strongest(verdict.findings)[1:]
        if len(others) == 1:
            return f"Also {others[0].sentence}."
        if others:
            more = f", and {len(others) - BRIEFLY} more" if len(others) > BRIEFLY else ""
            return f"Also {', '.join(_briefly(f) for f in others[:BRIEFLY])}{more}."
        return "" if verdict.findings else _compared(verdict)
    if verdict.outcome is Outcome.NORMAL:
        least = tightest(score.measured)
        if least is None:
            return _compared(verdict)
        count = "The one measured value lies" if len(score.measured) == 1 else f"All {len(score.measured)} measured values lie"
        return (f"{count} where normal specimens keep them; the least margin is {100 * least.margin:.0f} % of the way to a limit "
                f"({words(least.quantity)}, {words(least.phase)}).")
    return seen(percept)


def _compared(verdict: Verdict) -> str:
    if not isfinite(verdict.score + verdict.threshold):
        return ""
    side = "above" if verdict.score > verdict.threshold else "not above"
    return f"The score of the whole clip, {verdict.score:.2g}, is {side} the threshold, {verdict.threshold:.2g} ({verdict.detector})."


def _briefly(finding: Finding) -> str:
    said = told(finding.value, finding.low, finding.high, finding.unit)
    value = said.with_unit(said.value) if isfinite(finding.value) else said.value
    return f"{words(finding.quantity)} {value} during {words(finding.phase)} (normal {said.with_unit(normal(finding))})"


def seen(percept: Percept | None) -> str:
    """What the picture showed before anything was touched."""
    if percept is None:
        return ""
    if percept.outcome == "nothing":
        return "The camera saw nothing on the fixture."
    guess = f"{words(percept.category)}, {100 * percept.confidence:.0f} % sure" if percept.category else "no known category"
    return f"The camera saw: {guess}{''.join(f', {a}' for a in percept.attributes)}."


def normal(value: MeasuredValue | Finding) -> str:
    """The normal interval without its unit; of what cannot be negative only its upper end where the lower one says nothing."""
    said = told(value.value, value.low, value.high, value.unit)
    positive = value.unit in ("", "mm2") or "swing" in (getattr(value, "statistic", ""), *getattr(value, "rule", "").split("."))
    return f"≤ {said.high}" if positive and value.low <= 0 else f"{said.low}…{said.high}"


def phase_at(phases: Sequence[Phase], stamp_s: float) -> Phase | None:
    """The phase that holds a stamp."""
    return next((p for p in phases if p.begin_s - 1e-6 <= stamp_s < p.end_s - 1e-6), None)


def words(name: str) -> str:
    """A name without its underscores."""
    return name.replace("_", " ")


def capital(sentence: str) -> str:
    """With a capital at its begin."""
    return sentence[:1].upper() + sentence[1:]
