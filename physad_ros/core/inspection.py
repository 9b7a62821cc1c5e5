"""The course of one inspection as a pure state machine: events in, commands out, no clock and no ROS.

    IDLE -> CLEARING -> LIGHTING -> PERCEIVING -> PLANNING -> INTERACTING -> JUDGING -> RETREATING -> DONE
        \\___________\\____________\\___________\\____________\\___________\\-> ABORTING -> DONE

Where the category is perceived and wants other lights than those it was seen by, LIGHTING comes a second time, before PLANNING.

``advance`` is total: every event is answered in every state. An answer that comes too late is ignored; a fault, a deadline or a
cancellation ends in INCONCLUSIVE with its reason from wherever the inspection stands. The verdict is concluded while the arm still
retreats, once the recording is on disk and the clip is scored.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace

from physad_ros.core.decision import decide
from physad_ros.core.types import Outcome, Percept, Score, Timetable, Verdict
from physad_ros.core.words import count


class State(enum.Enum):
    """Where an inspection stands."""

    IDLE = "idle"
    CLEARING = "clearing"
    LIGHTING = "lighting"
    PERCEIVING = "perceiving"
    PLANNING = "planning"
    INTERACTING = "interacting"
    JUDGING = "judging"
    RETREATING = "retreating"
    ABORTING = "aborting"
    DONE = "done"


@dataclass(frozen=True)
class Request:
    """What to inspect."""

    clip_id: str
    category: str = ""  # empty: as perceived
    object: str = ""
    trust_category: bool = False  # also where the picture shows something else
    part: str = ""  # number, noted in the report
    serial: str = ""  # likewise
    lights: dict[str, float] = field(default_factory=lambda: {"left": 0.8, "right": 0.8})


# -- events -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Started:
    """Somebody asks for an inspection."""

    request: Request


@dataclass(frozen=True)
class LightsSet:
    """The lights shine as commanded."""


@dataclass(frozen=True)
class Perceived:
    """The perceiver has looked."""

    percept: Percept
    lights: dict[str, float] = field(default_factory=dict)  # that the category seen wants; empty where they are not known


@dataclass(frozen=True)
class Announced:
    """The arm has planned; this is when what will happen."""

    timetable: Timetable


@dataclass(frozen=True)
class WindowClosed:
    """The rig's clock has passed the end of the clip's window."""


@dataclass(frozen=True)
class ClipCut:
    """The recording is closed and synced."""

    folder: str
    frames_received: int
    fault: str = ""  # what went wrong while recording, empty if nothing


@dataclass(frozen=True)
class Scored:
    """The detector has judged the clip."""

    score: Score
    threshold: float
    detector: str
    frames: int  # judged
    latency_s: float = math.nan  # from the arrival of the last frame
    model: dict[str, str] = field(default_factory=dict)  # SHA-256 of each file that the detector was loaded from, by its name


@dataclass(frozen=True)
class ArmDone:
    """The interaction is over; ``fault`` says why if it did not go as planned."""

    fault: str = ""


@dataclass(frozen=True)
class Faulted:
    """Something that the inspection cannot do without has failed."""

    reason: str


@dataclass(frozen=True)
class Canceled:
    """Somebody wants it to stop."""


@dataclass(frozen=True)
class Expired:
    """The deadline of ``state`` has passed."""

    state: State


Event = Started | LightsSet | Perceived | Announced | WindowClosed | ClipCut | Scored | ArmDone | Faulted | Canceled | Expired


# -- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clear:
    """Bring the arm to where the camera does not see it, if a fault has left it elsewhere."""


@dataclass(frozen=True)
class SetLights:
    """Bring the lights to these levels."""

    levels: dict[str, float]


@dataclass(frozen=True)
class Perceive:
    """Look, before anything is touched, and whether it is what it was named."""

    named: str  # empty: it was not


@dataclass(frozen=True)
class Interact:
    """Plan, check and play the category's interaction."""

    category: str
    object: str


@dataclass(frozen=True)
class CancelArm:
    """Stop the interaction; the arm retreats or holds."""


@dataclass(frozen=True)
class Cut:
    """Close the recording on the window."""

    timetable: Timetable


@dataclass(frozen=True)
class Judge:
    """Score the frames of the window."""

    timetable: Timetable


@dataclass(frozen=True)
class Conclude:
    """Tell the verdict. Comes exactly once an inspection."""

    verdict: Verdict


@dataclass(frozen=True)
class Finish:
    """Nothing moves any more; write the report and return the verdict. Comes exactly once, last."""

    verdict: Verdict


