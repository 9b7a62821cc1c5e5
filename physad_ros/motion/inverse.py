"""Every joint vector that brings the UR5's flange to a pose, in closed form.

The wrist's axes meet the shoulder's plane at fixed distances, so the six angles come one after another: the pan from the wrist's
distance to the arm's plane, wrist 2 and 3 from the flange's orientation against that plane, and shoulder, elbow and wrist 1 from a
two-bar linkage within it. Derived from the link table below and held against the forward kinematics by a test.
"""

from __future__ import annotations

from math import acos, asin, atan2, cos, hypot, pi, sin
from typing import Final

import numpy as np

from physad_ros.core.types import Floats

SHOULDER_HEIGHT_M: Final = 0.089159
UPPER_ARM_M: Final = 0.425
FOREARM_M: Final = 0.39225
PLANE_OFFSET_M: Final = 0.10915  # of the wrist from the shoulder's axis, along the arm's plane's normal
WRIST_2_M: Final = 0.09465
FLANGE_M: Final = 0.0823

_STRAIGHT = 1e-9  # sine of wrist 2 below which wrist 1 and 3 turn about one axis; wrist 3 is then left at zero
_SLACK = 1e-9  # by which rounding may put a pose at the edge of reach outside it


def solutions(flange: Floats) -> list[Floats]:
    """At most eight joint vectors (6,), angles in [-pi, pi]; empty where the pose is out of reach.

    Args:
        flange: (4, 4) pose of tool0 in the maker's frame `base`.
    """
    (xx, yx, zx, px), (xy, yy, zy, py), (xz, yz, zz, pz), _ = flange.tolist()
    wx, wy, wz = px - FLANGE_M * zx, py - FLANGE_M * zy, pz - FLANGE_M * zz  # wrist 3's centre
    away = hypot(wx, wy)
    if away < PLANE_OFFSET_M - _SLACK:
        return []
    towards, aside = atan2(wy, wx), asin(min(PLANE_OFFSET_M / away, 1.0))
    found: list[Floats] = []
    for q1 in (towards + aside, towards + pi - aside):
        c1, s1 = cos(q1), sin(q1)  # the arm's plane holds (c1, s1, 0) and z; its normal is (s1, -c1, 0)
        across = acos(max(-1.0, min(1.0, s1 * zx - c1 * zy)))
        for q5 in (across, -across):
            s5 = sin(q5)
            q6 = 0.0 if abs(s5) < _STRAIGHT else atan2((c1 * yy - s1 * yx) / s5, (s1 * xx - c1 * xy) / s5)
            c6, s6 = cos(q6), sin(q6)
            ax, ay, az = -(s6 * xx + c6 * yx), -(s6 * xy + c6 * yy), -(s6 * xz + c6 * yz)  # wrist 2's axis
            u = -((wx - WRIST_2_M * ax) * c1 + (wy - WRIST_2_M * ay) * s1)
            v = SHOULDER_HEIGHT_M - (wz - WRIST_2_M * az)
            bend = (u * u + v * v - UPPER_ARM_M**2 - FOREARM_M**2) / (2 * UPPER_ARM_M * FOREARM_M)
            if abs(bend) > 1 + _SLACK:
                continue
            elbow = acos(max(-1.0, min(1.0, bend)))
            lean = atan2(ax * c1 + ay * s1, -az)  # shoulder, elbow and wrist 1 together
            for q3 in (elbow, -elbow):
                q2 = atan2(v, u) - atan2(FOREARM_M * sin(q3), UPPER_ARM_M + FOREARM_M * cos(q3))
                found.append(np.array([_wrapped(q) for q in (q1, q2, q3, lean - q2 - q3, q5, q6)]))
    return found


def _wrapped(angle_rad: float) -> float:
    return (angle_rad + pi) % (2 * pi) - pi
