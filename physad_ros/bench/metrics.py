"""Metrics of detection over clips: area under the ROC curve, average precision, and how sure one may be of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score


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
