"""A node that is deactivated and active again while what ran before is yet to end."""

import types
from types import SimpleNamespace

import pytest

from physad_msgs.action import Inspect
from physad_msgs.msg import Verdict
from physad_ros.core.errors import PhysadError
from physad_ros.nodes import inspector
from physad_ros.nodes.inspector import Inspector
from physad_ros.nodes.sim_thread import SimThread


class Steering:
    """In the place of an inspection: ends when it is resumed."""

    def __init__(self, *_):
        pass

    @types.coroutine
    def run(self, handle):
        yield
        return Verdict()


def test_the_end_of_an_inspection_from_before_does_not_end_the_one_that_runs(monkeypatch):
    monkeypatch.setattr(inspector, "Steering", Steering)
    node = SimpleNamespace(config=SimpleNamespace(out="out"), _request=lambda goal, clip_id: None, _busy=True, _course=None)
    handle = SimpleNamespace(request=Inspect.Goal(), is_cancel_requested=True, canceled=lambda: None)
    before, now = (Inspector._inspect(node, handle) for _ in range(2))
    before.send(None)
    node._course = None  # as at each activation
    now.send(None)
    running = node._course
    assert next(before.__await__(), "over") == "over"
    assert node._busy and node._course is running is not None
    assert next(now.__await__(), "over") == "over"
    assert not node._busy and node._course is None


class Broken:
    """A rig whose first step fails."""

    frame_due, steps = False, 1

    def joint_state(self):
        return None

    def step(self):
        raise RuntimeError("broken")

    def close(self):
        pass


def test_what_is_asked_of_a_simulation_on_its_last_steps_is_refused(monkeypatch):
    """Also after it has refused what was asked before, while its thread still lives."""
    asked = []
    refuse = SimThread._refuse_rest

    def refuse_and_be_asked(sim):
        refuse(sim)
        if not asked:
            asked.append(None)
            asked[0] = sim.ask(lambda: None)

    monkeypatch.setattr(SimThread, "_refuse_rest", refuse_and_be_asked)
    node = SimpleNamespace(trouble="", get_logger=lambda: SimpleNamespace(fatal=lambda text: None))
    SimThread(node, None, Broken)._thread.join()
    with pytest.raises(PhysadError, match="has ended"):
        asked[0].result(0.0)
