"""Metrics of detection over clips: area under the ROC curve, average precision, and how sure one may be of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import Floats

Truth = NDArray[np.bool_]
BELOW_ONE: Final = 1 - 1e-12  # at 1 itself the variance vanishes, as does the distance of a value that lies there


def auroc(anomalous: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that an anomalous clip scores above a normal one."""
    from sklearn.metrics import roc_auc_score  # takes a second to load, here as below

    return float(roc_auc_score(np.asarray(anomalous), np.asarray(scores)))


def average_precision(anomalous: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the precision-recall curve, by steps."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(np.asarray(anomalous), np.asarray(scores)))


def auroc_interval(value: float, normal: int, anomalous: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of an AUROC measured on so many clips, by Newcombe's fifth method (Statistics in Medicine 25, 2006).

    All truths are kept from which the measured value lies no further than chance would bring it, by Hanley and McNeil's variance.
    Resampling the clips would say [1, 1] of groups that do not overlap, however few they are; this says [0.90, 1] of 20 and 20.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z, n = norm.ppf((1 + confidence) / 2), (normal + anomalous) / 2 - 1

    def lower(measured: float) -> float:
        def beyond(truth: float) -> float:
            variance = truth * (1 - truth) * (1 + n * (1 - truth) / (2 - truth) + n * truth / (1 + truth)) / (normal * anomalous)
            return float((measured - truth) ** 2 - z**2 * variance)

        return 0.0 if measured == 0 else float(brentq(beyond, 0.0, min(measured, BELOW_ONE)))

    return lower(value), 1 - lower(1 - value)


def worst_case(anomalous: Sequence[bool], scores: Sequence[float]) -> list[float]:
    """Scores with those that are missing (not finite) put where they harm most: anomalous clips below all others, normal ones above.

    Below, one under the other: equal scores would count as found together, at a higher precision.
    """
    known = [s for s in scores if np.isfinite(s)] or [0.0]
    below, above, made = min(known), math.nextafter(max(known), math.inf), []
    for bad, score in zip(anomalous, scores, strict=True):
        if not np.isfinite(score):
            below = math.nextafter(below, -math.inf) if bad else below
            score = below if bad else above
        made.append(score)
    return made


def binomial_interval(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a rate."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return low, high


# -- many resamples at once: weights (B, n) say how often each of n clips was drawn --------------------------------------


def resamples(normal: Truth, times: int, seed: int) -> Floats:
    """How often each clip (n,) is drawn with replacement, normal and defective ones apart: (1 + times, n), the first all ones."""
    rng = np.random.default_rng(seed)
    counts = np.ones((1 + times, len(normal)))
    for group in (normal, ~normal):
        if size := int(group.sum()):
            counts[1:, group] = rng.multinomial(size, np.full(size, 1 / size), times)
    return counts


def weighted_auroc(truth: Truth, scores: Floats, decided: Truth, weights: Floats) -> Floats:
    """`auroc` of each resample (B,); NaN where one holds no anomalous or no normal clip."""
    high, low = scores[truth], scores[~truth]
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)  # (P, N)
    anomalous, normal = weights[:, truth], weights[:, ~truth]
    with np.errstate(invalid="ignore"):
        return np.asarray(((anomalous @ wins) * normal).sum(1) / (anomalous.sum(1) * normal.sum(1)))


def weighted_average_precision(truth: Truth, scores: Floats, decided: Truth, weights: Floats) -> Floats:
    """`average_precision` of each resample (B,); NaN where one holds no anomalous clip."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # equal scores are one step
    hits = np.cumsum(weights[:, order] * truth[order], axis=1)[:, ends]  # (B, steps)
    drawn = np.cumsum(weights[:, order], axis=1)[:, ends]
    gained = np.diff(hits, axis=1, prepend=0)
    with np.errstate(invalid="ignore"):
        return np.asarray((gained * hits / np.maximum(drawn, 1)).sum(1) / hits[:, -1])


def weighted_accuracy(truth: Truth, scores: Floats, decided: Truth, weights: Floats) -> Floats:
    """Share of clips judged as they are, of each resample (B,)."""
    return np.asarray((weights * (decided == truth)).sum(1) / weights.sum(1))
