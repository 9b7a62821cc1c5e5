"""What becomes of 1080p at 60 Hz between processes: frames lost and latency, beside the same run with default transports.

The camera runs in a process of its own; recorder and detector, the real nodes, run with the meter in another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from physad_ros.bench.grid import grid
from physad_ros.bringup import NodeSpec, compose
from physad_ros.core import places
from physad_ros.core.errors import PhysadError, why
from physad_ros.core.paths import share_dir
from physad_ros.core.types import FPS
from physad_ros.core.words import count, number
from physad_ros.dataset.video import probe, write_video
from physad_ros.nodes.domain import VARIABLE, held
from physad_ros.nodes.meter import Meter
from physad_ros.nodes.run import session, spin

#: a profile that changes nothing: nodes take ours where the environment names none
PLAIN = """<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns="http://www.eprosima.com"><profiles><participant profile_name="plain" is_default_profile="true"/></profiles></dds>
"""
PROFILE = "FASTDDS_DEFAULT_PROFILES_FILE"
SIZE = (1080, 1920)
FILM_S = 2  # of the film that is played over and over
DETECTOR = "intensity"  # the cheapest: what is measured is the way to it


def bench(frames: int, file: Path | None, console: Console) -> None:
    """Run both transports, print a table and, last, one JSON object."""
    if file is not None:
        probe(places.file(file, "video"))
    with tempfile.TemporaryDirectory() as scratch:
        film = file or _film(Path(scratch) / "film.mp4")
        ours = _run(film, frames, Path(scratch) / "ours", str(share_dir() / "config" / "fastdds.xml"), console)
        plain = Path(scratch) / "plain.xml"
        plain.write_text(PLAIN)
        try:
            default: dict[str, Any] = _run(film, frames, Path(scratch) / "default", str(plain), console)
        except (PhysadError, subprocess.TimeoutExpired) as error:  # what it is compared with may fail, ours may not
            console.print(f"default transports: {why(error)}")
            default = {"error": str(error)}
    table = grid("", "physad's transports", "default transports")
    for name, value in ours.items():
        table.add_row(name, *("failed" if v is None else number(v) for v in (value, default.get(name))))
    console.print(table)
    print(json.dumps({**ours, "default_transports": default}))


def _film(path: Path) -> Path:
    """Two seconds that a JPEG encoder finds as hard as a real picture: texture that moves, and sensor noise."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 120, (SIZE[0] // 8, SIZE[1] // 8, 3), np.uint8)
    texture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    noise = rng.integers(0, 12, (*SIZE, 3), np.uint8)
    write_video(path, (np.roll(texture, 5 * i, axis=1) + np.roll(noise, 97 * i, axis=0) for i in range(round(FILM_S * FPS))), FPS)
    return path


def _run(film: Path, frames: int, out: Path, profile: str, console: Console) -> dict[str, Any]:
    """One run in two fresh processes, which find the transports in their environment."""
    with held() as domain:
        return _measured(film, frames, out, {**os.environ, PROFILE: profile, VARIABLE: str(domain)}, console)


def _measured(film: Path, frames: int, out: Path, environment: dict[str, str], console: Console) -> dict[str, Any]:
    profile = environment[PROFILE]
    console.print(f"{count(frames, 'frame')} with {Path(profile).name}: {frames / FPS:.0f} s …")
    parameters = {"source": "file", "file": film, "loop": "true"}
    arguments = [word for key, value in parameters.items() for word in ("-p", f"{key}:={value}")]
    camera = subprocess.Popen([sys.executable, "-m", "physad_ros.nodes.camera", "--ros-args", *arguments], env=environment)
    try:
        meter = [sys.executable, "-m", __name__, str(frames), str(out)]
        done = subprocess.run(meter, env=environment, stdout=subprocess.PIPE, text=True, timeout=60 + 3 * frames / FPS)
        if camera.poll() is not None:
            raise PhysadError(f"the camera's process ended with status {camera.returncode} before the measurement did")
    finally:
        camera.terminate()
        camera.wait(10)
    if done.returncode:
        raise PhysadError(f"the measuring process ended with status {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _measure(frames: int, out: str) -> None:
    """The measuring process."""
    specs = [NodeSpec("recorder", "recorder", {"out": out}), NodeSpec("detector", "detector", {"detector": DETECTOR, "patience_s": 5.0})]
    result: list[dict[str, float]] = []
    over = threading.Event()
    with session(lambda: [*compose(specs), Meter(frames)]) as (executor, nodes):

        def body() -> None:
            try:
                result.append(nodes[-1].measure())
            finally:
                over.set()

        threading.Thread(target=body, daemon=True).start()
        spin(executor, over.is_set)
        if result:
            print(json.dumps(result[0]), flush=True)
            os._exit(0)  # to end in order would wait minutes for a film of the clip that nobody looks at
    sys.exit(1)


if __name__ == "__main__":
    _measure(int(sys.argv[1]), sys.argv[2])
