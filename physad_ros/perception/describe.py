"""A picture in numbers: where the thing is, what outline it has, and what a person would say of its looks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from physad_ros.core.types import DARK, Floats

HEIGHT = 360  # at which pictures are looked at
LEAST_SHARE = 0.004  # of the picture that a thing covers
SIDE = 64  # of the patch whose outline is described
PLACE_WEIGHT = 1.5  # of where and how large, against the outline's unit length

CELLS, BINS = 4, 9  # of the patch to each side, and of gradient directions in each cell

#: centres of hue [degrees]
_HUES = {"red": 0.0, "orange": 25.0, "yellow": 48.0, "green": 120.0, "blue": 220.0, "purple": 285.0, "pink": 330.0}


@dataclass(frozen=True)
class Look:
    """What is seen of a thing."""

    region: tuple[int, int, int, int]  # x, y, width, height in pixels of the picture that was given
    descriptor: Floats  # (D,)
    attributes: tuple[str, ...]


def look(frame: NDArray[np.uint8]) -> Look | None:
    """The thing in a picture (H, W, 3) BGR, or None where nothing stands out from the dark."""
    scale = HEIGHT / frame.shape[0]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = frame if scale == 1 else np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    mask = (picture.max(axis=2) > DARK).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    if mask.mean() < LEAST_SHARE:
        return None
    rows, columns = np.nonzero(mask)
    x0, x1 = (int(v) for v in np.percentile(columns, (0.5, 99.5)))
    y0, y1 = (int(v) for v in np.percentile(rows, (0.5, 99.5)))
    region = tuple(round(v / scale) for v in (x0, y0, x1 - x0 + 1, y1 - y0 + 1))
    descriptor = _descriptor(picture, mask, (x0, y0, x1, y1))
    return Look(region, descriptor, _attributes(picture, mask, rows, columns))  # type: ignore[arg-type]


def _descriptor(picture: NDArray[np.uint8], mask: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Floats:
    """Outline (histograms of gradients of the squared-up crop, unit length) and place, size and shape of the box."""
    x0, y0, x1, y1 = box
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) * mask
    patch = np.asarray(cv2.resize(grey[y0 : y1 + 1, x0 : x1 + 1], (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    outline = _gradients(patch)
    height, width = mask.shape
    filled = mask[y0 : y1 + 1, x0 : x1 + 1].mean()
    place = [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height, filled]
    return np.concatenate([outline, PLACE_WEIGHT * np.array(place)])


def _gradients(patch: NDArray[np.uint8]) -> Floats:
    """(CELLS * CELLS * BINS,) square-rooted histograms of gradient directions, unit length (Dalal and Triggs, CVPR 2005)."""
    x, y = cv2.Sobel(patch, cv2.CV_32F, 1, 0), cv2.Sobel(patch, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(x, y)
    direction = np.minimum(np.mod(angle, np.pi) / np.pi * BINS, BINS - 1).astype(int)
    cell = np.arange(SIDE) * CELLS // SIDE
    at = (cell[:, None] * CELLS + cell[None, :]) * BINS + direction
    histogram = np.sqrt(np.bincount(at.ravel(), strength.ravel(), CELLS * CELLS * BINS))
    return np.asarray(histogram / (np.linalg.norm(histogram) + 1e-9))


def _attributes(picture: NDArray[np.uint8], mask: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[str, ...]:
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    seen = mask > 0
    coloured = seen & (saturation > 90) & (value > 50)
    if coloured.sum() > 0.3 * seen.sum():
        angle = 2.0 * float(np.median(hue[coloured]))
        colour = min(_HUES, key=lambda name: abs((angle - _HUES[name] + 180) % 360 - 180))
    else:
        colour = "light grey" if float(np.median(value[seen])) > 140 else "dark grey"
    spread = np.cov(np.stack([columns, rows]))
    values, vectors = np.linalg.eigh(spread)
    angle = abs(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    angle = min(angle, 180 - angle)
    lies = "round" if values[1] < 2 * values[0] else "lying" if angle < 30 else "upright" if angle > 60 else "slanted"
    share = float(seen.mean())
    return (f"colour: {colour}", f"orientation: {lies}", f"size: {100 * share:.0f} % of the picture")
