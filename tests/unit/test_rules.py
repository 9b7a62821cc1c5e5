"""What is measured in drawn pictures is what was drawn; what is deduced from normals holds for them and breaks for others."""

import dataclasses

import cv2
import numpy as np
import pytest

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData
from physad_ros.core.types import Clip, Phase, Timetable
from physad_ros.dataset.tree import footage
from physad_ros.detectors.rules import Rules
from physad_ros.rules.bank import Bank, Rule
from physad_ros.rules.deduce import Measured, deduce
from physad_ros.rules.measurement import Quantity, measurements
from physad_ros.rules.measurements.drive import Drive
from physad_ros.rules.phases import aligned
from physad_ros.rules.reason import reason, tell
from physad_ros.rules.sight import Sight

SIZE = (640, 360)


def rotor(angle, shift_px=(0.0, 0.0), blades=5):
    """A drawn fan: dark ground, a motor that stands still, blades at an angle, a hub that may be shifted."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    at = np.array([320.0, 170.0]) + shift_px
    stand = np.round(np.array([[-20, 10], [20, 10], [20, 150], [-20, 150]]) + at).astype(np.int32)
    cv2.fillConvexPoly(picture, stand, (20, 170, 230))  # shakes with the hub
    for k in range(blades):
        a = angle + 2 * np.pi * k / blades
        tip = at + 90 * np.array([np.cos(a), np.sin(a)])
        points = np.array([at, at + 80 * np.array([np.cos(a - 0.3), np.sin(a - 0.3)]), tip])
        cv2.fillConvexPoly(picture, np.round(points * 16).astype(np.int32), (40, 40, 200 - 10 * k), cv2.LINE_AA, 4)
    cv2.circle(picture, tuple(np.round(at * 16).astype(int)), 16 * 24, (190, 190, 190), -1, cv2.LINE_AA, 4)
    return picture


def driven(rate, frames=120, shake_px=0.0):
    measurement = Drive(load_category("fan"), SIZE)
    for i in range(frames):
        shift = (shake_px * np.sin(2 * np.pi * 1.9 * i / 60), 0.0)
        measurement.push(rotor(rate(i / 60) if callable(rate) else rate * i / 60, shift))
    return measurement.courses()


@pytest.mark.parametrize("rate", [4.0, 9.0, 12.0])
def test_a_rotor_is_measured_at_its_rate(rate):
    measured = driven(rate)["turning_rate"][5:]
    assert np.nanmedian(measured) == pytest.approx(rate, rel=0.02)


def test_a_rotor_that_stops_is_seen_to_stop():
    measured = driven(lambda t: 12 * min(t, 1.0))["turning_rate"]
    assert np.nanmax(measured[70:]) < 0.5 < 11 < np.median(measured[10:50])


def test_a_rotor_that_shakes_still_turns():
    measured = driven(12.0, shake_px=4.0)["turning_rate"]
    assert np.nanmin(measured[5:]) > 11 and np.isnan(measured).sum() < 10


@pytest.mark.parametrize("shake_px", [0.0, 3.0, 6.0])
def test_a_shaking_hub_is_measured_in_millimetres(shake_px):
    scale = Sight.of(load_category("fan"), SIZE).pixels_per_mm()
    course = driven(12.0, shake_px=shake_px)["shake_sideways"]
    swing = np.percentile(course, 95) - np.percentile(course, 5)
    # evening out the blades takes a fifth of a shake at the turning frequency
    assert swing == pytest.approx(0.8 * 2 * shake_px / scale, rel=0.1, abs=0.1)


def pressed(back, opens=30, frames=120):
    """A drawn clip: a finger comes down and goes up; a lever turns under it and comes back by a share."""
    measurement = measurements["press"](load_category("clip"), SIZE)
    for i in range(frames):
        down = np.clip(min(i - 20, 90 - i) / 20, 0, 1)
        turn = opens * (down if i < 70 else max(down, 1 - back))
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        cv2.rectangle(picture, (250, 250), (400, 270), (200, 120, 20), -1)
        box = cv2.boxPoints(((330, 215), (150, 20), turn - 15))
        cv2.fillConvexPoly(picture, box.astype(np.int32), (200, 120, 20))
        cv2.rectangle(picture, (270, 0), (300, int(100 + 60 * down)), (225, 225, 225), -1)
        measurement.push(picture)
    return measurement.courses()


def test_a_lever_that_comes_back_leaves_nothing_and_one_that_stays_leaves_all():
    assert pressed(back=1.0)["remainder"][-1] < 0.05
    assert pressed(back=0.0)["remainder"][-1] > 0.9
    assert 0.2 < pressed(back=0.5)["remainder"][-1] < 0.8


def test_what_does_not_open_has_no_remainder():
    courses = pressed(back=1.0, opens=0)
    assert courses["opening"].max() < 0.02 and np.isnan(courses["remainder"][-1])


def slid(travel_px, tilt_deg=0.0, ball_from=None, frames=120):
    measurement = measurements["grab_slide"](load_category("slide"), SIZE)
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
    return measurement.courses()


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


# -- deduction and reasoning on courses -------------------------------------------------------------------------------

CATEGORY = load_category("fan")
QUANTITIES = {"rate": Quantity("rad/s", 0.1, {"mean": "it turned at {value}", "least": "it turned at {value} at the least"})}
TABLE = Timetable("c", "fan", "fan_1", "drive", (Phase("spin_up", 0.0, 1.0), Phase("run", 1.0, 3.0)), 0.0, 3.0, 180)


def clip(level, noise=0.0, seed=0):
    at = np.arange(180) / 60
    course = level * np.clip(at, 0, 1) + noise * np.random.default_rng(seed).normal(size=180)
    return Measured(TABLE, at, {"rate": course})


NORMALS = [clip(12 + 0.3 * np.sin(i), 0.05, i) for i in range(40)]


def bank(rules):
    return Bank.model_validate({
        "category": "fan", "interaction": "drive", "fitted": {"clips": 40, "held_out": 0, "seed": 0}, "false_alarm_rate": 0.05,
        "threshold": 1.2, "phases": [{"name": "spin_up", "begin": 0.0, "end": 0.3333}, {"name": "run", "begin": 0.3333, "end": 1.0}],
        "guide": "rate", "rules": rules, "envelopes": {},
    })


def test_stable_quantities_become_rules_that_normals_keep():
    rules = deduce(CATEGORY, QUANTITIES, NORMALS)
    assert {(r.phase, r.statistic) for r in rules} == {(p, s) for p in ("spin_up", "run") for s in ("mean", "least")}
    assert max(reason(bank(rules), c).value for c in NORMALS) < 1.0


def test_what_is_not_stable_is_no_rule():
    wild = [clip(12 * np.random.default_rng(i).uniform(0, 1)) for i in range(40)]
    kept = deduce(CATEGORY, QUANTITIES, [*wild])
    assert "run" not in {r.phase for r in kept}


def test_a_broken_rule_is_told_with_its_phase_value_and_interval():
    score = reason(bank(deduce(CATEGORY, QUANTITIES, NORMALS)), clip(6.0))
    worst = score.findings[0]
    assert score.value == worst.violation > 5
    assert (worst.phase, worst.quantity) == ("run", "rate") and worst.value == pytest.approx(6.0, abs=0.1)
    assert "during run" in worst.sentence and "6 rad/s" in worst.sentence
    assert worst.low < 12 < worst.high


def test_violation_grows_with_the_distance():
    rules = bank(deduce(CATEGORY, QUANTITIES, NORMALS))
    values = [reason(rules, clip(level)).value for level in (12, 11, 10, 8, 4, 0)]
    assert values == sorted(values)


def test_what_cannot_be_measured_is_never_normal():
    blind = dataclasses.replace(NORMALS[0], courses={"rate": np.full(180, np.nan)})
    score = reason(bank(deduce(CATEGORY, QUANTITIES, NORMALS)), blind)
    assert score.value > 1.2 and "could not be measured" in score.findings[0].sentence


def test_too_few_clips_are_refused():
    with pytest.raises(BadData, match="too few"):
        deduce(CATEGORY, QUANTITIES, NORMALS[:5])


def test_a_bank_reads_back_and_a_bad_one_names_its_fault(tmp_path):
    made = bank(deduce(CATEGORY, QUANTITIES, NORMALS))
    made.write(tmp_path)
    assert Bank.read(tmp_path) == made
    (tmp_path / "rules.yaml").write_text((tmp_path / "rules.yaml").read_text().replace("statistic", "statistik"))
    with pytest.raises(BadData, match="statisti"):
        Bank.read(tmp_path)
    with pytest.raises(BadData, match="physad fit"):
        Bank.read(tmp_path / "none")


def test_a_sentence_tells_numbers_with_their_unit():
    rule = Rule(phase="run", quantity="rate", statistic="mean", low=11.8, high=12.6, unit="rad/s",
                sentence="during run, the blades turned at {value}; normal specimens keep to {low} to {high}")
    assert tell(rule, 4.1) == "during run, the blades turned at 4.1 rad/s; normal specimens keep to 11.8 to 12.6 rad/s"


def test_phases_of_footage_are_found_by_its_course():
    detector = Rules.load(load_category("fan").folder)
    shift, frames = 0.5, 240  # half a second of nothing before, half a second after
    at = np.arange(frames) / 60
    spins = 12 * np.clip(np.minimum((at - shift) / 0.6, (shift + 3.0 - at) / 0.5), 0, 1)
    table = Timetable("f", "fan", "", "", (Phase("clip", 0.0, 4.0),), 0.0, 4.0, frames)
    found = aligned(detector.bank, Measured(table, at, {"turning_rate": spins})).timetable.phases
    run = next(p for p in found if p.name == "run")
    assert run.begin_s == pytest.approx(shift + 0.6, abs=0.12) and run.end_s == pytest.approx(shift + 2.5, abs=0.15)


def test_still_footage_has_no_phases():
    detector = Rules.load(load_category("clip").folder)
    still = footage(np.zeros((30, 90, 160, 3), np.uint8), 60.0, "clip", "x")
    with pytest.raises(BadData, match="does not move"):
        detector.score(still)


def test_no_frames_are_no_score():
    detector = Rules.load(load_category("clip").folder)
    with pytest.raises(BadData, match="not one frame"):
        detector.score(Clip(TABLE, np.empty((0, 9, 9, 3), np.uint8), np.empty(0)))
