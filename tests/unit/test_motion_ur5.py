"""The UR5's kinematics: round trips, derivatives, ROS's frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physad_ros.core.errors import Impossible
from physad_ros.motion import gripper, ur5

angles = st.lists(st.floats(-np.pi, np.pi), min_size=6, max_size=6).map(np.array)


def is_pose(pose):
    rotation = pose[:3, :3]
    return (
        np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
        and np.isclose(np.linalg.det(rotation), 1)
        and np.array_equal(pose[3], [0, 0, 0, 1])
    )


def regular(q):
    """Away from the singularities, where a finite set of solutions is not to be had."""
    return np.linalg.cond(ur5.jacobian_tcp(q)) < 1e3


def test_zero_is_stretched_forward_along_x_as_in_ros():
    # ur_description at zero: arm straight along +x of base_link, tool0 looking along +y at the wrist's height
    pose = ur5.forward(np.zeros(6))
    assert np.allclose(pose[:3, 3], [0.425 + 0.39225, 0.10915 + 0.0823, 0.089159 - 0.09465])
    assert np.allclose(pose[:3, 2], [0, 1, 0])


def test_panning_turns_everything_about_z():
    q = np.array([0.0, -1.2, 1.5, -0.4, 0.7, 0.3])
    turned = np.add(q, [0.9, 0, 0, 0, 0, 0])
    a, b = ur5.forward(q), ur5.forward(turned)
    assert np.isclose(np.hypot(*a[:2, 3]), np.hypot(*b[:2, 3])) and np.isclose(a[2, 3], b[2, 3])
    assert np.isclose(np.angle(complex(*b[:2, 3]) / complex(*a[:2, 3])), 0.9)


@given(angles)
def test_forward_is_a_rigid_pose_and_batches(q):
    assert is_pose(ur5.forward(q))
    assert np.allclose(ur5.link_poses(np.stack([q, -q]))[0], ur5.link_poses(q))


@given(angles)
def test_tcp_lies_ahead_of_tool0(q):
    tool0, tcp = ur5.forward(q), ur5.forward_tcp(q)
    assert np.allclose(tcp[:3, 3] - tool0[:3, 3], gripper.TCP_OFFSET_M * tool0[:3, 2])
    assert np.allclose(tcp[:3, :3], tool0[:3, :3])


@given(angles)
def test_every_inverse_solution_leads_back(q):
    pose = ur5.forward_tcp(q)
    for solution in ur5.inverse_tcp(pose):
        assert np.allclose(ur5.forward_tcp(solution), pose, atol=1e-6)


@given(angles)
@settings(max_examples=200)
def test_inverse_finds_the_configuration_itself(q):
    if not regular(q):
        return
    assert np.allclose(ur5.nearest(ur5.forward_tcp(q), q), q, atol=1e-5)


@given(angles, st.lists(st.integers(-1, 1), min_size=6, max_size=6))
def test_nearest_stays_within_limits_whatever_the_seed(q, turns):
    if not regular(q):
        return
    seed = np.clip(q + 2 * np.pi * np.array(turns), -ur5.POSITION_MAX_RAD, ur5.POSITION_MAX_RAD)
    found = ur5.nearest(ur5.forward_tcp(q), seed)
    assert (np.abs(found) <= ur5.POSITION_MAX_RAD + 1e-9).all()
    assert np.allclose(ur5.forward_tcp(found), ur5.forward_tcp(q), atol=1e-6)


def test_out_of_reach_is_refused_with_the_place():
    pose = np.eye(4)
    pose[:3, 3] = [2.0, 0.0, 0.5]
    assert ur5.inverse_tcp(pose) == []
    with pytest.raises(Impossible, match=r"2\.000"):
        ur5.nearest(pose, ur5.HOME)


@given(angles)
def test_jacobian_is_the_derivative_of_forward(q):
    jacobian, step = ur5.jacobian_tcp(q), 1e-6
    for i in range(6):
        ahead, behind = q.copy(), q.copy()
        ahead[i] += step
        behind[i] -= step
        a, b = ur5.forward_tcp(ahead), ur5.forward_tcp(behind)
        spin = (a[:3, :3] - b[:3, :3]) @ ur5.forward_tcp(q)[:3, :3].T / (2 * step)
        expected = [*(a[:3, 3] - b[:3, 3]) / (2 * step), spin[2, 1], spin[0, 2], spin[1, 0]]
        assert np.allclose(jacobian[:, i], expected, atol=1e-6)


def test_home_is_within_limits_with_the_tool_down_and_above_every_picture():
    tcp = ur5.forward_tcp(ur5.HOME)
    assert (np.abs(ur5.HOME) < ur5.POSITION_MAX_RAD).all()
    assert np.allclose(tcp[:3, :3], np.diag([1, -1, -1]), atol=1e-9)
    assert tcp[2, 3] > 0.35 and tcp[0, 3] < 0.3
