"""How long it takes to plan, time and check one interaction: ``python -m physad_ros.bench.planning``.

Prints a table and, as its last line, one JSON object. Run on one core (``taskset -c 0``) to compare with other figures.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass

import numpy as np

from physad_ros.core.catalogue import Category, categories, load_category
from physad_ros.core.types import Floats, Move
from physad_ros.interactions.base import interactions, plan
from physad_ros.motion import collision, ur5

LIMIT_MS = 30.0  # of the median
_SPREAD_RAD = 0.5  # of the starts about HOME, so that nothing is planned twice


@dataclass(frozen=True)
class Timing:
    """Planning one category's interaction."""

    category: str
    interaction: str
    programs: int
    waypoints: int  # of the last program, each checked against limits and for collision
    ms_p50: float
    ms_p99: float


def starts(category: Category, count: int, seed: int) -> list[Floats]:
    """Configurations about HOME in which the arm hits nothing: ``count`` arrays (6,)."""
    random = np.random.default_rng(seed)
    world = interactions[category.recipe.interaction].of(category).world(category)
    found: list[Floats] = []
    while len(found) < count:
        q = ur5.HOME + random.uniform(-_SPREAD_RAD, _SPREAD_RAD, 6)
        if collision.first_hit(world, q[None], 0.0) is None and collision.first_hit(world, q[None], 0.06) is None:
            found.append(q)
    return found


def measure(category: Category, count: int, seed: int) -> Timing:
    """Plan ``count`` programs from different starts; the first, which imports and compiles, does not count."""
    took_ms = []
    for start in starts(category, count + 1, seed):
        began = time.perf_counter()
        program = plan(category, category.objects[0].name, start)
        took_ms.append((time.perf_counter() - began) * 1e3)
    waypoints = sum(len(step.times_s) for step in program.steps if isinstance(step, Move))
    p50, p99 = np.percentile(took_ms[1:], [50, 99])
    return Timing(category.name, category.recipe.interaction, count, waypoints, round(p50, 2), round(p99, 2))


def main() -> int:
    """0 if every median keeps LIMIT_MS, else 1."""
    parser = argparse.ArgumentParser(prog="python -m physad_ros.bench.planning", description=__doc__)
    parser.add_argument("--programs", type=int, default=100, help="per category (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the starts (default 0)")
    args = parser.parse_args()
    print(f"{'category':12} {'interaction':14} {'programs':>8} {'waypoints':>9} {'p50 ms':>8} {'p99 ms':>8}")
    timings = []
    for name in categories():
        t = measure(load_category(name), args.programs, args.seed)
        print(f"{t.category:12} {t.interaction:14} {t.programs:8} {t.waypoints:9} {t.ms_p50:8.2f} {t.ms_p99:8.2f}")
        timings.append(t)
    kept = all(t.ms_p50 <= LIMIT_MS for t in timings)
    print(json.dumps({"limit_ms_p50": LIMIT_MS, "kept": kept, "planning": [asdict(t) for t in timings]}))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
