"""What is measured in drawn pictures is what was drawn; what is deduced from normals holds for them and breaks for others."""

import dataclasses
import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from physad_ros.bench.courses import _course as draw_course
from physad_ros.bench.courses import draw
from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.decision import decide
from physad_ros.core.errors import BadData
from physad_ros.core.types import NORMAL_LABEL, Clip, Film, Outcome, Phase, Signals, Timetable
from physad_ros.dataset.tree import footage
from physad_ros.dataset.video import write_video
from physad_ros.detectors.rules import Rules
from physad_ros.rules.bank import FILE, UNMEASURED, Bank, Rule
from physad_ros.rules.deduce import Measured, at_knots, deduce, envelopes, median_course
from physad_ros.rules.measurement import Quantity, measurements
from physad_ros.rules.measurements.drive import Drive
from physad_ros.rules.phases import PACE, aligned
from physad_ros.rules.reason import frame_violations, reason, tell
from physad_ros.rules.sight import Sight
from physad_ros.sim.devices import Mode
from physad_ros.sim.rig import Rig
from physad_ros.sim.specimen import random_specimen

SIZE = (640, 360)
FAN = Rules.load(load_category("fan").folder)


def rotor(angle, shift_px=(0.0, 0.0), blades=5):
    """A drawn fan: dark ground, a motor that stands still, blades at an angle (counterclockwise), a hub that may be shifted."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    at = np.array([320.0, 170.0]) + shift_px
    stand = np.round(np.array([[-20, 10], [20, 10], [20, 150], [-20, 150]]) + at).astype(np.int32)
    cv2.fillConvexPoly(picture, stand, (20, 170, 230))  # shakes with the hub
    for k in range(blades):
        a = 2 * np.pi * k / blades - angle
        tip = at + 90 * np.array([np.cos(a), np.sin(a)])
        points = np.array([at, at + 80 * np.array([np.cos(a - 0.3), np.sin(a - 0.3)]), tip])
        cv2.fillConvexPoly(picture, np.round(points * 16).astype(np.int32), (40, 40, 200 - 10 * k), cv2.LINE_AA, 4)
    cv2.circle(picture, tuple(np.round(at * 16).astype(int)), 16 * 24, (190, 190, 190), -1, cv2.LINE_AA, 4)
    return picture


def driven(*drawn, **more):
    return driving(*drawn, **more).courses()


def driving(rate, seconds=2.0, shake_px=0.0, fps=60):
    measurement = Drive(load_category("fan"), SIZE, fps)
    for at in np.arange(round(seconds * fps)) / fps:
        shift = (shake_px * np.sin(2 * np.pi * 1.9 * at), 0.0)
        measurement.push(rotor(rate(at) if callable(rate) else rate * at, shift))
    return measurement


@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("rate", [4.0, 12.0, -9.0])
def test_a_rotor_is_measured_at_its_rate_and_in_its_direction(rate, fps):
    measured = driven(rate, fps=fps)["turning_rate"][5:]
    assert np.nanmedian(measured) == pytest.approx(rate, rel=0.02)


@pytest.mark.parametrize("commanded", [12.0, -12.0])
def test_the_rate_is_positive_in_the_direction_that_the_category_commands(commanded):
    rig = Rig((320, 180), random_specimen(1, "fan", defect=NORMAL_LABEL))
    measurement, truth = Drive(load_category("fan"), (320, 180), 60), []
    rig.motors["motor"].command(Mode.VELOCITY, commanded)
    while len(truth) < 60:
        if rig.frame_due:
            measurement.push(rig.render().picture)
            truth.append(rig.truth()["speed_rad_s"])
        rig.step()
    rig.close()
    measured = measurement.courses()["turning_rate"]
    assert np.nanmedian(measured[30:]) == pytest.approx(np.median(truth[30:]), rel=0.05) and abs(truth[-1]) > 11


def test_footage_on_which_a_rotor_turns_too_far_from_frame_to_frame_is_refused():
    with pytest.raises(BadData, match="15 frames a second are too few"):
        driven(12.0, fps=15)


def test_a_picture_without_a_rotor_says_so():
    with pytest.raises(BadData, match="no rotor can be seen"):
        measurement = Drive(load_category("fan"), SIZE, 60)
        for _ in range(60):
            measurement.push(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))


def test_a_rotor_that_stops_is_seen_to_stop():
    measured = driven(lambda t: 12 * min(t, 1.0))["turning_rate"]
    assert np.nanmax(measured[70:]) < 0.5 < 11 < np.median(measured[10:50])


def test_a_rotor_that_shakes_still_turns():
    measured = driven(12.0, shake_px=4.0)["turning_rate"]
    assert np.nanmin(measured[5:]) > 11 and np.isnan(measured).sum() < 10


@pytest.mark.parametrize(("shake_px", "fps"), [(0.0, 60), (3.0, 60), (6.0, 60), (6.0, 30)])
def test_a_shaking_hub_is_measured_in_millimetres(shake_px, fps):
    scale = Sight.of(load_category("fan"), SIZE).pixels_per_mm()
    course = driven(12.0, shake_px=shake_px, fps=fps)["shake_sideways"]
    swing = np.percentile(course, 95) - np.percentile(course, 5)
    # evening out the blades takes a fifth of a shake at the turning frequency
    assert swing == pytest.approx(0.8 * 2 * shake_px / scale, rel=0.1, abs=0.1)


def pressed(*drawn, **more):
    return pressing(*drawn, **more).courses()


def pressing(back, opens=30, frames=120):
    """A drawn clip: a finger comes down and goes up; a lever turns under it and comes back by a share."""
    measurement = measurements["press"](load_category("clip"), SIZE, 60)
    for i in range(frames):
        down = np.clip(min(i - 20, 90 - i) / 20, 0, 1)
        turn = opens * (down if i < 70 else max(down, 1 - back))
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        cv2.rectangle(picture, (250, 250), (400, 270), (200, 120, 20), -1)
        box = cv2.boxPoints(((330, 215), (150, 20), turn - 15))
        cv2.fillConvexPoly(picture, box.astype(np.int32), (200, 120, 20))
        cv2.rectangle(picture, (270, 0), (300, int(100 + 60 * down)), (225, 225, 225), -1)
        measurement.push(picture)
    return measurement


def test_a_lever_that_comes_back_leaves_nothing_and_one_that_stays_leaves_all():
    assert pressed(back=1.0)["remainder"][-1] < 0.05
    assert pressed(back=0.0)["remainder"][-1] > 0.9
    assert 0.2 < pressed(back=0.5)["remainder"][-1] < 0.8


def test_what_does_not_open_has_no_remainder():
    courses = pressed(back=1.0, opens=0)
    assert courses["opening"].max() < 0.02 and np.isnan(courses["remainder"][-1])


def slid(*drawn, **more):
    return sliding(*drawn, **more).courses()


def sliding(travel_px, tilt_deg=0.0, ball_from=None, frames=120):
    measurement = measurements["grab_slide"](load_category("slide"), SIZE, 60)
    for i in range(frames):
        out = travel_px * np.clip(i / 40, 0, 1)
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        cv2.rectangle(picture, (0, 200), (200, 240), (110, 110, 110), -1)
        centre = (150 + out, 220 - 100 * np.sin(np.radians(tilt_deg)) * (out > 20))
        box = cv2.boxPoints((centre, (300, 40), -tilt_deg if out > 20 else 0))
        cv2.fillConvexPoly(picture, np.round(box).astype(np.int32), (150, 150, 150))
        if ball_from is not None and i > ball_from:
            cv2.circle(picture, (150, min(255 + (i - ball_from) * 3, 340)), 8, (230, 230, 230), -1)
        measurement.push(picture)
    return measurement


def test_travel_is_measured_in_millimetres():
    sight = Sight.of(load_category("slide"), SIZE)
    scale = sight.pixels_per_mm(load_category("slide").recipe.parameters["grip_m"])
    assert slid(120)["travel"][-1] == pytest.approx(120 / scale, rel=0.02)


def test_a_falling_ball_is_seen_and_a_part_that_slides_is_none():
    assert slid(120)["fallen"].max() == 0
    fallen = slid(120, ball_from=50)["fallen"]
    assert fallen[:50].max() == 0 and fallen[60:].min() > 5


def test_a_tilt_is_measured():
    pulled_out = 200  # pixels: past the rail and its balls
    straight, tilted = slid(pulled_out)["tilt"][-1], slid(pulled_out, tilt_deg=4.0)["tilt"][-1]
    assert abs(straight) < 0.5 and tilted == pytest.approx(4.0, abs=1.0)


@pytest.mark.parametrize("point", [(0.0, 0.0, 0.0), (0.02, 0.0, 0.1)])
def test_sight_puts_the_target_in_the_middle_and_scales_with_distance(point):
    category = load_category("fan")
    sight = Sight.of(category, SIZE)
    target = tuple(np.array(category.camera.target_m) - np.array(category.fixture.position_m))
    assert sight.pixel(target) == pytest.approx((320, 180), abs=1e-6)
    u, _ = sight.pixel(point)
    u2, _ = sight.pixel((point[0] + 0.001, point[1], point[2]))
    assert u2 - u == pytest.approx(sight.pixels_per_mm(point), rel=1e-3)


# -- where it is to be seen -------------------------------------------------------------------------------------------------


def seen_and_normal(lines):
    """The points of the first line along what is seen, and of the first along what would be normal."""
    return next(line.points_px for line in lines if not line.normal), next((line.points_px for line in lines if line.normal), None)


def test_a_rate_is_marked_about_the_hub_as_on_a_speedometer():
    rate = 8.0
    lines = driving(rate).lines("turning_rate", 90, (11.0, 12.5))
    arc, needle = (line.points_px - (320, 170) for line in lines if not line.normal)
    assert np.hypot(*arc.T) == pytest.approx(np.full(len(arc), 93), abs=8)  # a little outside of the blades
    assert arc[0] == pytest.approx((0, -93), abs=8)  # from the top on
    turned = np.degrees(np.arctan2(needle[:, 1], needle[:, 0]) + np.pi / 2) % 360
    assert turned == pytest.approx(np.full(2, 360 - 270 * rate / 12.0), abs=8)  # counterclockwise, as the blades turn
    normal = next(line.points_px for line in lines if line.normal) - (320, 170)
    between = 360 - (np.degrees(np.arctan2(normal[:, 1], normal[:, 0]) + np.pi / 2) % 360)
    assert between.min() == pytest.approx(270 * 11.0 / 12.0, abs=4) and between.max() == pytest.approx(270 * 12.5 / 12.0, abs=4)


def test_a_shake_is_marked_from_where_to_where_the_hub_goes():
    shake_px = 6.0
    lines = driving(12.0, shake_px=shake_px).lines("shake_sideways", 60, (-0.2, 0.2))
    left, right = (line.points_px for line in lines if not line.normal)
    assert right[:, 0] - left[:, 0] == pytest.approx(np.full(2, 1.6 * shake_px), rel=0.15)  # a fifth is evened out
    assert left[:, 1] == pytest.approx(right[:, 1]) and abs(left[:, 1].mean() - 170) < 12


def test_a_part_is_marked_at_its_edge_and_where_it_would_be():
    travel_px = 120
    measurement = sliding(travel_px)
    scale = measurement.sight.pixels_per_mm(load_category("slide").recipe.parameters["grip_m"])
    edge, normal = seen_and_normal(measurement.lines("travel", 100, (travel_px / scale + 10, travel_px / scale + 14)))
    assert edge[:, 0] == pytest.approx(np.full(2, 300 + travel_px), abs=2) and edge[:, 1].min() < 200 < 240 < edge[:, 1].max()
    assert sorted(set(normal[:, 0])) == pytest.approx([300 + travel_px + 10 * scale, 300 + travel_px + 14 * scale], abs=2)


def test_a_tilt_is_marked_along_the_tilted_edge():
    edge, normal = seen_and_normal(sliding(200, tilt_deg=4.0).lines("tilt", 100, (-0.5, 0.5)))
    (near, far), rise = edge[:, 0], edge[1, 1] - edge[0, 1]
    assert np.degrees(np.arctan2(rise, near - far)) == pytest.approx(4.0, abs=1.0) and near - far > 40
    assert edge[0, 1] == pytest.approx(240, abs=20) and np.ptp(normal[:, 1]) < 0.6 * rise


def test_a_ball_that_fell_is_ringed_and_no_ball_is_not():
    lines = sliding(120, ball_from=50).lines("fallen", 75, (-6.0, 6.0))
    assert len(lines) == 1 and lines[0].closed
    middle = lines[0].points_px.mean(axis=0)
    assert middle == pytest.approx((150, 255 + 25 * 3), abs=3)
    assert np.hypot(*(lines[0].points_px - (150, 330)).T).min() > 8  # all round it
    assert sliding(120).lines("fallen", 75, (-6.0, 6.0)) == []


def turned_leaf(most_deg):
    """A drawn leaf that turns about an upright axis and is seen from the front."""
    category = load_category("hinge")
    measurement = measurements["grab_rotate"](category, SIZE, 60)
    axis = Sight.of(category, SIZE).pixel((0.0, 0.0, category.recipe.parameters["grip_m"][2]))[0]
    for i in range(60):
        width = 120 * np.cos(np.radians(most_deg * i / 59))
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        cv2.rectangle(picture, (int(axis) - 40, 100), (round(axis + width), 300), (160, 160, 160), -1)
        measurement.push(picture)
    return measurement, axis


def test_the_angle_of_a_leaf_that_is_not_seen_is_not_known(recwarn):
    measurement = measurements["grab_rotate"](load_category("hinge"), SIZE, 60)
    for _ in range(10):
        measurement.push(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert np.isnan(measurement.courses()["angle"]).all() and not recwarn.list


def test_an_angle_is_marked_at_the_leaf_s_edge_and_where_it_would_be():
    measurement, axis = turned_leaf(20.0)
    edge, normal = seen_and_normal(measurement.lines("angle", 59, (np.radians(60), np.radians(70))))
    assert edge[:, 0] == pytest.approx(np.full(2, axis + 120 * np.cos(np.radians(20))), abs=2)
    columns = [axis + 120 * np.cos(np.radians(a)) for a in (70, 60)]
    assert sorted(set(normal[:, 0])) == pytest.approx(columns, abs=3)
    end, allowed = seen_and_normal(measurement.lines("sunk", 59, (5.0, 10.0)))
    assert end[:, 1] == pytest.approx(np.full(2, 300), abs=2) and allowed[:, 1].min() > 301


@pytest.mark.parametrize("back", [0.0, 1.0])
def test_a_pressed_thing_is_outlined_as_it_is_and_as_it_was(back):
    outline, before = seen_and_normal(pressing(back).lines("remainder", 119, (-0.1, 0.1)))
    apart = np.hypot(*(outline[:, None] - before[None]).transpose(2, 0, 1)).min(axis=1).max()
    assert (apart > 10) == (back == 0.0)
    assert before[:, 0].min() < 270 < 390 < before[:, 0].max()  # with its base
    assert all(not line.normal for line in pressing(back).lines("opening", 69, (0.5, 0.8)))


def test_fingers_are_marked_at_their_tip_and_where_it_would_be():
    measurement = pressing(1.0)
    tip, normal = seen_and_normal(measurement.lines("depth", 60, (5.0, 8.0)))
    scale = measurement.sight.pixels_per_mm()
    assert tip[:, 1] == pytest.approx(np.full(2, 160), abs=5) and tip[:, 0].min() < 270 and tip[:, 0].max() > 300
    assert sorted(set(normal[:, 1])) == pytest.approx([100 + 5 * scale, 100 + 8 * scale], abs=5)


def test_a_score_marks_each_quantity_in_the_frame_of_each_phase_that_tells_the_most():
    at = np.arange(180) / 60
    table = dataclasses.replace(TABLE, phases=(Phase("spin_up", 0.0, 0.6), Phase("run", 0.6, 2.5), Phase("spin_down", 2.5, 3.0)))
    turns = ~((at > 1.2) & (at < 1.6))
    angles = np.cumsum(11.7 * np.clip(np.minimum(at / 0.6, (3.1 - at) / 0.6), 0, 1) * turns) / 60
    score = FAN.score(Clip(table, np.array([rotor(a) for a in angles]), at))
    stamps = {m.stamp_s for m in score.marks if m.quantity == "turning_rate" and 0.6 <= m.stamp_s < 2.5}
    assert len(stamps) == 1 and 1.2 <= stamps.pop() <= 1.65
    assert {m.quantity for m in score.marks} == set(FAN.bank.envelopes)
    assert all(m.stamp_s in at and np.isfinite(m.points).all() and np.abs(m.points - 0.5).max() < 0.6 for m in score.marks)


# -- deduction and reasoning on courses -------------------------------------------------------------------------------

CATEGORY = load_category("fan")
QUANTITIES = {"turning_rate": Quantity("rad/s", 0.1, {"mean": "it turned at {value}", "least": "it turned at {value} at the least"})}
TABLE = Timetable("c", "fan", "fan_1", "drive", (Phase("spin_up", 0.0, 1.0), Phase("run", 1.0, 3.0)), 0.0, 3.0, 180)


def clip(level, noise=0.0, seed=0):
    at = np.arange(180) / 60
    course = level * np.clip(at, 0, 1) + noise * np.random.default_rng(seed).normal(size=180)
    return Measured(TABLE, at, {"turning_rate": course})


NORMALS = [clip(12 + 0.3 * np.sin(i), 0.05, i) for i in range(40)]
RULES = deduce(CATEGORY, QUANTITIES, NORMALS)


def bank(rules, **edited):
    return Bank.model_validate({
        "category": "fan", "interaction": "drive", "fitted": {"clips": 40, "held_out": 0, "seed": 0}, "false_alarm_rate": 0.05,
        "threshold": 1.2, "phases": [{"name": "spin_up", "begin": 0.0, "end": 0.3333}, {"name": "run", "begin": 0.3333, "end": 1.0}],
        "guide": "turning_rate", "rules": rules, "envelopes": envelopes(QUANTITIES, NORMALS), **edited,
    })


def test_stable_quantities_become_rules_that_normals_keep():
    rules = RULES
    assert {(r.phase, r.statistic) for r in rules} == {(p, s) for p in ("spin_up", "run") for s in ("mean", "least")}
    assert max(reason(bank(rules), c).value for c in NORMALS) < 1.0


def test_what_is_not_stable_is_no_rule():
    wild = [clip(12 * np.random.default_rng(i).uniform(0, 1)) for i in range(40)]
    kept = deduce(CATEGORY, QUANTITIES, [*wild])
    assert "run" not in {r.phase for r in kept}


def test_a_broken_rule_is_told_with_its_phase_value_and_interval():
    score = reason(bank(RULES), clip(6.0))
    worst = score.findings[0]
    assert score.value == worst.violation > 5
    assert (worst.phase, worst.quantity) == ("run", "turning_rate") and worst.value == pytest.approx(6.0, abs=0.1)
    assert "during run" in worst.sentence and "57 rpm" in worst.sentence
    assert worst.low < 12 < worst.high


def test_all_that_was_measured_is_told_with_its_margin_of_a_normal_clip_too():
    score = reason(bank(RULES), clip(12.0))
    assert not score.findings
    assert [(m.phase, m.quantity, m.statistic) for m in score.measured] == [(r.phase, r.quantity, r.statistic) for r in RULES]
    run = next(m for m in score.measured if (m.phase, m.statistic) == ("run", "mean"))
    middle, half = (run.low + run.high) / 2, (run.high - run.low) / 2
    assert run.value == pytest.approx(12.0) and run.margin == pytest.approx(1 - abs(12.0 - middle) / half) and 0.5 < run.margin < 1
    assert score.value == pytest.approx(1 - min(m.margin for m in score.measured))


def test_a_course_comes_with_what_normal_clips_run_through():
    clips = [clip(level) for level in (12.0, 6.0)]
    good, bad = (reason(bank(RULES), c).courses[0] for c in clips)
    assert (good.quantity, good.unit) == ("turning_rate", "rad/s")
    assert np.array_equal(good.values, clips[0].courses["turning_rate"])
    assert ((good.low < good.values) & (good.values < good.high))[90:].all()
    assert np.array_equal(good.low, bad.low) and (bad.values < bad.low)[90:].all()


def test_what_cannot_be_measured_has_no_value_and_no_margin():
    blind = reason(bank(RULES), dataclasses.replace(NORMALS[0], courses={"turning_rate": np.full(180, np.nan)}))
    assert all(np.isnan(m.value) and m.margin < 0 for m in blind.measured) and len(blind.measured) == len(RULES)


def test_violation_grows_with_the_distance():
    rules = bank(RULES)
    values = [reason(rules, clip(level)).value for level in (12, 11, 10, 8, 4, 0)]
    assert values == sorted(values)


@settings(deadline=None)
@given(st.floats())
def test_what_cannot_be_measured_is_never_normal(threshold):
    detector, blind = Rules(), dataclasses.replace(NORMALS[0], courses={"turning_rate": np.full(180, np.nan)})
    detector.bank = bank(RULES, threshold=None)
    try:
        detector.calibrate(threshold, 0.05, 20)
    except BadData:
        return  # such a threshold is refused
    assert 1 <= detector.threshold < UNMEASURED
    score = reason(detector.bank, blind)
    verdict = decide(score, detector.threshold, category="fan", detector="rules", frames_expected=180, frames_received=180)
    assert verdict.outcome is Outcome.ANOMALOUS and "could not be measured" in score.findings[0].sentence


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, 2.0])
def test_a_frame_s_score_is_1_at_the_edge_of_what_normal_clips_run_through(share):
    made = bank(RULES)
    about = made.envelopes["turning_rate"]
    low, high = np.array(about.low), np.array(about.high)
    course = (low + high) / 2 + share * (high - low) / 2
    scores = frame_violations(made, TABLE, 3.0 * (np.arange(len(low)) + 0.5) / len(low), {"turning_rate": course})
    assert scores == pytest.approx(share, abs=1e-6)


def test_how_a_clip_begins_does_not_widen_what_is_normal_at_its_end():
    about = envelopes(QUANTITIES, NORMALS)["turning_rate"]  # from 0 to 12 and no way back
    assert about.high[0] < 2 and about.low[-1] > 11


def test_the_plot_of_courses_shows_what_is_normal_whatever_happens_around_the_window():
    around = dataclasses.replace(TABLE, phases=(Phase("approach", -2.0, 0.0), *TABLE.phases, Phase("retreat", 3.0, 4.0)))
    axis = Figure().add_subplot()
    draw_course(axis, bank(RULES), dataclasses.replace(NORMALS[0], timetable=around), "turning_rate", 2.0)
    band = axis.collections[0].get_paths()[0].get_extents()
    assert band.x1 - band.x0 == pytest.approx(3.0, abs=0.1)
    assert band.y1 == pytest.approx(2.0 * max(envelopes(QUANTITIES, NORMALS)["turning_rate"].high))


def test_a_film_that_has_no_courses_is_named(tmp_path):
    write_video(tmp_path / "still.mp4", [np.zeros((36, 64, 3), np.uint8)] * 180, 60.0)
    with pytest.raises(BadData, match=r"still\.mp4: the phases cannot be found"):
        draw([tmp_path / "still.mp4"], "clip", tmp_path / "out.png")


def test_too_few_clips_are_refused():
    with pytest.raises(BadData, match="at least 10 are needed"):
        deduce(CATEGORY, QUANTITIES, NORMALS[:5])


def test_a_bank_reads_back_and_a_bad_one_names_its_fault(tmp_path):
    made = bank(RULES)
    made.write(tmp_path)
    assert Bank.read(tmp_path) == made
    (tmp_path / "rules.yaml").write_text((tmp_path / "rules.yaml").read_text().replace("statistic", "statistik"))
    with pytest.raises(BadData, match="statisti"):
        Bank.read(tmp_path)
    with pytest.raises(BadData, match="physad fit"):
        Bank.read(tmp_path / "none")


@pytest.mark.parametrize(("written", "edited", "told"), [
    ("statistic: mean", "statistic: middle", "'mean', 'least', 'most', 'end' or 'swing'"),
    ("quantity: turning_rate", "quantity: turning", "no quantity turning; known: shake_sideways, shake_upwards, turning_rate"),
    ("category: fan", "category: fna", "no category 'fna'; known: .*fan"),
    ("interaction: drive", "interaction: press", "interaction of fan is drive, not press"),
    ("phase: run", "phase: rnu", "rules on rnu; the phases are spin_up, run"),
    ("guide: turning_rate", "guide: turning", "guide 'turning' has no envelope; those there are: turning_rate"),
    ("threshold: 1.2", "threshold: 3.5", "threshold"),
    ("threshold: 1.2", "threshold: .nan", "threshold"),
    *((f"{side}: {value}", f"{side}: {wrong}", "low must lie below high, and both must be finite")
      for side, value in (("low", RULES[0].low), ("high", RULES[0].high)) for wrong in (".nan", "-.inf", ".inf")),
])
def test_an_edited_bank_that_could_hide_something_is_refused(tmp_path, written, edited, told):
    bank(RULES).write(tmp_path)
    text = (tmp_path / "rules.yaml").read_text()
    assert written in text
    (tmp_path / "rules.yaml").write_text(text.replace(written, edited, 1))
    with pytest.raises(BadData, match=told):
        Rules.load(tmp_path)


@pytest.mark.parametrize("other", [{"category": "clip"}, {"interaction": "press"}])
def test_rules_of_something_else_are_not_for_this_clip(other):
    with pytest.raises(BadData, match="category fan, interaction drive"):
        FAN.stream(dataclasses.replace(TABLE, **other))


def test_a_fan_that_sticks_shows_while_it_streams():
    at = np.arange(120) / 60
    table = dataclasses.replace(TABLE, phases=(Phase("spin_up", 0.0, 0.6), Phase("run", 0.6, 2.5), Phase("spin_down", 2.5, 3.0)))
    angles = np.cumsum(11.7 * np.clip(at / 0.6, 0, 1) * (at < 1.2)) / 60
    stuck = Clip(table, np.array([rotor(a) for a in angles]), at)
    stream = FAN.stream(table)
    scores = np.array([stream.push(frame, float(t)) for frame, t in zip(stuck.frames, stuck.stamps_s)])
    assert scores[30:70].max() < 3 and scores[85:].min() > 10  # what is measured lags by some frames
    assert stream.finish(Signals.none()).value == FAN.score(stuck).value


def test_a_sentence_tells_numbers_with_their_unit():
    rule = Rule(phase="run", quantity="rate", statistic="mean", low=11.8, high=12.6, unit="rad/s",
                sentence="during run, the blades turned at {value}; normal is between {low} and {high}")
    assert tell(rule, 4.1) == "during run, the blades turned at 39 rpm; normal is between 113 and 120 rpm"


@pytest.mark.parametrize(("level", "signed", "told"), [
    (12, False, "during run, it turned at {value}; normal is between {low} and {high}"),
    (0, False, "during run, it turned at {value}; normal is at most {high}"),
    (0, True, "during run, it turned at {value}; normal is between {low} and {high}"),
])
def test_a_sentence_has_a_lower_bound_where_there_can_be_less(level, signed, told):
    quantities = {"turning_rate": dataclasses.replace(QUANTITIES["turning_rate"], signed=signed)}
    rules = deduce(CATEGORY, quantities, [clip(level, 0.05, i) for i in range(20)])
    assert told in [r.sentence for r in rules]


def test_phases_of_footage_are_found_by_its_course():
    shift, frames = 0.5, 240  # half a second of nothing before, half a second after
    at = np.arange(frames) / 60
    spins = 12 * np.clip(np.minimum((at - shift) / 0.6, (shift + 3.0 - at) / 0.5), 0, 1)
    table = Timetable("f", "fan", "", "", (Phase("clip", 0.0, 4.0),), 0.0, 4.0, frames)
    found = aligned(FAN.bank, Measured(table, at, {"turning_rate": spins})).timetable.phases
    run = next(p for p in found if p.name == "run")
    assert run.begin_s == pytest.approx(shift + 0.6, abs=0.12) and run.end_s == pytest.approx(shift + 2.5, abs=0.15)


def driven_for(begin=0.0, pace=1.0, length=3.0, begin_s=0.0):
    """The course of a rotor that spins up, runs and spins down, in a film of that length, and when each of the three begins."""
    at = begin_s + np.arange(round(length * 60)) / 60
    usual = (at - begin_s - begin) * pace
    spins = 12 * np.clip(np.minimum(usual / 0.6, (3.0 - usual) / 0.5), 0, 1)
    table = Timetable("f", "fan", "", "", (Phase("clip", begin_s, begin_s + length),), begin_s, begin_s + length, len(at))
    return Measured(table, at, {"turning_rate": spins}), begin_s + begin + np.array([0.0, 0.6, 2.5]) / pace


NORMAL_DRIVES = [driven_for(begin_s=b)[0] for b in (0.0, 7.3, 1e3 / 3, 1.76e9)]
SHARP = FAN.bank.model_copy(update={"course": median_course("turning_rate", NORMAL_DRIVES)})


@pytest.mark.parametrize(("begin", "pace", "length"), [(0.0, 1.0, 3.0), (0.43, 1.0, 4.0), (0.2, 0.8, 4.5), (0.9, 1.5, 3.0), (3.17, 1.0, 8.0)])
def test_at_one_pace_phases_are_found_to_less_than_a_frame(begin, pace, length):
    clip, begins = driven_for(begin, pace, length)
    found = aligned(SHARP, clip).timetable.phases
    assert np.allclose([p.begin_s for p in found], begins, atol=0.5 / 60)
    assert found[-1].end_s == pytest.approx(begin + 3.0 / pace, abs=0.5 / 60)


@pytest.mark.parametrize("begin_s", [0.0, 0.1, 1e3 / 3, 1.76e9 + 0.7])
def test_a_frame_at_the_begin_of_a_knot_belongs_to_it_whatever_its_stamp_is_rounded_to(begin_s):
    at = begin_s + np.arange(120) / 60
    table = dataclasses.replace(FOOTAGE, window_begin_s=begin_s, window_end_s=begin_s + 2.0, frames=120)
    assert at_knots(table, at, np.arange(120.0)).tolist() == [3 * k + 1 for k in range(40)]


@pytest.mark.parametrize("name", sorted(n for n in categories() if (load_category(n).folder / FILE).exists()))
def test_footage_as_long_as_the_window_that_runs_as_normal_is_judged_as_if_its_phases_were_told(name):
    bank, category = Bank.read(load_category(name).folder), load_category(name)
    length = category.frames / 60
    at = np.arange(category.frames) / 60
    knots = (np.arange(40) + 0.5) / 40 * length
    courses = {}
    for quantity, envelope in bank.envelopes.items():
        known = [(t, (low + high) / 2) for t, low, high in zip(knots, envelope.low, envelope.high) if low is not None]
        courses[quantity] = np.interp(at, *np.array(known).T)
    told = tuple(Phase(s.name, s.begin * length, s.end * length) for s in bank.phases)
    table = Timetable("f", name, "", "", (Phase("clip", 0.0, length),), 0.0, length, category.frames)
    found = aligned(bank, Measured(table, at, courses))
    assert np.allclose([(p.begin_s, p.end_s) for p in found.timetable.phases], [(p.begin_s, p.end_s) for p in told], atol=1e-3)
    assert reason(bank, found).value == reason(bank, Measured(dataclasses.replace(table, phases=told), at, courses)).value


FOOTAGE = Timetable("f", "fan", "", "", (Phase("clip", 0.0, 3.0),), 0.0, 3.0, 180)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=12, max_size=12), st.integers(-20, 20))
def test_phases_found_are_in_order_and_none_shrinks_to_a_moment(bends, shift):
    at = np.arange(180) / 60
    spins = 12 * np.clip(np.minimum((at - shift / 60) / 0.6, (shift / 60 + 3.0 - at) / 0.5), 0, 1)
    course = spins + np.interp(at, np.linspace(0, 3, 12), bends)
    try:
        found = aligned(FAN.bank, Measured(FOOTAGE, at, {"turning_rate": course})).timetable.phases
    except BadData:
        return
    assert [p.name for p in found] == [s.name for s in FAN.bank.phases]
    assert all(one.end_s == other.begin_s for one, other in itertools.pairwise(found))
    assert all(p.end_s - p.begin_s >= (s.end - s.begin) * 3.0 / PACE - 1e-6 for p, s in zip(found, FAN.bank.phases))


def test_footage_that_moves_mostly_where_it_is_not_as_usual_has_no_phases():
    at = np.arange(360) / 60
    spins = 12 * np.clip(np.minimum(at / 0.6, (3.0 - at) / 0.5), 0, 1) + (at > 3.2) * 6 * np.abs(np.sin(12 * at))
    table = dataclasses.replace(FOOTAGE, phases=(Phase("clip", 0.0, 6.0),), window_end_s=6.0, frames=360)
    with pytest.raises(BadData, match="moves mostly outside"):
        aligned(FAN.bank, Measured(table, at, {"turning_rate": spins}))


def test_footage_that_only_drifts_has_no_phases():
    at = np.arange(600) / 60
    table = dataclasses.replace(FOOTAGE, phases=(Phase("clip", 0.0, 10.0),), window_end_s=10.0, frames=600)
    with pytest.raises(BadData, match="moves too slowly"):
        aligned(FAN.bank, Measured(table, at, {"turning_rate": at}))


def test_footage_that_is_over_too_soon_has_no_phases():
    at = np.arange(30) / 60
    with pytest.raises(BadData, match=r"is seen for 0\.48 s, and takes at least 1 s"):
        aligned(FAN.bank, Measured(FOOTAGE, at, {"turning_rate": 12 * np.clip(at, 0, 1)}))


def test_a_rotor_that_sticks_in_the_middle_of_footage_is_judged_as_that():
    at = np.arange(180) / 60
    spins = 11.7 * np.clip(np.minimum(at / 0.6, (3.0 - at) / 0.5), 0, 1) * ~((at > 1.2) & (at < 1.6))
    found = aligned(FAN.bank, Measured(FOOTAGE, at, {name: spins for name in FAN.bank.envelopes}))
    run = next(p for p in found.timetable.phases if p.name == "run")
    assert run.begin_s < 1.2 and run.end_s > 1.6
    assert "turning_rate.least.run" in {f.rule for f in reason(FAN.bank, found).findings}


STILL = footage(Film(np.zeros((30, 90, 160, 3), np.uint8), np.arange(30) / 60, 60.0), "clip", "x")


def test_still_footage_has_no_phases():
    detector = Rules.load(load_category("clip").folder)
    with pytest.raises(BadData, match="does not move"):
        detector.score(STILL)


def test_no_frames_are_no_score():
    detector = Rules.load(load_category("clip").folder)
    with pytest.raises(BadData, match="not one frame"):
        detector.score(dataclasses.replace(STILL, frames=STILL.frames[:0], stamps_s=STILL.stamps_s[:0]))
