"""A node that is deactivated and active again while what ran before is yet to end."""

import types
from types import SimpleNamespace

from physad_msgs.action import Inspect
from physad_msgs.msg import Verdict
from physad_ros.nodes import inspector
from physad_ros.nodes.inspector import Inspector


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
