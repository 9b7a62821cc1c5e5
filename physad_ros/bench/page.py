"""The benchmark as one page: tables, bars, curves, and every test clip with its video, score and findings. It loads nothing from elsewhere."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physad_ros.bench.facts import PER_FRAME
from physad_ros.bench.job import Job
from physad_ros.bench.markdown import interval_told, marks, notes, number, protocol_told, size, split_told
from physad_ros.bench.paper import table4
from physad_ros.bench.protocol import ref
from physad_ros.bench.results import Outcome
from physad_ros.bench.table import Method, Table
from physad_ros.bench.videos import embedded, shown, small_videos
from physad_ros.core.types import NORMAL_LABEL, Floats
from physad_ros.dataset.files import write_atomically
from physad_ros.dataset.tree import timetable_of

TEMPLATES = Path(__file__).with_name("html")
VIDEOS = "videos"  # below a run's folder
POINTS = 120  # of a curve, each the greatest score of its share of the frames


def write_page(table: Table, jobs: Sequence[Job], outcomes: Sequence[Outcome], file: Path) -> None:
    """The page in the run's folder; its videos are in it, or where they are too many in the folder beside it."""
    import jinja2

    out, names = table.run.out, sorted({name for o in outcomes for name in o.clips})
    videos = small_videos(table.run.root, names, out / VIDEOS)
    inside = embedded(videos)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = environment.get_template("page.html").render(
        table=table, clips=len(names), data=page_data(table, jobs, outcomes, names), embedded=dict(enumerate(inside or [])),
        videos_told="Its videos are part of it." if inside is not None else f"Its videos lie in the folder {VIDEOS} beside it.",
        protocol_told=protocol_told(table), split_told=split_told(table), notes=notes(table), printed=table4().title, source=table4().source,
        number=number, size=size, marks=marks, interval=interval_told, cell=_cell, nan=math.nan,
    )  # fmt: skip
    write_atomically(file, text.encode())


def page_data(table: Table, jobs: Sequence[Job], outcomes: Sequence[Outcome], names: Sequence[str]) -> dict[str, Any]:
    """What the page's scripts draw."""
    seeds = sorted({job.seed for job in jobs})
    clips = {name: _clip(table.run.root, i, name) for i, name in enumerate(names)}
    for job, o in zip(jobs, outcomes):
        if o.judged:
            _enter(clips, job, o, seeds)
    cuts = {(o.facts.method, o.facts.category, o.facts.seed): _finite(o.cut) for o in outcomes}
    methods = [_method(m, table, seeds, cuts) for m in table.methods]
    return {"seeds": seeds, "categories": table.categories, "clips": list(clips.values()), "methods": methods}


def _method(m: Method, table: Table, seeds: Sequence[int], cuts: dict[tuple[str, str, int], float | None]) -> dict[str, Any]:
    by = {c: [_finite(v) for v in (e.value, e.low, e.high)] for c, e in m.by_category.items()}
    own_cuts = {c: [cuts.get((m.name, c, s)) for s in seeds] for c in table.categories}
    return {"name": m.name, "auroc": _finite(m.auroc.value), "by": by, "cuts": own_cuts}


def _clip(root: Path, number: int, name: str) -> dict[str, Any]:
    clip = ref(root, name)
    timetable = timetable_of(clip)
    begin, length = timetable.window_begin_s, timetable.window_end_s - timetable.window_begin_s
    phases = [[p.name, round((p.begin_s - begin) / length, 4), round((p.end_s - begin) / length, 4)] for p in timetable.window_phases]
    return {
        "id": number, "name": clip.path.stem, "category": clip.category, "label": clip.label, "anomalous": clip.label != NORMAL_LABEL,
        "video": f"{VIDEOS}/{shown(name)}", "frames": timetable.frames, "fps": timetable.fps, "begin_s": begin, "phases": phases, "by": {},
    }  # fmt: skip


def _enter(clips: dict[str, dict[str, Any]], job: Job, o: Outcome, seeds: Sequence[int]) -> None:
    """Put what a job said of each clip into it; the curve, the findings and the answer are those of the first seed."""
    at = seeds.index(job.seed)
    with np.load(Path(job.folder) / PER_FRAME) as frames:
        for i, name in enumerate(o.clips):
            clip = clips[name]
            by = clip["by"].setdefault(job.method, {k: [None] * len(seeds) for k in ("scores", "truth", "called", "unscored")})
            by["scores"][at], by["truth"][at], by["called"][at] = float(o.scores[i]), bool(o.truth[i]), bool(o.decided[i])
            by["unscored"][at] = bool(o.unscored[i])
            if "curve" not in by:
                by["curve"] = curve(frames[name])
                by["findings"] = [_finding(f, clip) for f in o.findings[i]]
                by["description"], by["explanation"] = o.answers[i]


def _finding(finding: dict[str, Any], clip: dict[str, Any]) -> dict[str, Any]:
    kept = {k: finding[k] for k in ("sentence", "phase", "violation")}
    return {**kept, "begin_s": round(max(0.0, finding["begin_s"] - clip["begin_s"]), 3)}


def curve(per_frame: Floats) -> dict[str, Any]:
    """Scores of frames (T,) as at most POINTS bytes between their least and greatest."""
    known = per_frame[np.isfinite(per_frame)]
    filled = np.where(np.isfinite(per_frame), per_frame, known.min() if len(known) else 0.0)
    points = np.array([share.max() for share in np.array_split(filled, min(len(filled), POINTS))], float)
    low, high = float(points.min()), float(points.max())
    steps = np.round((points - low) / (high - low or 1.0) * 255).astype(np.uint8)
    return {"low": low, "high": high, "bytes": base64.b64encode(steps.tobytes()).decode()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cell(value: float | None, told: str, css: str = "") -> Any:
    """A table cell that sorts by its value."""
    from markupsafe import Markup

    key = "" if value is None or math.isnan(value) else repr(float(value))
    return Markup('<td data-value="{}" class="{}">{}</td>').format(key, css, told)
