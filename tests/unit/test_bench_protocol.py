"""Splits, calibration, the published evaluation and the paper's table."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.bench.legacy import PUBLISHED, Published, legacy_truth, legacy_value
from physad_ros.bench.paper import table4
from physad_ros.bench.protocol import Protocol, Split, calibrate, ref, set_apart
from physad_ros.core.errors import BadData, WrongUse
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.tree import ClipRef, scan
from physad_ros.detectors.baselines import Intensity

ROOT = Path("/data")


def refs(train=20, normal=6, **defects):
    def some(split, label, count):
        folder = ROOT / "toy" / split / ("" if split == "train" else label)
        return [ClipRef(folder / f"{label}_{i}.mp4", "toy", split, label) for i in range(count)]

    return [*some("train", NORMAL_LABEL, train), *some("test", NORMAL_LABEL, normal), *(r for d, n in defects.items() for r in some("test", d, n))]


def draw(seed=0, shots=3, **counts):
    return Split.draw(ROOT, refs(**counts), Protocol(shots=shots), seed)


@given(st.integers(2, 40), st.integers(1, 9), st.integers(5, 9), st.sampled_from([0, 2, 3, 4]), st.integers(0, 2**31))
def test_every_clip_has_one_place_and_defects_are_never_fitted_as_normals(train, normal, bent, shots, seed):
    split = draw(seed, shots, train=train, normal=normal, bent=bent, stuck=6)
    parts = [split.fit, split.calibrate, split.shots, split.test]
    names = [name for part in parts for name in part]
    assert len(names) == len(set(names)) == train + normal + bent + 6
    assert all("/train/" in f"/{name}" for name in split.fit + split.calibrate)
    counted = {label: sum(f"/{label}/" in n for n in split.shots) for label in ("bent", "stuck", NORMAL_LABEL)}
    assert counted == {"bent": shots, "stuck": shots, NORMAL_LABEL: 0}
    assert draw(seed, shots, train=train, normal=normal, bent=bent, stuck=6) == split


def test_seeds_differ_and_a_split_is_read_as_it_was_written(tmp_path):
    one, other = draw(0, bent=9), draw(1, bent=9)
    assert one.fit != other.fit and set(one.shots) != set(other.shots)
    assert Split.read(one.write(tmp_path)) == one
    with pytest.raises(BadData):
        Split.read(tmp_path / "none.json")


def test_a_name_leads_back_to_its_clip(toy_tree):
    split = Split.draw(toy_tree, scan(toy_tree, "bold"), Protocol(), 0)
    known = {r.path: r for r in scan(toy_tree)}
    for name in split.fit + split.shots + split.test:
        assert ref(toy_tree, name) == known[toy_tree / name]


@pytest.mark.parametrize(("counts", "words"), [
    ({"bent": 3}, "--shots"), ({"bent": 9, "train": 1}, "toy/train.*--category"),
    ({"bent": 9, "normal": 0}, "normal and defective"), ({}, "normal and defective"),
])
def test_what_cannot_be_split_is_refused(counts, words):
    with pytest.raises(BadData, match=words):
        draw(**counts)


def test_a_protocol_that_makes_no_sense_is_refused():
    for shots in (-1, 1, 5):
        with pytest.raises(WrongUse, match=f"2 to 4, or 0 .*, not {shots}"):
            Protocol(shots=shots)
    for wrong in ({"held_out": 1.0}, {"false_alarm_rate": 0.0}):
        with pytest.raises(WrongUse, match="between 0 and 1"):
            Protocol(**wrong)


def test_the_shares_of_a_fit_are_those_of_a_split():
    fitted, apart = set_apart(refs()[:20], 0.4, 7)
    assert (len(fitted), len(apart)) == (12, 8)
    assert {str(r.path.relative_to(ROOT)) for r in fitted} == set(Split.draw(ROOT, refs(bent=9), Protocol(), 7).fit)


def test_few_normals_promise_what_they_can():
    detector = Intensity()
    assert calibrate(detector, [1.0, 3.0, 2.0], 0.05) == 0.25 and detector.threshold == 3.0
    assert calibrate(detector, list(range(99)), 0.05) == 0.05 and detector.threshold == 94


def test_a_normal_without_a_score_counts_as_a_false_alarm():
    detector = Intensity()
    assert calibrate(detector, [*range(95), *[float("nan")] * 4], 0.05) == 0.05 and detector.threshold == 94
    with pytest.raises(BadData, match="5 of 99 held-out normal clips got no score"):
        calibrate(detector, [*range(94), *[float("nan")] * 4, float("inf")], 0.04)
    with pytest.raises(BadData, match="2 of 2"):
        calibrate(detector, [float("nan")] * 2, 0.05)
    assert detector.threshold == 94


# -- the published evaluation ---------------------------------------------------------------------------------------------


def test_published_scores_by_hand():
    frames = np.array([1.0, 2, 3, 4, 5, 6])
    assert legacy_value(frames, Published(top=5)) == pytest.approx(4.0)
    assert legacy_value(frames, Published(top=3)) == pytest.approx(5.0)
    assert legacy_value(frames, Published(top=5, stretched=True)) == pytest.approx((0.2 + 0.4 + 0.6 + 0.8 + 1.0) / 5)
    assert legacy_value(np.full(9, 3.0), Published(top=5, stretched=True)) == 0.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40), st.floats(0.1, 50), st.floats(-99, 99))
def test_stretching_forgets_how_anomalous_a_video_is(scores, by, plus):
    """The fault of the published evaluation: a video ten times as anomalous scores the same."""
    per_frame = np.round(np.array(scores), 3)
    how = PUBLISHED["mnad_r"]
    assert legacy_value(per_frame, how) == pytest.approx(legacy_value(per_frame * by + plus, how), abs=1e-6)


def test_a_window_counts_once_however_many_frames_share_its_score():
    windows = np.array([5.0, 1, 2, 3, 4, 0])
    assert legacy_value(np.repeat(windows, 16), Published(top=5)) == legacy_value(windows, Published(top=5))


def test_smoothing_keeps_what_is_constant_and_lowers_a_spike():
    assert legacy_value(np.tile([1.0, 1.001], 20), Published(top=5, smoothed=True)) == pytest.approx(1.0, abs=2e-3)
    spike = np.arange(41) * 1e-6 + 10.0 * (np.arange(41) == 20)
    assert legacy_value(spike, Published(top=1)) > 9.9 and legacy_value(spike, Published(top=1, smoothed=True)) < 2.1


def test_the_shift_reads_labels_four_videos_later_in_order_of_name():
    names = [f"toy/test/x/{i:03d}.mp4" for i in (3, 1, 0, 2, 4, 5)]
    anomalous = [int(n[-5]) >= 4 for n in names]
    shifted = dict(zip(names, legacy_truth(names, anomalous, PUBLISHED["mnad_p"])))
    assert [shifted[n] for n in sorted(names)] == [True] * 6
    two = [f"toy/test/{label}/{i}.mp4" for i in range(6) for label in ("anomaly_free", "bent")]  # numbered folder by folder there
    shifted = dict(zip(two, legacy_truth(two, ["bent" in n for n in two], PUBLISHED["mpn"])))
    assert [shifted[n] for n in sorted(two)] == [False] * 2 + [True] * 10
    assert legacy_truth(names, anomalous, PUBLISHED["memae"]) == anomalous


# -- the paper's table -----------------------------------------------------------------------------------------------------


def test_table_4_agrees_with_its_own_averages():
    paper = table4()
    assert len(paper.average) == 14 and len({c for _, c in paper.auroc}) == 22 and len(paper.auroc) == 14 * 22
    assert max(paper.average.values()) == 0.669 == paper.average["mnad_r"]
    for name, average in paper.average.items():
        mine = np.mean([v for (m, _), v in paper.auroc.items() if m == name])
        assert abs(mine - average) <= 0.0005 + 1e-9, name


def test_what_is_published_is_in_the_table():
    assert set(PUBLISHED) <= set(table4().average)
