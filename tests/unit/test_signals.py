"""What the rig felt, whoever tells it: joints are gathered by name over all messages of their topic."""

from dataclasses import replace

import numpy as np
import pytest
from dataset_messages import ARM, TABLE, joint_state, joints, plan, wrench

from physad_ros.dataset.reading import read_signals
from physad_ros.dataset.recording import Recorder
from physad_ros.dataset.signals import HOLD_S, gathered
from physad_ros.dataset.topics import JOINTS, MOTOR, WRENCH


def felt(folder, rows, table=TABLE):
    """Signals of a bag with these (topic, serialized message)."""
    recorder = Recorder()
    recorder.open(table, plan(table), folder)
    for topic, data in rows:
        recorder.take(topic, data)
    recorder.close()
    return read_signals(folder, table)


def test_joints_of_others_on_the_topic_leave_no_hole(tmp_path):
    rows = []
    for k in range(60):
        rows += [(JOINTS, joints(5 + k / 60)), (JOINTS, joint_state(5 + (k + 0.5) / 60, ["conveyor_joint"], [0.5]))]
    signals = felt(tmp_path / "bag", rows)
    assert np.allclose(signals.joint_stamps_s, 5 + np.arange(60) / 60, atol=1e-6)
    assert np.allclose(signals.joint_positions_rad, np.arange(6) + signals.joint_stamps_s[:, None])
    assert np.allclose(signals.gripper_opening_m, 6 + signals.joint_stamps_s)


@pytest.mark.parametrize("apart_s", [0.0, 0.004])
def test_arm_and_gripper_may_be_told_of_by_two(tmp_path, apart_s):
    rows = []
    for k in range(60):
        at = 5 + k / 60
        rows += [(JOINTS, joint_state(at, ARM[::-1], np.arange(6)[::-1] + k)), (JOINTS, joint_state(at + apart_s, ["finger_joint"], [k / 1000]))]
    signals = felt(tmp_path / "bag", rows)
    assert len(signals.joint_stamps_s) == (120 if apart_s else 60) and np.all(np.diff(signals.joint_stamps_s) > 0)
    last = signals.joint_positions_rad[-1], signals.gripper_opening_m[-1]
    assert np.allclose(last[0], np.arange(6) + 59) and last[1] == pytest.approx(0.059)
    assert np.isfinite(signals.joint_positions_rad).all() and np.isfinite(signals.gripper_opening_m[1:]).all()


@pytest.mark.parametrize("first", ["motor", "pump"])
def test_the_motor_that_drives_the_object_is_told_from_others(tmp_path, first):
    """By the category's recipe, wherever it stands in a message and whoever is heard first."""
    table = replace(TABLE, category="fan", interaction="drive")
    other = {"motor": "pump", "pump": "motor"}[first]
    numbers = {"motor": (1.0, 12.0, 0.1), "pump": (2.0, 55.0, 9.0)}
    rows = []
    for k in range(20):
        both = np.array([numbers[first], numbers[other]]).T
        rows += [(MOTOR, joint_state(5 + k / 60, [first, other], *both)), (MOTOR, joint_state(5 + (k + 0.5) / 60, ["lift"], [0.3], [0.3], [0.3]))]
    signals = felt(tmp_path / "bag", rows, table)
    assert signals.motor.shape == (20, 3) and np.allclose(signals.motor, numbers["motor"])


def test_a_motor_that_tells_no_torque_keeps_what_it_tells(tmp_path):
    signals = felt(tmp_path / "bag", [(MOTOR, joint_state(5.1, ["motor"], [1.0], [12.0])), (WRENCH, wrench(5.1, (1.0, 2.0, 3.0)))])
    assert signals.motor[0, :2].tolist() == [1.0, 12.0] and np.isnan(signals.motor[0, 2])
    assert signals.wrench.tolist() == [[1.0, 2.0, 3.0, 0.0, 0.0, 0.1]]


def test_what_is_not_told_of_any_more_is_not_held_for_ever():
    told = [(0.0, {"a": (1.0,), "b": (2.0,)}), (HOLD_S / 2, {"a": (3.0,)}), (2 * HOLD_S, {"a": (4.0,)})]
    stamps, values = gathered(told[::-1], ("b", "a"))
    assert stamps.tolist() == [0.0, HOLD_S / 2, 2 * HOLD_S]
    np.testing.assert_equal(values, [[2.0, 1.0], [2.0, 3.0], [np.nan, 4.0]])
    stamps, values = gathered([(0.0, {"c": (1.0,)})], ("a",))
    assert stamps.shape == (0,) and values.shape == (0, 1)
