"""The picture of an inspection: each fact once, nothing cut off or overlapping, and marks where the thing is that they are about."""

import dataclasses
import errno
import itertools
from math import nan

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from physad_ros.core.telling import told, told_unit
from physad_ros.core.types import (
    Course,
    Finding,
    Mark,
    MeasuredValue,
    Outcome,
    Percept,
    Phase,
    Score,
    Timetable,
    Verdict,
)
from physad_ros.dataset.overview import charts, facts, write_overview
from physad_ros.dataset.overview.choice import Choice
from physad_ros.dataset.overview.frames import shown_part
from physad_ros.dataset.overview.page import HEIGHT, WIDTH, Page

STAMPS = 5 + np.arange(120) / 60
PHASES = (Phase("pull", 5.0, 6.0), Phase("hold", 6.0, 6.5), Phase("push", 6.5, 7.0))
TABLE = Timetable("c1", "slide", "slide_1", "grab_slide", PHASES, 5.0, 7.0, 120)
FRAMES = np.random.default_rng(0).integers(0, 255, (120, 90, 160, 3), np.uint8)


def look(numbers):
    assert all(0 <= n < len(STAMPS) for n in numbers)
    return [FRAMES[n] for n in numbers]


def finding(quantity="travel", violation=8.0, begin_s=5.2, phase="hold", value=30.0, unit="mm"):
    return Finding(f"{quantity}.mean.{phase}", phase, quantity, value, 88.0, 93.0, unit, violation, begin_s, begin_s + 0.3,
                   f"during {phase}, {quantity} was {value:g} {unit}")


VALUES = tuple(
    MeasuredValue(p.name, quantity, statistic, "mm", 90.5 if quantity == "travel" else 0.01, low, high, 0.2)
    for quantity, low, high in (("travel", 88.0, 93.0), ("sunk_at_the_far_end", -0.98765, 0.61235))
    for statistic in ("most", "mean", "least", "end") for p in PHASES
)
COURSE = Course("travel", "mm", 90 * np.sin(np.arange(120) / 38), 85 * np.sin(np.arange(120) / 38), 95 * np.sin(np.arange(120) / 38) + 2)
MARKS = tuple(
    Mark("travel", float(STAMPS[n]), normal, normal, np.array([[0.2, 0.3], [0.7, 0.3], [0.7, 0.8]]) + 0.1 * normal)
    for n in (50, 80, 110) for normal in (False, True)
)
RULES = Score(8.0, np.linspace(0, 30, 120), measured=VALUES, courses=(COURSE,), marks=MARKS)
LEARNT = Score(0.3, np.linspace(-2, 0.3, 120))
ANOMALOUS = Verdict(Outcome.ANOMALOUS, "slide", 30.0, 1.0, "rules", (finding(), finding("tilt", 3.0), finding("travel", 5.0, phase="push")))
SEEN = Percept("known", "slide", 0.98, ("metal",))

CASES = {
    "anomalous": (ANOMALOUS, TABLE, STAMPS, RULES, {"sign": "jam", "truth": "on the twin: slide_1, jam, severity 0.63"}),
    "normal": (Verdict(Outcome.NORMAL, "slide", 0.5, 1.0, "rules"), TABLE, STAMPS, RULES, {"truth": "on the twin: slide_1, without a defect"}),
    "learnt": (Verdict(Outcome.ANOMALOUS, "slide", 0.3, 0.1, "memae"), TABLE, STAMPS, LEARNT, {}),
    "asked": (Verdict(Outcome.NORMAL, "slide", 0.3, 0.5, "video_llava"), TABLE, STAMPS,
              dataclasses.replace(LEARNT, description="A rail. " * 30, explanation="It moves. " * 30), {}),
    "many findings": (dataclasses.replace(ANOMALOUS, findings=tuple(finding(f"quantity_{n}", 9 - n) for n in range(9))), TABLE, STAMPS, RULES, {}),
    "measured only where normal ones are not": (
        dataclasses.replace(ANOMALOUS, findings=(finding(value=nan),)), TABLE, STAMPS,
        dataclasses.replace(RULES, courses=(dataclasses.replace(COURSE, low=np.full(120, nan), high=np.full(120, nan)),), marks=MARKS[:2]), {},
    ),
    "too few frames": (Verdict(Outcome.INCONCLUSIVE, "slide", 30.0, 1.0, "rules", (finding(),), "70 of 120 frames were received"), TABLE,
                       STAMPS[:70], dataclasses.replace(RULES, per_frame=np.zeros(70), courses=(), marks=()), {"percept": SEEN}),
    "one frame": (Verdict(Outcome.INCONCLUSIVE, "slide", reason="the camera has stalled"), TABLE, STAMPS[:1], Score(nan, np.zeros(1)), {}),
    "not scored": (Verdict(Outcome.INCONCLUSIVE, "slide", reason="the arm refused " * 20), TABLE, STAMPS, Score(nan, np.empty(0)), {"percept": SEEN}),
    "no frames": (Verdict(Outcome.INCONCLUSIVE, "slide", reason="it " * 200), TABLE, np.empty(0), Score(nan, np.empty(0)),
                  {"steps": {"clearing": 0.0, "lighting": 1.0, "perceiving": 1.5, "planning": 2.0, "interacting": 3.0, "aborting": 4.0}}),
    "no plan": (Verdict(Outcome.INCONCLUSIVE, "", reason="there is nothing before the camera"), None, np.empty(0), Score(nan, np.empty(0)),
                {"percept": Percept("nothing", "", 0.0), "steps": {"clearing": 0.0, "aborting": 2.0, "verdict": 2.0}}),
    "no table, frames": (Verdict(Outcome.INCONCLUSIVE, "", reason="$ 5 % of _it_"), None, STAMPS, LEARNT, {}),
    "a word without end": (Verdict(Outcome.INCONCLUSIVE, "slide", reason="x" * 900), None, np.empty(0), Score(nan, np.empty(0)), {}),
}


