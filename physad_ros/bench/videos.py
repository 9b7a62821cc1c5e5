"""Small videos of the test clips for the page, made once and kept."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from joblib import Parallel, delayed
from rich.progress import track

from physad_ros.dataset.video import frame_rate, iter_video, write_video

HEIGHT, CRF = 240, 30
MOST_EMBEDDED = 60_000_000  # bytes of base64 in the page; with more, the videos lie in a folder beside it


def shown(name: str) -> str:
    """Where a clip's small video lies, below the folder of videos."""
    return str(PurePosixPath(name).with_suffix(".mp4"))


def small_videos(root: Path, names: Sequence[str], folder: Path, workers: int = -1) -> list[Path]:
    """The videos of clips, at HEIGHT lines; one is made anew when its clip is newer."""
    targets = [folder / shown(name) for name in names]
    stale = [(root / n, t) for n, t in zip(names, targets) if not t.exists() or t.stat().st_mtime_ns < (root / n).stat().st_mtime_ns]
    if not stale:
        return targets
    work = Parallel(n_jobs=workers, backend="threading", return_as="generator_unordered")(delayed(_make)(*pair) for pair in stale)
    for _ in track(work, "videos of the page", total=len(stale), transient=True):
        pass
    return targets


def embedded(videos: Sequence[Path]) -> list[str] | None:
    """Base64 of each, to be put into the page; None where that would be too much."""
    if sum(v.stat().st_size for v in videos) * 4 / 3 > MOST_EMBEDDED:
        return None
    return [base64.b64encode(v.read_bytes()).decode() for v in videos]


def _make(clip: Path, target: Path) -> None:
    write_video(target, iter_video(clip, HEIGHT), frame_rate(clip), CRF)