Command = Clear | SetLights | Perceive | Interact | CancelArm | Cut | Judge | Conclude | Finish

#: Seconds that each state may take, by the wall clock and by the rig's (nodes.waiting.Stopwatch). INTERACTING and RETREATING last
#: as the program does; that the rig's clock stands still is noticed earlier, by the arm and by who watches the camera.
DEADLINES_S: dict[State, float] = {
    State.CLEARING: 60.0,
    State.LIGHTING: 3.0,
    State.PERCEIVING: 5.0,
    State.PLANNING: 5.0,
    State.INTERACTING: 120.0,
    State.JUDGING: 5.0,
    State.RETREATING: 60.0,
    State.ABORTING: 60.0,  # as for RETREATING: the arm may have to go back all the way
}

_OVERDUE: dict[State, str] = {
    State.CLEARING: "the arm did not get out of the camera's view",
    State.LIGHTING: "the lights did not answer",
    State.PERCEIVING: "the perceiver did not answer",
    State.PLANNING: "the arm did not announce a plan",
    State.INTERACTING: "the interaction did not end in time",
    State.JUDGING: "the clip was not recorded and scored in time",
}


@dataclass(frozen=True)
class Inspection:
    """All that is known of one inspection; replaced, never changed."""

    state: State = State.IDLE
    request: Request | None = None
    percept: Percept | None = None
    category: str = ""
    timetable: Timetable | None = None
    cut: ClipCut | None = None
    scored: Scored | None = None
    arm_moves: bool = False  # an Interact was commanded and has not ended
    verdict: Verdict | None = None  # set by Conclude


Step = tuple[Inspection, tuple[Command, ...]]


def advance(now: Inspection, event: Event) -> Step:
    """The inspection after an event, and what to do next."""
    if isinstance(event, Started):
        return _start(now, event)
    if now.state in (State.IDLE, State.DONE):
        return now, ()
    if isinstance(event, Canceled):
        return _abort(now, "the inspection was canceled")
    if isinstance(event, Faulted):
        return _abort(now, event.reason)
    if isinstance(event, Expired):
        return _expire(now, event)
    if isinstance(event, ArmDone):
        return _arm_done(now, event)
    if isinstance(event, ClipCut) and now.timetable is not None:
        return _settle(replace(now, cut=event))
    if isinstance(event, Scored) and now.state is State.JUDGING:
        return _settle(replace(now, scored=event))
    if isinstance(event, LightsSet) and now.state is State.LIGHTING:
        return (replace(now, state=State.PERCEIVING), (Perceive(now.category),)) if now.percept is None else _interact(now)
    if isinstance(event, Perceived) and now.state is State.PERCEIVING:
        return _perceived(now, event)
    if isinstance(event, Announced):
        return _announced(now, event.timetable)
    if isinstance(event, WindowClosed) and now.state is State.INTERACTING and now.timetable is not None:
        return replace(now, state=State.JUDGING), (Judge(now.timetable), Cut(now.timetable))
    return now, ()


def _start(now: Inspection, event: Started) -> Step:
    if now.state not in (State.IDLE, State.DONE):
        return now, ()  # one at a time; who asks is told so before it comes here
    request = event.request
    return Inspection(State.CLEARING, request, category=request.category, arm_moves=True), (Clear(),)


def _perceived(now: Inspection, event: Perceived) -> Step:
    request, percept = now.request, event.percept
    assert request is not None  # set by Started
    now = replace(now, percept=percept)
    if percept.outcome == "nothing":
        return _abort(now, "there is nothing before the camera")
    if not request.category and percept.outcome != "known":
        guess = f" (perhaps {percept.category}, {percept.confidence:.0%})" if percept.category else ""
        return _abort(now, f"not sure which category this is{guess}; name it by category")
    if request.category and percept.contradicts and not request.trust_category:
        return _abort(now, _contradiction(request.category, percept))
    now = replace(now, category=request.category or percept.category)
    if not request.category and event.lights and event.lights != request.lights:
        return replace(now, state=State.LIGHTING), (SetLights(event.lights),)
    return _interact(now)


def _contradiction(named: str, percept: Percept) -> str:
    shown = f"shows {percept.category}, not {named}" if percept.outcome == "known" else f"does not show {named}"
    return f"the picture {shown}; name the right category, or set trust_category if the name is right"


def _interact(now: Inspection) -> Step:
    assert now.request is not None  # set by Started
    return replace(now, state=State.PLANNING, arm_moves=True), (Interact(now.category, now.request.object),)


