"""The parallel gripper: two flat fingers that open along tool0's y, its body above them. Lengths in metres."""

from __future__ import annotations

from typing import Final

JOINT: Final = "finger_joint"  # name in /joint_states; its position is the opening

OPENING_MIN_M: Final = 0.0
OPENING_MAX_M: Final = 0.060  # between the fingers' inner faces
EFFORT_MAX_N: Final = 60.0

TCP_OFFSET_M: Final = 0.175  # tool0's origin to the middle between the fingertips' ends, along tool0's z

FINGER_WIDTH_M: Final = 0.024  # along tool0's x
FINGER_THICKNESS_M: Final = 0.008  # along tool0's y
FINGER_LENGTH_M: Final = 0.055  # along tool0's z
FINGER_SIZE_M: Final = (FINGER_WIDTH_M, FINGER_THICKNESS_M, FINGER_LENGTH_M)

BODY_SIZE_M: Final = (0.070, 0.075, TCP_OFFSET_M - FINGER_LENGTH_M - 0.010)
BODY_CENTRE_M: Final = (0.0, 0.0, 0.010 + BODY_SIZE_M[2] / 2)  # in tool0; the first centimetre is the flange's coupling


def finger_centres_m(opening_m: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Centres of the two fingers in tool0, the one on +y first."""
    y = opening_m / 2 + FINGER_THICKNESS_M / 2
    z = TCP_OFFSET_M - FINGER_LENGTH_M / 2
    return (0.0, y, z), (0.0, -y, z)
