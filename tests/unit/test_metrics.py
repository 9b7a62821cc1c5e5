"""Metrics say how sure one may be of them: their intervals hold what they promise, also where groups do not overlap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from physad_ros.bench.metrics import auroc, auroc_interval, binomial_interval, worst_case

NAN = float("nan")


@given(share=st.floats(0, 1), normal=st.integers(2, 200), anomalous=st.integers(2, 200))
@settings(max_examples=50, deadline=None)
def test_the_interval_holds_its_value_and_narrows_with_more_clips(share, normal, anomalous):
    value = round(share * normal * anomalous) / (normal * anomalous)
    low, high = auroc_interval(value, normal, anomalous)
    assert 0 <= low <= value <= high <= 1 and high - low > 0
    finer = auroc_interval(value, 4 * normal, 4 * anomalous)
    assert finer[1] - finer[0] < high - low
    mirrored = auroc_interval(1 - value, normal, anomalous)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_a_perfect_auroc_is_not_sure():
    assert auroc_interval(1.0, 20, 20) == (pytest.approx(0.90, abs=0.005), 1.0)
    assert auroc_interval(0.0, 20, 20) == (0.0, pytest.approx(0.10, abs=0.005))


@pytest.mark.parametrize("truth", [0.5, 0.8, 0.95, 0.99])
def test_the_interval_covers_the_truth_as_often_as_it_says(truth):
    """Of normally distributed scores, 20 and 20, as in a campaign."""
    rng, shift, covered = np.random.default_rng(1), norm.ppf(truth) * np.sqrt(2), 0
    for _ in range(400):
        value = auroc([False] * 20 + [True] * 20, [*rng.normal(0, 1, 20), *rng.normal(shift, 1, 20)])
        low, high = auroc_interval(value, 20, 20)
        covered += low <= truth <= high
    assert covered / 400 > 0.92


def test_clips_without_a_score_count_as_the_worst_they_can_be():
    truth = [False, False, True, True]
    assert auroc(truth, worst_case(truth, [0.1, 0.2, 0.8, NAN])) == 0.5
    assert auroc(truth, worst_case(truth, [0.1, NAN, 0.8, 0.9])) == 0.5
    assert auroc(truth, worst_case(truth, [NAN] * 4)) == 0.0
    assert worst_case(truth, [1, 2, 3, 4]) == [1, 2, 3, 4]
    assert auroc(truth, worst_case(truth, [1e20, NAN, NAN, 1e20])) == 0.125  # however great the others are
    assert auroc(truth, worst_case(truth, [0.1, 0.2, 0.8, float("inf")])) == 0.5  # infinite is no score either


def test_a_rate_s_interval_holds_it():
    assert binomial_interval(0, 20) == (0.0, pytest.approx(0.168, abs=0.001))
    assert binomial_interval(20, 20) == (pytest.approx(0.832, abs=0.001), 1.0)
