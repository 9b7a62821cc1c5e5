"""The inspection's state machine, for every event in every state."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from physad_ros.core.inspection import (
    DEADLINES_S,
    Announced,
    ArmDone,
    CancelArm,
    Canceled,
    Clear,
    ClipCut,
    Conclude,
    Cut,
    Expired,
    Faulted,
    Finish,
    Inspection,
    Interact,
    Judge,
    LightsSet,
    Perceive,
    Perceived,
    Request,
    Scored,
    SetLights,
    Started,
    State,
    WindowClosed,
    advance,
    progress,
)
from physad_ros.core.types import Outcome, Percept, Phase, Score, Timetable

FRAMES = 120
TABLE = Timetable("c1", "clip", "clip_1", "press", (Phase("press", 10.0, 12.0),), 10.0, 12.0, FRAMES)
KNOWN = Perceived(Percept("known", "clip", 0.9))


def scored(value=0.1, frames=FRAMES):
    return Scored(Score(value, np.zeros(frames)), 1.0, "rules", frames)


def cut(frames=FRAMES, fault=""):
    return ClipCut("out/c1", frames, fault)


def run(*events, start=Inspection()):
    now, commands = start, []
    for event in events:
        now, more = advance(now, event)
        commands += more
    return now, commands


STARTED = Started(Request("c1"))
COURSE = [STARTED, ArmDone(), LightsSet(), KNOWN, Announced(TABLE), WindowClosed(), scored(), cut(), ArmDone()]
OTHER_LIGHTS = {"left": 0.3, "right": 0.3}
CONTRADICTED = Perceived(Percept("known", "clip", 0.9, contradicts=True))
RELIT = Perceived(KNOWN.percept, OTHER_LIGHTS)
EVENTS = [
    *COURSE, RELIT, CONTRADICTED, Perceived(Percept("nothing", "", 0.0)), Perceived(Percept("unsure", "fan", 0.3)), scored(5.0),
    scored(float("nan")), scored(frames=3), cut(3), cut(fault="the disk is full"), ArmDone("refused"),
    Faulted("camera"), Canceled(), *(Expired(s) for s in State),
]


def state_after(n):
    return run(*COURSE[:n])[0]


STATES = {state_after(n).state: state_after(n) for n in range(len(COURSE) + 1)}
STATES[State.ABORTING] = run(*COURSE[:5], Faulted("camera"))[0]
SITUATIONS = {
    **{state.name: now for state, now in STATES.items()},
    "LIGHTING a second time": run(*COURSE[:3], RELIT)[0],
    "ABORTING before the plan": run(*COURSE[:4], Faulted("camera"))[0],
}


def verdicts(commands):
    return [c.verdict for c in commands if isinstance(c, Conclude)]


def test_the_examples_reach_every_state():
    assert set(STATES) == set(State)


def test_a_good_course_commands_in_order_and_ends_normal():
    now, commands = run(*COURSE)
    assert [type(c) for c in commands] == [Clear, SetLights, Perceive, Interact, Judge, Cut, Conclude, Finish]
    assert now.state is State.DONE and now.verdict.outcome is Outcome.NORMAL


def test_the_verdict_is_told_while_the_arm_still_moves():
    now, commands = run(*COURSE[:-1])
    assert now.state is State.RETREATING and isinstance(commands[-1], Conclude)


@pytest.mark.parametrize("percept, words", [
    (CONTRADICTED.percept, "shows clip, not slide"),
    (Percept("unsure", "clip", 0.05, contradicts=True), "does not show slide"),
])
def test_a_wrong_name_is_told_before_anything_moves(percept, words):
    now, commands = run(Started(Request("c1", category="slide")), *COURSE[1:3], Perceived(percept))
    assert now.state is State.DONE and (now.verdict.outcome, now.category) == (Outcome.INCONCLUSIVE, "slide")
    assert words in now.verdict.reason and "trust_category" in now.verdict.reason
    assert [type(c) for c in commands] == [Clear, SetLights, Perceive, Conclude, Finish]
    assert Perceive("slide") in commands  # the perceiver is asked about that name


@pytest.mark.parametrize("request_, seen", [
    (Request("c1", category="slide", trust_category=True), CONTRADICTED),
    (Request("c1", category="slide"), Perceived(Percept("unsure", "clip", 0.05))),  # merely not sure
    (Request("c1", category="slide"), Perceived(Percept("known", "clip", 0.9))),  # a category that perception never learnt
])
def test_a_name_stands_where_it_is_trusted_or_not_contradicted(request_, seen):
    assert run(Started(request_), *COURSE[1:3], seen)[1][-1] == Interact("slide", "")


@pytest.mark.parametrize("trusted", [False, True])
def test_a_name_does_not_stand_for_nothing(trusted):
    nothing = Perceived(Percept("nothing", "", 0.0))
    now, commands = run(Started(Request("c1", category="slide", trust_category=trusted)), *COURSE[1:3], nothing)
    assert now.verdict.outcome is Outcome.INCONCLUSIVE and "nothing" in now.verdict.reason
    assert not any(isinstance(c, Interact) for c in commands)


def test_perception_chooses_the_category_unless_it_was_given():
    assert run(*COURSE[:4])[1][-1] == Interact("clip", "")
    given_one = Started(Request("c1", category="fan", object="fan_1"))
    assert run(given_one, *COURSE[1:4])[1][-1] == Interact("fan", "fan_1")


@pytest.mark.parametrize("situation, event", list(itertools.product(SITUATIONS, EVENTS)), ids=lambda x: x if isinstance(x, str) else type(x).__name__)
def test_every_event_in_every_state(situation, event):
    before = SITUATIONS[situation]
    state = before.state
    now, commands = advance(before, event)
    active = state not in (State.IDLE, State.DONE)
    # what ends an inspection comes with its verdict, and only once
    assert sum(isinstance(c, Conclude) for c in commands) <= (0 if before.verdict and not isinstance(event, Started) else 1)
    if now.state is State.DONE and active:
        assert isinstance(commands[-1], Finish) and commands[-1].verdict == now.verdict
    if isinstance(event, (Faulted, Canceled)) and active and state not in (State.RETREATING, State.ABORTING):
        assert now.verdict.outcome is Outcome.INCONCLUSIVE and now.verdict.reason
        assert (CancelArm() in commands) == before.arm_moves
    if not active and not isinstance(event, Started):
        assert (now, commands) == (before, ())


@pytest.mark.parametrize("situation", [name for name, now in SITUATIONS.items() if now.state in DEADLINES_S])
def test_each_deadline_ends_its_state_and_never_in_normal(situation):
    state = SITUATIONS[situation].state
    now, _ = advance(SITUATIONS[situation], Expired(state))
    assert now.state in (State.ABORTING, State.DONE)
    if state is not State.RETREATING:  # there the verdict has been told
        assert now.verdict.outcome is Outcome.INCONCLUSIVE and now.verdict.reason


@pytest.mark.parametrize("last", [[scored(), cut(FRAMES - 1)], [scored(frames=FRAMES - 1), cut()], [scored(float("nan")), cut()],
                                  [scored(), cut(fault="the disk is full")], [cut(), scored(frames=0)]])
def test_what_was_not_fully_seen_is_never_normal(last):
    now, _ = run(*COURSE[:6], *last, ArmDone())
    assert now.verdict.outcome is Outcome.INCONCLUSIVE and now.verdict.reason


def test_a_refused_program_moves_nothing_and_says_why():
    now, commands = run(*COURSE[:4], ArmDone("out of reach"))
    assert now.state is State.DONE and now.verdict.reason == "out of reach"
    assert CancelArm() not in commands and not any(isinstance(c, Cut) for c in commands)


def test_an_abort_waits_for_the_recording_and_the_arm():
    now, commands = run(*COURSE[:5], Faulted("camera"))
    assert now.state is State.ABORTING and Cut(TABLE) in commands
    now, _ = advance(now, ArmDone("canceled"))
    assert now.state is State.ABORTING
    now, commands = advance(now, cut(7))
    assert now.state is State.DONE and isinstance(commands[-1], Finish)


def test_the_lights_of_the_category_that_was_perceived_are_set_before_it_is_touched():
    now, commands = run(*COURSE[:3], RELIT)
    assert now.state is State.LIGHTING and commands[-1] == SetLights(OTHER_LIGHTS)
    now, commands = run(*COURSE[:3], RELIT, LightsSet(), *COURSE[4:])
    assert [type(c) for c in commands] == [Clear, SetLights, Perceive, SetLights, Interact, Judge, Cut, Conclude, Finish]
    assert now.verdict.outcome is Outcome.NORMAL


@pytest.mark.parametrize("started, seen", [
    (STARTED, Perceived(KNOWN.percept, dict(STARTED.request.lights))),  # they shine already
    (Started(Request("c1", category="fan")), RELIT),  # those of the category that was given were set
])
def test_lights_that_need_no_change_are_left_alone(started, seen):
    now, commands = run(started, *COURSE[1:3], seen)
    assert now.state is State.PLANNING and [type(c) for c in commands] == [Clear, SetLights, Perceive, Interact]


def test_a_recording_that_began_as_the_inspection_was_aborted_is_closed():
    now, commands = run(*COURSE[:4], Canceled(), Announced(TABLE))
    assert now.state is State.ABORTING and commands[-1] == Cut(TABLE)
    assert run(ArmDone("canceled"), start=now)[0].state is State.ABORTING  # until it is on the disk
    assert run(ArmDone("canceled"), cut(0), start=now)[0].state is State.DONE


def test_progress_never_goes_back():
    told, now = [], Inspection()
    for event in [*COURSE[:3], RELIT, LightsSet(), *COURSE[4:]]:
        now, _ = advance(now, event)
        told.append(progress(now, 11.0))
    assert told == sorted(told) and told[-1] == 1.0


def test_an_arm_that_is_done_with_the_window_waits_for_the_clock():
    now, commands = run(*COURSE[:5], ArmDone(), *COURSE[5:-1])
    assert now.state is State.DONE and now.verdict.outcome is Outcome.NORMAL
    assert [type(c) for c in commands[-2:]] == [Conclude, Finish]


def test_the_next_inspection_starts_clean():
    now, _ = run(*COURSE[:5], Faulted("camera"), ArmDone(), cut(3), *COURSE)
    assert now.verdict.outcome is Outcome.NORMAL


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_any_order_of_events_is_survived(events):
    now, commands = run(STARTED, *events)
    starts = 1 + sum(isinstance(e, Started) for e in events)
    assert len(verdicts(commands)) <= starts
    for verdict in verdicts(commands):
        assert verdict.outcome is not Outcome.INCONCLUSIVE or verdict.reason
        if verdict.outcome is Outcome.NORMAL:
            assert verdict.score <= verdict.threshold
    assert 0 <= progress(now, 11.0) <= 1
