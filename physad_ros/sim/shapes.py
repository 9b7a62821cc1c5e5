"""Shapes that MuJoCo's primitives cannot give, made of a few numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import Floats

#: half width, and the corners (x, z) of a convex outline; in mm
Outline = tuple[float, tuple[tuple[float, float], ...]]


def prism(outline: Outline, taper_mm: float) -> Floats:
    """Corners (N, 3) [m]: the outline drawn out along y, rounded at the sides, slimmer towards |x| = ``taper_mm``."""
    half, corners = outline
    flat = np.array(corners, dtype=float)
    low, high = flat.min(axis=0), flat.max(axis=0)
    rings = []
    for across, bevel_mm in ((-1.0, 1.3), (-0.85, 0.6), (-0.5, 0.15), (0.5, 0.15), (0.85, 0.6), (1.0, 1.3)):
        ring = (low + high) / 2 + (flat - (low + high) / 2) * (1 - 2 * bevel_mm / (high - low))
        width = half * (1 - 0.45 * (np.abs(ring[:, 0]) / taper_mm) ** 2.5)
        rings.append(np.column_stack([ring[:, 0], across * width, ring[:, 1]]))
    return np.concatenate(rings) * 1e-3


def blade_mesh(radius_m: float, blades: int, pitch_rad: float) -> tuple[Floats, NDArray[np.int32]]:
    """A twisted, cambered petal along +x, with the axis along y: vertices (N, 3) [m] and triangles (M, 3)."""
    rows, columns, thickness_m, root_m = 14, 9, 1.2e-3, 0.009
    along = np.sin(np.pi / 2 * np.linspace(0, 1, rows))[:, None]  # (R, 1)
    across = np.linspace(-1, 1, columns)[None, :]  # (1, C)
    widen = 0.34 + 0.66 * np.sin(np.pi / 2 * np.clip(along / 0.62, 0, 1)) ** 1.5
    narrow = 1 - 0.4 * np.clip((along - 0.6) / 0.4, 0, 1) ** 3
    half = 0.34 * radius_m * min(1.0, 5.9 / max(blades, 5)) * widen * narrow
    pitch = pitch_rad + (0.55 * pitch_rad - pitch_rad) * along
    x = root_m + (radius_m - root_m) * along - 0.12 * radius_m * np.abs(across) ** 2.5 * along**4
    y = half * across * np.sin(pitch) + 0.12 * half * (1 - across**2)
    z = half * across * np.cos(pitch)
    sides = [np.stack([x, y + side * thickness_m / 2, z], -1).reshape(-1, 3) for side in (-1, 1)]
    grid = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    front = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    rim = np.concatenate([grid[0], grid[1:, -1], grid[-1, -2::-1], grid[-2:0:-1, 0]])
    to, back = np.roll(rim, -1), rows * columns
    edge = np.concatenate([np.stack([rim, to, back + rim], -1), np.stack([to, back + to, back + rim], -1)])
    return np.concatenate(sides), np.concatenate([front, front[:, ::-1] + back, edge]).astype(np.int32)