def _announced(now: Inspection, timetable: Timetable) -> Step:
    if now.state is State.PLANNING:
        return replace(now, state=State.INTERACTING, timetable=timetable), ()
    if now.state is State.ABORTING and now.timetable is None:  # it crossed the abort; the recorder heard it and has begun a bag
        return replace(now, timetable=timetable), (Cut(timetable),)
    return now, ()


def _arm_done(now: Inspection, event: ArmDone) -> Step:
    now = replace(now, arm_moves=False)
    if event.fault and now.state in (State.CLEARING, State.PLANNING, State.INTERACTING, State.JUDGING):
        return _abort(now, event.fault)
    if now.state is State.CLEARING:
        assert now.request is not None  # set by Started
        return replace(now, state=State.LIGHTING), (SetLights(now.request.lights),)
    if now.state is State.PLANNING:
        return _abort(now, "the interaction ended before it was announced")
    return _settle(now)  # a program may end with its window, and the arm tell it before the clock does


def _expire(now: Inspection, event: Expired) -> Step:
    if event.state is not now.state:
        return now, ()
    if now.state is State.RETREATING:
        return _finish(now)  # the verdict stands; that the arm did not report back is in the arm's diagnostics
    if now.state is State.ABORTING:
        return _finish(now)
    return _abort(now, _OVERDUE[now.state])


def _abort(now: Inspection, reason: str) -> Step:
    """End in INCONCLUSIVE: stop the arm, keep what was recorded. A verdict that was told already stands."""
    if now.state in (State.RETREATING, State.ABORTING):
        return now, ((CancelArm(),) if now.arm_moves and now.state is State.RETREATING else ())
    commands: list[Command] = []
    if now.arm_moves:
        commands.append(CancelArm())
    if now.timetable is not None and now.state is State.INTERACTING:
        commands.append(Cut(now.timetable))
    verdict = Verdict(Outcome.INCONCLUSIVE, now.category, reason=reason)
    if now.scored is not None:
        verdict = replace(verdict, score=now.scored.score.value, threshold=now.scored.threshold,
                          detector=now.scored.detector, findings=now.scored.score.findings)
    now = replace(now, state=State.ABORTING, verdict=verdict)
    settled, more = _settle(now)
    return settled, (*commands, Conclude(verdict), *more)


def _settle(now: Inspection) -> Step:
    """Go on once all that is waited for is there."""
    if now.state is State.JUDGING and now.cut is not None and now.cut.fault:
        return _abort(now, now.cut.fault)
    if now.state is State.JUDGING and now.cut is not None and now.scored is not None and now.timetable is not None:
        verdict = _judge(now.category, now.timetable.frames, now.cut, now.scored)
        now = replace(now, state=State.RETREATING, verdict=verdict)
        settled, more = _settle(now)
        return settled, (Conclude(verdict), *more)
    if now.state is State.RETREATING and not now.arm_moves:
        return _finish(now)
    if now.state is State.ABORTING and not now.arm_moves and (now.timetable is None or now.cut is not None):
        return _finish(now)
    return now, ()


def _judge(category: str, frames_expected: int, cut: ClipCut, scored: Scored) -> Verdict:
    verdict = decide(
        scored.score,
        scored.threshold,
        category=category,
        detector=scored.detector,
        frames_expected=frames_expected,
        frames_received=min(cut.frames_received, scored.frames),
    )
    if verdict.outcome is not Outcome.INCONCLUSIVE and cut.frames_received != scored.frames:
        reason = f"{count(scored.frames, 'frame')} reached the detector but {cut.frames_received} the recorder"
        return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=reason)
    return verdict


def _finish(now: Inspection) -> Step:
    assert now.verdict is not None
    return replace(now, state=State.DONE), (Finish(now.verdict),)


def progress(now: Inspection, rig_time_s: float) -> float:
    """How far the inspection is, 0 to 1, for people who wait; by the timetable once there is one."""
    order = [State.IDLE, State.CLEARING, State.LIGHTING, State.PERCEIVING, State.PLANNING]
    if now.state in order:
        seen = order.index(State.PERCEIVING) if now.percept is not None else 0  # the lights may be set a second time
        return 0.04 * max(order.index(now.state), seen)
    if now.state is State.INTERACTING and now.timetable is not None:
        begin, end = now.timetable.phases[0].begin_s, now.timetable.window_end_s
        share = (rig_time_s - begin) / max(end - begin, 1e-9)
        return 0.2 + 0.7 * min(max(share if math.isfinite(share) else 0.0, 0.0), 1.0)
    return {State.JUDGING: 0.9, State.RETREATING: 0.95, State.ABORTING: 0.95}.get(now.state, 1.0)
