"""Messages to core types and back. Stamps become seconds of the clock that made them."""

from __future__ import annotations

import array
import dataclasses
import importlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration, Time
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from physad_msgs.msg import Course as CourseMsg
from physad_msgs.msg import Finding as FindingMsg
from physad_msgs.msg import Interaction, LightLevels, PhaseSpan
from physad_msgs.msg import Mark as MarkMsg
from physad_msgs.msg import MeasuredValue as MeasuredValueMsg
from physad_msgs.msg import Verdict as VerdictMsg
from physad_msgs.srv import Perceive, RevealSpecimen, ScoreClip
from physad_ros.core.errors import BadData
from physad_ros.core.types import (
    Course,
    Finding,
    Mark,
    MeasuredValue,
    Move,
    Percept,
    Phase,
    Score,
    Timetable,
    Truth,
    Verdict,
)
from physad_ros.dataset.announced import seconds

OUTCOMES = {Perceive.Response.NOTHING: "nothing", Perceive.Response.UNSURE: "unsure", Perceive.Response.KNOWN: "known"}


def type_named(name: str) -> Any:
    """Class of a message type, e.g. sensor_msgs/msg/Image. Raises ImportError or AttributeError where it is not installed."""
    package, kind_of_interface, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind_of_interface}"), kind)


# -- time ---------------------------------------------------------------------------------------------------------------


def to_ns(seconds: float) -> int:
    return round(seconds * 1e9)