@pytest.fixture(params=CASES, scope="module")
def page(request, tmp_path_factory):
    verdict, timetable, stamps, score, more = CASES[request.param]
    file = tmp_path_factory.mktemp("picture") / "overview.png"
    page = write_overview(file, verdict, timetable, stamps, look, score, **more)
    page.file = file
    return page


def texts(page):
    """What is written, and where. Labels of ticks beyond an axis's ends are kept by matplotlib but not drawn."""
    renderer, figure = page.figure.canvas.get_renderer(), page.figure
    drawn = [*figure.texts, *(text for axis in figure.axes for text in axis.texts)]
    for axis in figure.axes:
        for ticks, (low, high) in ((axis.xaxis, sorted(axis.get_xlim())), (axis.yaxis, sorted(axis.get_ylim()))):
            drawn += [t.label1 for t in ticks.get_major_ticks() if axis.axison and low <= t.get_loc() <= high]
    for text in drawn:
        if text.get_visible() and text.get_text().strip():
            yield text.get_text(), text.get_window_extent(renderer)


def test_the_picture_has_its_size(page):
    assert cv2.imread(str(page.file)).shape == (HEIGHT, WIDTH, 3)


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(_, file, **__):
        file.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OSError, match="No space"):
        written("normal", tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_text_leaves_the_page(page):
    for told_, extent in texts(page):
        assert extent.x0 >= 0 and extent.y0 >= 0 and extent.x1 <= WIDTH and extent.y1 <= HEIGHT, told_


def test_no_text_overlaps_another(page):
    for (one, a), (other, b) in itertools.combinations(texts(page), 2):
        across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1 or down <= 3, f"{one!r} and {other!r}"  # lines' extents have some air above and below


def written(name, tmp_path):
    verdict, timetable, stamps, score, more = CASES[name]
    page = write_overview(tmp_path / "o.png", verdict, timetable, stamps, look, score, **more)
    return " ".join(t for t, _ in texts(page)).replace("\n", " ")


def test_each_fact_is_told_once(tmp_path):
    said = written("anomalous", tmp_path)
    assert said.count("travel was") == 1 and said.count("tilt was") == 1 and "looks like: jam" in said and "severity 0.63" in said


def test_a_normal_part_is_told_with_all_that_was_measured(tmp_path):
    said = written("normal", tmp_path)
    assert "All 24 measured values" in said and said.count("(88…93)") == 12 and "80 % of the way" in said


def test_what_could_not_be_judged_tells_how_far_it_came(tmp_path):
    assert "ended here after 1.0 s" in written("no frames", tmp_path)
    assert "The camera saw: slide, 98 % sure, metal" in written("too few frames", tmp_path)


# -- what is told ---------------------------------------------------------------------------------------------------------


def test_of_each_quantity_the_strongest_finding_and_the_cause_before_its_consequence():
    late = finding("sunk", 46.0, begin_s=6.9)
    first = finding("fallen", 38.0, begin_s=5.5)
    unmeasured, weaker = finding("tilt", 3.0, value=nan), finding("fallen", 9.0, begin_s=5.1)
    told_ = facts.strongest([late, finding("sunk", 4.0), unmeasured, finding("travel", 1.2), first, weaker])
    assert [(f.quantity, f.violation) for f in told_] == [("fallen", 38.0), ("sunk", 46.0), ("travel", 1.2), ("tilt", 3.0)]


@pytest.mark.parametrize(("value", "low", "high", "unit", "said"), [
    (0.3142, 1.0472, 1.2566, "rad", ("18", "60", "72", "°")),
    (6.2832, 11.15, 12.02, "rad/s", ("60", "106", "115", "rpm")),
    (2173.0, -6.0, 6.0, "mm2", ("2200", "-6", "6", "mm²")),
    (3.4127, -0.0793, 0.4403, "mm", ("3.4", "-0.08", "0.44", "mm")),
    (0.0212, 0.5787, 0.8479, "", ("2", "58", "85", "%")),
    (0.116, -0.068, 0.0919, "", ("12", "-6.8", "9.2", "%")),
    (1.0, 0.9171, 1.0771, "", ("100", "92", "108", "%")),
    (12.03, 11.15, 12.02, "rad/s", ("114.9", "106.5", "114.8", "rpm")),
    (-0.001, -0.5, 0.5, "N", ("0", "-0.5", "0.5", "N")),
    (nan, -0.4, 0.7, "deg", ("not measured", "-0.4", "0.7", "°")),
    (0.3142, nan, nan, "rad", ("18", "unknown", "unknown", "°")),
    (nan, nan, nan, "mm", ("not measured", "unknown", "unknown", "mm")),
])
def test_numbers_are_told_in_people_s_units_with_few_digits(value, low, high, unit, said):
    assert told(value, low, high, unit) == said


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e3), st.floats(-1e5, 1e5), st.sampled_from(["rad", "mm", "", "rad/s"]))
def test_what_is_outside_never_seems_inside(low, width, value, unit):
    high = low + width
    said = told(value, low, high, unit)
    times = told_unit(unit)[1]
    assert "e" not in "".join(said[:3])
    if value > high + 1e-6 * max(1.0, abs(high)):
        assert float(said.value) > float(said.high) or float(said.value) == pytest.approx(value * times, rel=1e-6)
    if value < low - 1e-6 * max(1.0, abs(low)):
        assert float(said.value) < float(said.low) or float(said.value) == pytest.approx(value * times, rel=1e-6)


