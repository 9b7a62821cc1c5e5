"""One job of a benchmark, in a process of its own: a method fitted, calibrated and tested on one category with one seed.

``python -m physad_ros.bench.job`` reads the job as a line of JSON and ends early when its standard input closes, so that no job
outlives who started it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.bench.clips import ClipsOnDisk
from physad_ros.bench.facts import FACTS, PER_FRAME, SCORES, Facts
from physad_ros.bench.protocol import Split, calibrate, ref
from physad_ros.core.errors import BadData, why
from physad_ros.core.types import NORMAL_LABEL, Clip, Score
from physad_ros.dataset.files import plain, sync, write_json
from physad_ros.dataset.tree import load_clip
from physad_ros.detectors.base import Detector, Setting, detectors


@dataclass(frozen=True)
class Job:
    """What is to be done, and where it goes."""

    root: str  # of the Phys-AD tree
    folder: str  # receives the trained model and the files that facts.py names
    split: str  # file
    category: str
    method: str
    seed: int
    preset: str
    false_alarm_rate: float
    digest: str


def execute(job: Job) -> None:
    """Do a job. Its folder is there once it is whole, with the scores or with what went wrong."""
    folder = Path(job.folder)
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        facts = _work(job, draft)
    except Exception as error:  # of whatever kind: the table tells it, and the other jobs go on
        traceback.print_exc()
        shutil.rmtree(draft)
        fail(job, why(error))
        return
    for file in draft.rglob("*.*"):
        sync(file)  # before the facts, which say that the job is done
    write_json(draft / FACTS, asdict(facts))
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def fail(job: Job, fault: str) -> None:
    """Leave in the job's folder why there are no scores."""
    folder = Path(job.folder)
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / FACTS, asdict(Facts(job.digest, job.category, job.method, job.seed, job.preset, fault)))


def _work(job: Job, folder: Path) -> Facts:
    root, split = Path(job.root), Split.read(Path(job.split))
    detector = detectors[job.method].preset(job.preset)

    def clips(names: Sequence[str], doing: str) -> ClipsOnDisk:
        return ClipsOnDisk([ref(root, name) for name in names], detector.height, doing)

    learnt_from = split.fit + (split.shots if detector.card.setting is Setting.WEAK else ())
    began = time.perf_counter()
    detector.fit(clips(learnt_from, "fitting"), job.seed)
    fit_s = time.perf_counter() - began
    rate, uncalibrated = _calibrated(detector, clips(split.calibrate, "calibrating"), job.false_alarm_rate)
    took, frames, scores = _score(detector, clips(split.test, "testing"))
    detector.save(folder)
    _write(folder, split.test, scores)
    live = _live(detector, load_clip(ref(root, split.test[0]), detector.height))
    return Facts(
        job.digest, job.category, job.method, job.seed, job.preset, "", uncalibrated, len(learnt_from), len(split.calibrate), rate,
        detector.threshold, detector.parameters(), fit_s, took / len(scores), frames / took, live, peak_mb(),
    )


def _calibrated(detector: Detector, clips: ClipsOnDisk, false_alarm_rate: float) -> tuple[float, str]:
    """The false-alarm rate that its threshold keeps; or NaN and why it has none, which leaves its scores as good as they are."""
    tried = [_tried(detector, clip) for clip in clips]
    try:
        return calibrate(detector, [score.value for score, _ in tried], false_alarm_rate), ""
    except BadData as error:
        reason = next((f" (the first: {reason})" for _, reason in tried if reason), "")
        return float("nan"), f"{why(error)}{reason}"


def _score(detector: Detector, clips: ClipsOnDisk) -> tuple[float, int, list[Score]]:
    """Seconds, frames and scores; a value that is not a number stays in, and the metrics count it as wrong.

    Raises:
        BadData: no clip could be scored; the message is the first one's reason.
    """
    took, frames, scores, reasons = 0.0, 0, [], []
    for clip in clips:
        began = time.perf_counter()
        score, reason = _tried(detector, clip)
        took += time.perf_counter() - began
        frames += len(clip.frames)
        scores.append(score)
        reasons.append(reason)
    if all(reasons):
        raise BadData(reasons[0])
    return took, frames, scores


def _tried(detector: Detector, clip: Clip) -> tuple[Score, str]:
    """A clip's score, and why it could not be scored, as when a chat server fails for one question. The reason is also its explanation."""
    try:
        return detector.score(clip), ""
    except BadData as error:
        reason = why(error)
        return Score(float("nan"), np.full(len(clip.frames), np.nan), explanation=reason), reason


def _live(detector: Detector, clip: Clip) -> float:
    """Frames a second, pushed one by one, with the score at the end; the first, for which things are made, does not count.

    NaN where this clip cannot be scored: its scores are in already, and not to be lost for a speed.
    """
    try:
        stream = detector.stream(clip.timetable)
        stream.push(clip.frames[0], float(clip.stamps_s[0]))
        began = time.perf_counter()
        for frame, stamp in zip(clip.frames[1:], clip.stamps_s[1:]):
            stream.push(frame, float(stamp))
        stream.finish(clip.signals)
    except BadData:
        return float("nan")
    return (len(clip.frames) - 1) / (time.perf_counter() - began)


def _write(folder: Path, names: Sequence[str], scores: Sequence[Score]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = [
        {"clip": name, "label": Path(name).parent.name, "anomalous": Path(name).parent.name != NORMAL_LABEL,
         "score": score.value, "frames": len(score.per_frame), "findings": json.dumps(plain([asdict(f) for f in score.findings])),
         "description": score.description, "explanation": score.explanation}
        for name, score in zip(names, scores)
    ]  # fmt: skip
    parquet.write_table(pa.Table.from_pylist(rows), folder / SCORES)
    frames: dict[str, Any] = {name: score.per_frame.astype(np.float32) for name, score in zip(names, scores)}
    np.savez_compressed(folder / PER_FRAME, **frames)


def peak_mb() -> float:
    """The most memory that this process ever had."""
    try:
        # getrusage would count what the parent had when it started this process
        status = Path("/proc/self/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _end_with_the_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Entry point of the process."""
    import cv2
    import rich

    cv2.setNumThreads(1)
    rich.reconfigure(quiet=True)  # progress is shown by who started this
    job = Job(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    execute(job)


if __name__ == "__main__":
    main()
