"""Frames of a clip, cut to what is measured, with marks where that is to be seen."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from physad_ros.core.types import DARK, Mark
from physad_ros.dataset.overview.page import RED, Page, Place, outlined
from physad_ros.dataset.video import Frame

ROOM = 0.12  # about what is shown, as a share of its longer side
LEAST = 0.55  # of the picture's height: what is shown is not enlarged more
MOVES = 25  # grey levels by which a pixel changes where something moves
SPECKS = 0.002  # of a picture's pixels, in a row or column of their own, that are no movement
BROKEN, SEEN = "#ff5a4d", "#6db6ff"  # on dark ground
AS_NORMAL = "#35d06a"

Box = tuple[float, float, float, float]  # left, top, right, bottom [px]


def shown_part(frames: Sequence[Frame], marks: Sequence[Mark], aspect: float) -> Box:
    """The part of the picture that holds all marks, or where there are none all movement, brought to an aspect as far as the picture reaches."""
    height, width = frames[0].shape[:2]
    corners = _corners(marks, width, height) if marks else _moving(frames)
    left, top, right, bottom = (0.0, 0.0, float(width), float(height)) if corners is None else corners
    room = ROOM * max(right - left, bottom - top)
    tall = min(max(bottom - top + 2 * room, (right - left + 2 * room) / aspect, LEAST * height), height)
    wide = min(max(tall * aspect, right - left + 2 * room), width)
    bright = np.mean([f.max(axis=2) > DARK for f in frames], axis=0)
    left, right = _placed((left, right), wide, bright.mean(axis=0))
    top, bottom = _placed((top, bottom), tall, bright.mean(axis=1))
    return left, top, right, bottom


def _placed(wanted: tuple[float, float], length: float, profile: NDArray[np.float64]) -> tuple[float, float]:
    """A span of that length that has what is wanted in it, and as much else of what is to be seen as it can."""
    begin, end = wanted
    room = max(0.0, min(ROOM * (end - begin), (length - (end - begin)) / 2))
    first = round(min(max(end + room - length, 0.0), len(profile) - length))
    last = round(min(max(begin - room, 0.0), len(profile) - length))
    sums = np.concatenate([[0.0], np.cumsum(profile)])
    starts = np.arange(min(first, last), max(first, last) + 1)
    found = sums[np.minimum(starts + round(length), len(profile))] - sums[starts]
    best = starts[found >= found.max() - 1e-9]
    start = min(float(best[np.argmin(np.abs(best + length / 2 - (begin + end) / 2))]), len(profile) - length)
    return start, start + length


def _corners(marks: Sequence[Mark], width: int, height: int) -> Box:
    points = np.clip(np.concatenate([m.points for m in marks]), 0.0, 1.0) * (width, height)
    return float(points[:, 0].min()), float(points[:, 1].min()), float(points[:, 0].max()), float(points[:, 1].max())


def _moving(frames: Sequence[Frame]) -> Box | None:
    """Where frames differ; None where they do not."""
    stack = np.stack([cv2.cvtColor(f, cv2.COLOR_BGR2GRAY) for f in frames])
    moves = np.ptp(stack, axis=0) > MOVES
    columns, rows = (np.flatnonzero(moves.sum(axis=a) > SPECKS * moves.shape[a] + 1) for a in (0, 1))
    if not len(columns) or not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def show(page: Page, place: Place, frame: Frame, part: Box, marks: Sequence[Mark], line_px: float, broken: bool = False) -> Place:
    """Draw a part of a frame with its marks in a place, as large as its aspect allows; where that then is, is returned.

    Marks are drawn green where the quantity would be in normal specimens, and where it is to be seen red, if it is ``broken``, or blue.
    """
    left, top, right, bottom = part
    x, y, width, height = place
    scale = min(width / (right - left), height / (bottom - top))
    wide, tall = scale * (right - left), scale * (bottom - top)
    place = (x + (width - wide) / 2, y + (height - tall) / 2, wide, tall)
    axis = page.axes(place)
    axis.imshow(_enlarged(frame, part, wide, tall), extent=(left, right, bottom, top), aspect="auto", interpolation="none")
    axis.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], facecolor="black")
    for spine in axis.spines.values():
        spine.set(color=RED if broken else "#9aa0a6", linewidth=line_px + 1.0 if broken else 0.8)
    size = np.array(frame.shape[1::-1], dtype=float)
    for mark in sorted(marks, key=lambda m: not m.normal):
        _draw(axis, mark, mark.points * size, line_px, BROKEN if broken else SEEN)
    return place


def _draw(axis: Axes, mark: Mark, points: NDArray[np.float64], line_px: float, colour: str) -> None:
    closed = np.concatenate([points, points[:1]]) if mark.closed else points
    rim = outlined(line_px + 2.0, "black")
    if mark.normal:
        if mark.closed:
            axis.fill(*points.T, facecolor=AS_NORMAL, alpha=0.18, linewidth=0)
        axis.plot(*closed.T, color=AS_NORMAL, linewidth=0.6 * line_px, path_effects=rim, solid_joinstyle="round")
    else:
        axis.plot(*closed.T, color=colour, linewidth=line_px, path_effects=rim, solid_joinstyle="round", solid_capstyle="round")


def _enlarged(frame: Frame, part: Box, width: float, height: float) -> Frame:
    """(height, width, 3) RGB."""
    left, top, right, bottom = part
    scale = ((right - left) / width, (bottom - top) / height)
    matrix = np.array([[scale[0], 0, left + scale[0] / 2 - 0.5], [0, scale[1], top + scale[1] / 2 - 0.5]])
    if max(scale) > 1:  # made smaller: averaged first
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.45 * max(scale)), np.uint8)
    size = (max(1, round(width)), max(1, round(height)))
    shown = cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB), np.uint8)


