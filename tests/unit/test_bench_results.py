"""Metrics of many resamples at once, and what a table makes of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score

from physad_ros.bench.facts import Facts
from physad_ros.bench.job import Job
from physad_ros.bench.jobs import Plan, Run
from physad_ros.bench.markdown import markdown
from physad_ros.bench.metrics import auroc, resamples, weighted_accuracy, weighted_auroc, weighted_average_precision
from physad_ros.bench.results import METRICS, Outcome, estimate, replicates, rows
from physad_ros.bench.table import tabulate

TRUTH = np.array([False] * 6 + [True] * 7)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=13, max_size=13), st.lists(st.integers(0, 3), min_size=13, max_size=13))
def test_weighted_metrics_are_scikit_learns(scores, weights):
    scores, weights = np.array(scores, float), np.array([weights], float)
    weights[0, [0, -1]] += 1  # of each kind one
    decided = scores > 3
    known = {"sample_weight": weights[0]}
    assert weighted_auroc(TRUTH, scores, decided, weights)[0] == pytest.approx(roc_auc_score(TRUTH, scores, **known))
    assert weighted_average_precision(TRUTH, scores, decided, weights)[0] == pytest.approx(average_precision_score(TRUTH, scores, **known))
    assert weighted_accuracy(TRUTH, scores, decided, weights)[0] == pytest.approx(accuracy_score(TRUTH, decided, **known))


def test_resamples_keep_the_number_of_each_kind():
    drawn = resamples(~TRUTH, 50, 1)
    assert drawn.shape == (51, 13) and (drawn[0] == 1).all()
    assert (drawn[:, TRUTH].sum(1) == 7).all() and (drawn[:, ~TRUTH].sum(1) == 6).all()


def outcome(method, category, seed, scores, cut=0.5):
    clips = tuple(f"{category}/test/{'bent' if t else 'anomaly_free'}/{i}.mp4" for i, t in enumerate(TRUTH))
    scores = np.asarray(scores, float)
    return Outcome(Facts("d", category, method, seed, "quick", threshold=cut), clips, TRUTH, scores, scores > cut, cut)


def noisy(reach, seed):
    return np.random.default_rng(seed).normal(size=13) + reach * TRUTH


def test_an_estimate_is_the_mean_over_seeds_and_categories():
    outcomes = [outcome("rules", c, s, noisy(1.0, 10 * i + s)) for i, c in enumerate(("a", "b")) for s in range(3)]
    drawn = replicates(outcomes)
    both = estimate([drawn["rules", c]["auroc"] for c in ("a", "b")])
    each = {(o.facts.category, o.facts.seed): auroc(o.truth, o.scores) for o in outcomes}
    assert both.value == pytest.approx(np.mean(list(each.values())))
    assert both.spread == pytest.approx(np.std([np.mean([each[c, s] for c in "ab"]) for s in range(3)], ddof=1))
    assert both.low < both.value < both.high


def test_perfect_separation_leaves_no_doubt_and_no_seed_no_spread():
    drawn = replicates([outcome("rules", "a", 0, TRUTH * 1.0)])
    e = estimate([drawn["rules", "a"]["auroc"]])
    assert (e.value, e.low, e.high) == (1.0, 1.0, 1.0) and np.isnan(e.spread)


def test_a_missing_seed_does_not_count_and_nothing_is_no_number():
    drawn = replicates([outcome("rules", "a", 0, noisy(1, 0)), outcome("intensity", "a", 0, noisy(0, 1)), outcome("intensity", "a", 1, noisy(0, 2))])
    e = estimate([drawn["rules", "a"]["auroc"]])
    assert e.value == pytest.approx(auroc(TRUTH, noisy(1, 0))) and np.isfinite(e.low)
    assert np.isnan(estimate([]).value)


def test_methods_are_compared_on_the_same_draws():
    drawn = replicates([outcome("rules", "a", 0, noisy(1, 3)), outcome("intensity", "a", 0, noisy(1, 3))])
    assert all(np.array_equal(drawn["rules", "a"][m], drawn["intensity", "a"][m], equal_nan=True) for m in METRICS)


@given(st.permutations(range(13)), st.sets(st.integers(0, 12), min_size=1), st.integers(0, 12))
def test_a_missing_score_never_helps(scores, missing, cut):
    """Whatever the score would have been: every metric is at most what it would be. (Where scores are equal average precision is not so strict.)"""
    whole = np.array(scores, float)
    raw = np.where([i in missing for i in range(13)], np.nan, whole)
    facts = Facts("d", "a", "rules", 0, "quick", threshold=float(cut))
    seen, unseen = (Outcome.of(facts, (), TRUTH, of, of > cut, float(cut), ()) for of in (whole, raw))
    assert unseen.unscored.sum() == len(missing)
    for metric in METRICS.values():
        with_all, without = (metric(o.truth, o.scores, o.decided, np.ones((1, 13)))[0] for o in (seen, unseen))
        assert without <= with_all + 1e-12


def test_without_a_threshold_nothing_is_judged_rightly():
    o = Outcome.of(Facts("d", "a", "rules", 0, "quick"), (), TRUTH, TRUTH * 1.0, TRUTH & False, float("nan"), ())
    assert not (o.decided == o.truth).any() and not o.unscored.any()


def lead(*outcomes, categories=("a", "b", "c", "d")):
    run = Run(Path("/data"), Path("/out"))
    jobs = [Job("", "", "", c, m, 0, "quick", 0.05, "") for m in dict.fromkeys(o.facts.method for o in outcomes) for c in categories]
    return tabulate(run, Plan(tuple(jobs), (), {}), outcomes, "corrected")


def test_the_rival_is_the_one_that_is_led_least_and_not_who_has_only_the_easy_categories():
    mine = [outcome("rules", c, 0, noisy(1.5, 1)) for c in "abcd"]
    close = [outcome("memae", c, 0, noisy(1.4, 1)) for c in "abc"]
    easy = [outcome("mpn", "a", 0, TRUTH * 1.0)]
    far = [outcome("mnad_r", c, 0, noisy(0.0, 1)) for c in "abcd"]
    ahead = lead(*mine, *close, *easy, *far).ahead
    assert (ahead.other, ahead.categories) == ("memae", 3) and ahead.by > 0


def test_who_is_behind_is_said_to_be():
    table = lead(outcome("rules", "a", 0, noisy(0.0, 1)), outcome("memae", "a", 0, TRUTH * 1.0), categories=("a",))
    assert "rules is behind memae" in markdown(table) and "over the 1 of 1 categories" in markdown(table)


def test_who_is_as_good_is_said_to_be_level():
    table = lead(outcome("rules", "a", 0, TRUTH * 1.0), outcome("memae", "a", 0, TRUTH * 2.0), categories=("a",))
    assert "rules is level with memae" in markdown(table)


def test_a_speed_that_could_not_be_measured_does_not_hide_the_others():
    seeds = [outcome("rules", "a", seed, TRUTH * 1.0) for seed in range(3)]
    measured = [replace(o, facts=replace(o.facts, live_frames_per_s=speed)) for o, speed in zip(seeds, (float("nan"), 90.0, 70.0))]
    (method,) = lead(*measured, categories=("a",)).methods
    assert method.live_frames_per_s == 80.0 and method.live


def test_rows_are_flat_and_count_what_went_wrong():
    failed = Outcome(Facts("d", "a", "intensity", 0, "quick", fault="it broke"))
    made = rows([outcome("rules", "a", 0, TRUTH * 1.0), failed], "corrected")
    assert made[0]["auroc"] == 1.0 and (made[0]["false_alarms"], made[0]["missed"], made[0]["tested"]) == (0, 0, 13)
    assert made[1]["auroc"] is None and made[1]["fault"] == "it broke" and set(made[0]) == set(made[1])