def time_msg(seconds: float) -> Time:
    """Stamp of a time that is not negative; BadData otherwise."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise BadData(f"{seconds} s is no time")
    sec, nanosec = divmod(to_ns(seconds), 1_000_000_000)
    return Time(sec=sec, nanosec=nanosec)


def duration_msg(seconds: float) -> Duration:
    sec, nanosec = divmod(to_ns(seconds), 1_000_000_000)
    return Duration(sec=sec, nanosec=nanosec)


def header(stamp_s: float, frame_id: str = "") -> Header:
    return Header(stamp=time_msg(stamp_s), frame_id=frame_id)


# -- interactions -------------------------------------------------------------------------------------------------------


def span_msg(phase: Phase) -> PhaseSpan:
    return PhaseSpan(name=phase.name, begin=time_msg(phase.begin_s), end=time_msg(phase.end_s))


def interaction_msg(timetable: Timetable, now_s: float) -> Interaction:
    return Interaction(
        header=header(now_s),
        clip_id=timetable.clip_id,
        category=timetable.category,
        object=timetable.object,
        interaction=timetable.interaction,
        phases=[span_msg(p) for p in timetable.phases],
        window_begin=time_msg(timetable.window_begin_s),
        window_end=time_msg(timetable.window_end_s),
        frames=timetable.frames,
        fps=timetable.fps,
    )


def trajectory_msg(move: Move, joints: Sequence[str], begin_s: float) -> JointTrajectory:
    """A timed path as the trajectory controller takes it; it begins at ``begin_s``, or at once for 0."""
    points = [
        JointTrajectoryPoint(positions=q.tolist(), velocities=v.tolist(), time_from_start=duration_msg(t))
        for t, q, v in zip(move.times_s, move.positions_rad, move.velocities_rad_s)
    ]
    return JointTrajectory(header=header(begin_s), joint_names=list(joints), points=points)


# -- judgements -----------------------------------------------------------------------------------------------------------


def finding_msg(finding: Finding) -> FindingMsg:
    return FindingMsg(
        rule=finding.rule, phase=finding.phase, quantity=finding.quantity, value=float(finding.value),
        low=float(finding.low), high=float(finding.high), unit=finding.unit, violation=float(finding.violation),
        begin=time_msg(finding.begin_s), end=time_msg(finding.end_s), sentence=finding.sentence,
    )


def finding_of(m: FindingMsg) -> Finding:
    return Finding(
        m.rule, m.phase, m.quantity, m.value, m.low, m.high, m.unit, m.violation, seconds(m.begin), seconds(m.end),
        m.sentence,
    )


def score_into(response: ScoreClip.Response, score: Score) -> None:
    """Write a score into a ScoreClip response."""
    response.score, response.frame_scores = float(score.value), [float(v) for v in score.per_frame]
    response.findings = [finding_msg(f) for f in score.findings]
    response.measured = [MeasuredValueMsg(**dataclasses.asdict(m)) for m in score.measured]
    response.courses = [
        CourseMsg(quantity=c.quantity, unit=c.unit, values=c.values.tolist(), low=c.low.tolist(), high=c.high.tolist()) for c in score.courses
    ]
    response.marks = [
        MarkMsg(quantity=m.quantity, stamp=time_msg(m.stamp_s), normal=m.normal, closed=m.closed, x=x.tolist(), y=y.tolist())
        for m in score.marks
        for x, y in [m.points.T]
    ]
    response.phases = [span_msg(p) for p in score.phases]


def score_of(response: ScoreClip.Response) -> Score:
    """Score in a ScoreClip response."""
    return Score(
        response.score,
        np.asarray(response.frame_scores),
        findings=tuple(finding_of(f) for f in response.findings),
        measured=tuple(
            MeasuredValue(m.phase, m.quantity, m.statistic, m.unit, m.value, m.low, m.high, m.violation) for m in response.measured
        ),
        courses=tuple(Course(c.quantity, c.unit, *map(np.asarray, (c.values, c.low, c.high))) for c in response.courses),
        marks=tuple(Mark(m.quantity, seconds(m.stamp), m.normal, m.closed, np.stack([m.x, m.y], axis=1)) for m in response.marks),
        phases=tuple(Phase(p.name, seconds(p.begin), seconds(p.end)) for p in response.phases),
    )


def verdict_msg(verdict: Verdict, clip_id: str, now_s: float, **more: Any) -> VerdictMsg:
    return VerdictMsg(
        header=header(now_s), clip_id=clip_id, verdict=int(verdict.outcome), reason=verdict.reason,
        category=verdict.category, detector=verdict.detector, score=float(verdict.score),
        threshold=float(verdict.threshold), findings=[finding_msg(f) for f in verdict.findings], **more,
    )


def percept_of(response: Perceive.Response) -> Percept:
    """What the perceiver saw; BadData where it could not look."""
    if response.outcome not in OUTCOMES:
        raise BadData(response.message or "the perceiver could not look")
    r = response.region
    region = (r.x_offset, r.y_offset, r.width, r.height)
    return Percept(
        OUTCOMES[response.outcome], response.category, response.confidence, tuple(response.attributes), region, response.contradicts
    )


def truth_of(response: RevealSpecimen.Response) -> Truth:
    return Truth(response.category, response.object, response.defect, response.severity, response.seed)


def levels_msg(levels: dict[str, float], stamp_s: float) -> LightLevels:
    return LightLevels(header=header(stamp_s), channel=list(levels), level=[float(v) for v in levels.values()])


# -- pictures ---------------------------------------------------------------------------------------------------------------


def jpeg_msg(jpeg: bytes, stamp_s: float, frame_id: str) -> CompressedImage:
    # an array of bytes is taken as it is; any other sequence would be checked element by element
    return CompressedImage(header=header(stamp_s, frame_id), format="bgr8; jpeg compressed bgr8", data=array.array("B", jpeg))


def image_msg(frame: NDArray[np.uint8], stamp_s: float, frame_id: str) -> Image:
    """(H, W, 3) BGR as an uncompressed image."""
    height, width = frame.shape[:2]
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(frame).data)
    return Image(header=header(stamp_s, frame_id), height=height, width=width, encoding="bgr8", step=3 * width, data=data)


def frame_of(message: Image) -> NDArray[np.uint8]:
    """(H, W, 3) BGR view of an uncompressed image; BadData where its size does not agree with its data."""
    expected = message.height * message.step
    if message.encoding not in ("bgr8", "rgb8") or message.step < 3 * message.width or len(message.data) != expected:
        raise BadData(f"an image of {message.width}x{message.height} {message.encoding!r} with {len(message.data)} bytes")
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    frame = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    return frame if message.encoding == "bgr8" else frame[..., ::-1]