# -- what is drawn --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("score", "threshold", "curve"), [
    (26.6, 1.0, 16.1), (361.0, 1.0, 40.0), (0.06, 0.04, 0.05), (-1.2, -0.4, -3.0), (3.0, 1.0, 50.0),
])
def test_score_curve_and_threshold_are_on_one_scale_and_none_is_cut(score, threshold, curve):
    axis = Page().axes((100, 100, 400, 200))
    charts.score(axis, Verdict(Outcome.ANOMALOUS, "slide", score, threshold), STAMPS, np.linspace(0, curve, 120))
    low, high = axis.get_ylim()
    assert all(low <= v <= high for v in (score, threshold, curve))
    heights = [axis.transData.transform((0, v))[1] for v in sorted((score, threshold, curve))]
    assert heights == sorted(heights) and len(set(heights)) == 3
    drawn = [v for line in axis.lines for v in np.atleast_1d(line.get_ydata())]
    assert {score, threshold, curve} <= set(drawn)


def test_a_course_is_drawn_whole_and_not_across_what_was_not_seen():
    kept = np.r_[0:40, 70:120]
    part = Course("angle", "rad", *(np.ones(90) * v for v in (0.5, 0.4, 3.0)))
    axis = Page().axes((100, 100, 400, 200))
    charts.course(axis, part, STAMPS[kept] - 5.0)
    low, high = axis.get_ylim()
    assert low < np.degrees(0.4) and high > np.degrees(3.0)
    drawn = axis.lines[0]
    assert np.isnan(drawn.get_ydata()).sum() == 1 and np.nanmax(drawn.get_ydata()) == pytest.approx(np.degrees(0.5))


def test_the_large_picture_is_of_the_worst_finding_s_phase():
    assert Choice(ANOMALOUS, PHASES, STAMPS, RULES, "travel").main_frame() == 80
    later = dataclasses.replace(ANOMALOUS, findings=(finding(phase="push"),))
    assert Choice(later, PHASES, STAMPS, RULES, "travel").main_frame() == 110
    assert Choice(dataclasses.replace(ANOMALOUS, findings=(), threshold=0.1), PHASES, STAMPS, LEARNT, "").main_frame() == 119


@given(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.5, 3))
def test_the_part_that_is_shown_holds_every_mark(left, top, width, height, aspect):
    points = np.array([[left, top], [min(left + width, 1.0), min(top + height, 1.0)]])
    part = shown_part([FRAMES[0]], [Mark("q", 0.0, False, False, points)], aspect)
    (x0, y0), (x1, y1) = points * (160, 90)
    assert 0 <= part[0] <= x0 + 1 and x1 - 1 <= part[2] <= 160 and 0 <= part[1] <= y0 + 1 and y1 - 1 <= part[3] <= 90


def test_without_marks_what_moves_is_shown():
    still = np.zeros((90, 160, 3), np.uint8)
    moved = still.copy()
    moved[30:60, 100:140] = 200
    left, top, right, bottom = shown_part([still, moved], [], 1.6)
    assert left > 20 and right >= 140 and top <= 30 and bottom >= 60
    assert shown_part([still, still], [], 1.6)[3] == 90
