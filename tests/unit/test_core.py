"""Registry, catalogue, ring, window and decision."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.core.catalogue import SEARCH_PATH_VARIABLE, categories, load_category
from physad_ros.core.decision import conformal_threshold, decide
from physad_ros.core.errors import BadData, UnknownName
from physad_ros.core.registry import Registry
from physad_ros.core.ring import SET_BACK_S, Ring
from physad_ros.core.types import Drive, Outcome, Phase, Program, Score, Timetable, Wait
from physad_ros.core.window import FrameWindow


def table(begin=10.0, frames=60):
    return Timetable("c", "fan", "fan_1", "drive", (Phase("run", begin, begin + frames / 60),), begin, begin + frames / 60, frames)


def test_a_registry_refuses_duplicates_and_names_what_it_knows():
    registry = Registry("thing", "physad_ros.core")
    registry.register("one")(1)
    with pytest.raises(ValueError, match="twice"):
        registry.register("one")(2)
    with pytest.raises(UnknownName, match="no thing 'two'; known: one"):
        registry["two"]


def test_an_unknown_name_is_told_across_processes_too():
    error = pickle.loads(pickle.dumps(UnknownName("thing", "two", ["one", "four"])))
    assert isinstance(error, UnknownName) and str(error) == "no thing 'two'; known: four, one"


def test_an_unknown_category_names_the_known_ones():
    with pytest.raises(UnknownName, match="clip, fan"):
        load_category("fna")


def test_every_shipped_category_loads_and_names_its_labels():
    assert set(categories()) >= {"fan", "clip", "hinge", "slide"}
    for name in categories():
        category = load_category(name)
        assert category.labels[0] == "anomaly_free" and len(category.labels) > 1
        with pytest.raises(UnknownName):
            category.check_label("no such defect")


def test_a_users_category_is_found_and_a_bad_one_names_its_field(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    text = (categories()["fan"] / "category.yaml").read_text().replace("name: fan\n", "name: mine\n")
    (folder / "category.yaml").write_text(text)
    monkeypatch.setenv(SEARCH_PATH_VARIABLE, str(tmp_path))
    assert load_category("mine").name == "mine"
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "category.yaml").write_text(text.replace("frames: 180", "frames: none"))
    with pytest.raises(BadData, match="frames"):
        load_category("bad")


@given(st.lists(st.floats(0, SET_BACK_S), min_size=1, max_size=50), st.floats(0.1, 20))
def test_a_ring_cuts_by_stamp_whatever_the_order_of_arrival(stamps, span):
    ring = Ring(span)
    for stamp in stamps:
        ring.push(stamp, stamp)
    kept = [s for s, _ in ring.window(-1, 101)]
    assert kept == sorted(s for s in stamps if s >= max(stamps) - span)


@given(st.lists(st.floats(100, 200), min_size=1, max_size=20), st.lists(st.floats(0, SET_BACK_S), min_size=1, max_size=20))
def test_a_ring_begins_anew_where_the_clock_is_set_back(before, after):
    """Else it would keep the old ones, and drop each of the new as too old."""
    ring = Ring(60.0)
    for stamp in [*sorted(before), *after]:
        ring.push(stamp, stamp)
    assert [s for s, _ in ring.window(-1, 201)] == sorted(after)


@given(st.floats(0, 1 / 60 - 1e-6), st.sets(st.integers(0, 59), max_size=20), st.integers(0, 2**31), st.sampled_from([0.0, 1.76e9]))
def test_a_window_finds_exactly_the_frames_that_are_lost(phase, lost, seed, epoch):
    """Whatever the camera's phase, its jitter (up to a fifth of a period) and the frames that are lost."""
    window = FrameWindow(table(begin=epoch + 10.0))
    rng = np.random.default_rng(seed)
    first = True
    for k in range(-20, 90):
        if k in lost:
            continue
        jitter = 0.0 if first and k >= 0 else rng.uniform(-0.2, 0.2) / 60
        first = first and k < 0
        stamp = epoch + 10.0 + phase + k / 60 + (jitter if k >= 0 else 0.0)
        slot = window.slot(round(stamp * 1e9) * 1e-9)
        if 0 <= k < 60:
            assert slot == k
    assert window.missing == tuple(sorted(lost)) and window.received == 60 - len(lost)


def test_a_window_counts_a_frame_once_and_ignores_nonsense():
    window = FrameWindow(table())
    assert window.slot(9.99) is None and window.slot(10.0) == 0 and window.slot(10.0) is None
    assert window.slot(math.nan) is None
    assert not window.over(10.5) and window.over(11.0)


@given(st.integers(1, 58), st.floats(0.02, 3.0), st.sampled_from([0.0, 1.76e9]))
def test_a_window_in_which_stamps_go_back_is_not_whole(at, back, epoch):
    """However many frames come: the clock runs on until the window's slots would all have been filled twice."""
    window = FrameWindow(table(begin=epoch + 10.0))
    for k in range(60 + round(back * 60)):
        window.slot(epoch + 10.0 + k / 60 - (back if k >= at else 0.0))
    assert window.received == at and window.missing == tuple(range(at, 60))
    assert window.went_back_s == pytest.approx(back - 1 / 60, abs=1e-5) and window.over(epoch + 10.0)


def test_stamps_that_go_back_outside_the_window_or_repeat_do_no_harm():
    window = FrameWindow(table())
    for stamp in (9.5, 9.9, 9.6, *(10.0 + k / 60 for k in range(60)), 10.0 + 59 / 60, 11.0, 10.2):
        window.slot(stamp)
    assert window.received == 60 and not window.went_back_s


def test_phases_join_steps_of_one_name_and_the_timetable_shifts_them():
    program = Program("fan", "fan_1", "drive", (Wait("rest", 0.5), Drive("run", 1.0, "motor", 12.0), Drive("run", 0.5, "motor", 0.0)), 0.5, 90)
    assert program.phases == (Phase("rest", 0.0, 0.5), Phase("run", 0.5, 2.0))
    timetable = Timetable.of(program, "c", 100.0)
    assert timetable.window_phases == (Phase("run", 100.5, 102.0),)
    assert timetable.phase_at(100.2).name == "rest" and timetable.phase_at(103.0) is None


def test_the_conformal_threshold_keeps_its_false_alarm_rate():
    rng = np.random.default_rng(7)
    rate = 0.1
    alarms = [rng.normal() > conformal_threshold(rng.normal(size=39), rate) for _ in range(4000)]
    assert abs(np.mean(alarms) - rate) < 4 * math.sqrt(rate * (1 - rate) / 4000)


def test_too_few_normals_are_refused_with_the_number_needed():
    with pytest.raises(BadData, match="at least 19"):
        conformal_threshold(range(18), 0.05)
    assert conformal_threshold(range(19), 0.05) == 18


@pytest.mark.parametrize("value, threshold, received, outcome", [
    (0.5, 1.0, 60, Outcome.NORMAL), (1.5, 1.0, 60, Outcome.ANOMALOUS), (0.5, 1.0, 59, Outcome.INCONCLUSIVE),
    (math.nan, 1.0, 60, Outcome.INCONCLUSIVE), (0.5, math.nan, 60, Outcome.INCONCLUSIVE), (math.inf, 1.0, 60, Outcome.INCONCLUSIVE),
])
def test_only_what_was_fully_seen_is_judged(value, threshold, received, outcome):
    verdict = decide(Score(value, np.zeros(60)), threshold, category="fan", detector="d", frames_expected=60, frames_received=received)
    assert verdict.outcome is outcome
    assert bool(verdict.reason) == (outcome is Outcome.INCONCLUSIVE)
