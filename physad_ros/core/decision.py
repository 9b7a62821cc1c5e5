"""From scores to verdicts: thresholds from held-out normals, and what may be called normal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Outcome, Score, Verdict
from physad_ros.core.words import count, number


def conformal_threshold(normal_scores: Sequence[float], false_alarm_rate: float) -> float:
    """Split-conformal threshold: a new normal clip exceeds it with probability at most ``false_alarm_rate``.

    The k-th smallest of n held-out normal scores with k = ceil((n + 1)(1 - rate)) (Vovk, Gammerman and Shafer,
    Algorithmic Learning in a Random World, 2005, section 2.2). With k > n there is no such finite threshold.

    Args:
        normal_scores: (n,) scores of normal clips that took no part in fitting.
        false_alarm_rate: in (0, 1).

    Raises:
        BadData: too few scores for this rate, or scores that are not finite.
    """
    scores = np.sort(np.asarray(normal_scores, dtype=float))
    if not 0 < false_alarm_rate < 1:
        raise ValueError(f"false_alarm_rate must lie in (0, 1), not {false_alarm_rate}")
    if not np.isfinite(scores).all():
        raise BadData("a calibration score is not finite")
    k = math.ceil((len(scores) + 1) * (1 - false_alarm_rate) - 1e-9)
    if k > len(scores):
        need = math.ceil(1 / false_alarm_rate) - 1
        raise BadData(f"{count(len(scores), 'held-out normal clip')} cannot promise a false-alarm rate of {number(false_alarm_rate)}; "
                      f"at least {need} are needed")
    return float(scores[max(k, 1) - 1])


def decide(
    score: Score, threshold: float, *, category: str, detector: str, frames_expected: int, frames_received: int
) -> Verdict:
    """The verdict on a scored clip. Whatever was not fully seen or is not a number is INCONCLUSIVE, never NORMAL."""
    findings = score.findings
    reason = ""
    if frames_received != frames_expected:
        reason = f"{frames_received} of {count(frames_expected, 'frame')} were received"
    elif not math.isfinite(score.value):
        reason = "the detector's score is not a number"
    elif not math.isfinite(threshold):
        reason = "the detector has no threshold; fit and calibrate it first"
    if reason:
        return Verdict(Outcome.INCONCLUSIVE, category, score.value, threshold, detector, findings, reason)
    outcome = Outcome.ANOMALOUS if score.value > threshold else Outcome.NORMAL
    return Verdict(outcome, category, score.value, threshold, detector, findings)


def defects_shown(verdict: Verdict) -> tuple[str, ...]:
    """The defects whose sign is the worst finding that is any defect's sign: several where they share it, none where it is no known one's."""
    if verdict.outcome is not Outcome.ANOMALOUS:
        return ()
    signs = load_category(verdict.category).signs
    for finding in sorted(verdict.findings, key=lambda found: -found.violation):
        shown = tuple(defect for defect, known in signs.items() if f"{finding.quantity}@{finding.phase}" in known)
        if shown:
            return shown
    return ()
