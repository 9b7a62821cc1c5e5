"""Metrics of detection over clips: area under the ROC curve, average precision, and how sure one may be of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score

from physad_ros.core.types import Floats

Truth = NDArray[np.bool_]


def auroc(anomalous: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that an anomalous clip scores above a normal one."""
    return float(roc_auc_score(np.asarray(anomalous), np.asarray(scores)))


def average_precision(anomalous: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the precision-recall curve, by steps."""
    return float(average_precision_score(np.asarray(anomalous), np.asarray(scores)))


def bootstrap(
    metric: Callable[[Any, Any], float], anomalous: Sequence[bool], scores: Sequence[float], *,
    seed: int = 0, times: int = 1000, confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a metric over clips drawn anew with replacement, normal and anomalous ones apart."""
    rng = np.random.default_rng(seed)
    truth, values = np.asarray(anomalous, bool), np.asarray(scores, float)
    groups = [np.flatnonzero(truth), np.flatnonzero(~truth)]
    drawn = []
    for _ in range(times):
        at = np.concatenate([rng.choice(g, len(g)) for g in groups])
        drawn.append(metric(truth[at], values[at]))
    low, high = np.percentile(drawn, [50 * (1 - confidence), 50 * (1 + confidence)])
    return float(low), float(high)


def binomial_interval(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a rate."""
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
