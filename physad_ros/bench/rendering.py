"""How fast the simulated rig runs while its camera films: ``python -m physad_ros.bench.rendering``.

Prints a table and, as its last line, one JSON object. With LP_NUM_THREADS=1 (or 0) Mesa draws on one core only.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from physad_ros.core.catalogue import load_category
from physad_ros.interactions.base import plan
from physad_ros.sim.player import play
from physad_ros.sim.rig import Rig
from physad_ros.sim.specimen import random_specimen
from physad_ros.sim.twin import twins

SIZES = ((256, 256), (640, 360))


@dataclass(frozen=True)
class Speed:
    """Physics and filming of one category's window, at 60 frames a simulated second."""

    category: str
    width: int
    height: int
    frames_per_s: float
    simulated_s_per_s: float
    physics_only: float  # simulated seconds a second without drawing


def measure(category: str, size: tuple[int, int], seed: int = 0) -> Speed:
    """Play the category's interaction on a normal specimen, filmed and not."""
    filmed, plain = (_simulated_s_per_s(category, size, seed, look) for look in (True, False))
    return Speed(category, *size, round(60 * filmed, 1), round(filmed, 2), round(plain, 1))


def _simulated_s_per_s(category: str, size: tuple[int, int], seed: int, look: bool) -> float:
    specimen = random_specimen(seed, category, defect="anomaly_free")
    rig = Rig(size, specimen)
    program = plan(load_category(category), specimen.object, rig.joint_state().positions_rad)
    walls: list[float] = []
    play(program, rig, look=look, on_frame=lambda stamp_s, picture: walls.append(time.perf_counter()))
    rig.close()
    # from the second frame on: the first makes the OpenGL context
    return (len(walls) - 2) / program.fps / (walls[-1] - walls[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--category", action="append", choices=list(twins), help="default: all")
    chosen = parser.parse_args().category or list(twins)
    speeds = [measure(name, size) for size in SIZES for name in chosen]
    table = Table("category", "size", "frames/s", "simulated s/s", "without drawing")
    for s in speeds:
        table.add_row(s.category, f"{s.width}x{s.height}", f"{s.frames_per_s}", f"{s.simulated_s_per_s}", f"{s.physics_only}")
    Console().print(table)
    print(json.dumps({"rendering": [asdict(s) for s in speeds]}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
