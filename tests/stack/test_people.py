"""What a person is told by the programs: exit status, and what an interruption leaves. The graph is stood in for."""

import os
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from physad_msgs.msg import Verdict
from physad_ros.bench.specimens import BAGS
from physad_ros.cli import Exit, app, main
from physad_ros.core.errors import BadData, WrongUse
from physad_ros.dataset.report import REPORT
from physad_ros.live import campaign, inspect
from physad_ros.live import graph as live_graph
from physad_ros.nodes import request

INCONCLUSIVE = Verdict(verdict=Verdict.INCONCLUSIVE, reason="the report could not be written: no space left on device")


def graph(operator):
    """In the place of live.graph.running."""

    @contextmanager
    def running(specs, *_):
        yield operator

    return running


@pytest.mark.parametrize("verdict", [INCONCLUSIVE, Verdict(verdict=Verdict.NORMAL), Verdict(verdict=Verdict.ANOMALOUS)])
def test_the_exit_status_is_the_verdict_whatever_lies_on_disk(monkeypatch, verdict):
    monkeypatch.setattr(inspect, "running", graph(SimpleNamespace(inspect=lambda *_, **__: verdict)))
    ended = CliRunner().invoke(app, ["inspect", "--category", "clip"])
    assert ended.exit_code == {Verdict.INCONCLUSIVE: 4, Verdict.NORMAL: 0, Verdict.ANOMALOUS: 3}[verdict.verdict]
    assert verdict.reason.split(":")[0] in ended.output and Exit(ended.exit_code).name in ended.output
    assert "the the" not in ended.output and "the object" in ended.output.lower()


class Specimens:
    """An operator whose inspections leave their files; in the middle of it somebody presses Ctrl-C."""

    def __init__(self, root, at):
        self.root, self.at, self.placed, self.canceled = root, at, 0, False

    def place(self, *_):
        self.placed += 1
        if (self.placed, self.at) == (2, "place"):
            raise KeyboardInterrupt

    def inspect(self, clip_id, *_, **__):
        self.folder = self.root / BAGS / clip_id
        self.folder.mkdir(parents=True)
        (self.folder / "clip.mp4").write_text("")
        (self.folder / REPORT).write_text("{}")
        if (self.placed, self.at) == (2, "inspect"):
            raise KeyboardInterrupt
        return Verdict(verdict=Verdict.NORMAL)

    def cancel(self):
        self.canceled = True

    def result(self, timeout_s):
        if self.at == "inspect":
            raise KeyboardInterrupt  # a second time
        return INCONCLUSIVE


@pytest.mark.parametrize("at", ["place", "inspect"])
def test_a_campaign_is_interrupted_anywhere_and_keeps_only_what_is_whole(monkeypatch, tmp_path, capsys, at):
    monkeypatch.setattr(campaign, "running", graph(Specimens(tmp_path, at)))
    words = ["record", str(tmp_path), "--category", "clip", "--label", "anomaly_free", "--count", "3"]
    monkeypatch.setattr(sys, "argv", ["physad", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130 and "the same command goes on from here" in capsys.readouterr().out
    assert len(list((tmp_path / BAGS).iterdir())) == len(list((tmp_path / "clip").rglob("*.mp4"))) == 1


def test_a_request_that_fails_in_whatever_way_ends_with_status_1(monkeypatch, capfd):
    def broken(operator):
        raise RuntimeError("broken")

    monkeypatch.setattr(request, "ask", broken)
    with pytest.raises(SystemExit) as ended:
        request.main()
    assert ended.value.code == 1 and "broken" in capfd.readouterr().err


def test_a_request_with_a_parameter_that_is_none_ends_in_one_line(monkeypatch, capfd):
    def refuse():
        raise BadData("operator: the parameter count cannot be what was given")

    monkeypatch.setattr(request, "_operator", refuse)
    with pytest.raises(SystemExit) as ended:
        request.main()
    assert (ended.value.code, capfd.readouterr().err) == (2, "physad: operator: the parameter count cannot be what was given\n")


def test_another_stack_is_looked_for_as_far_as_this_one_will_reach(monkeypatch):
    names = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTDDS_DEFAULT_PROFILES_FILE")
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    seen = []

    def held(*_, **__):
        seen.extend(os.environ.get(name, "") for name in names)
        raise WrongUse("another stack")

    monkeypatch.setattr(live_graph, "held", held)
    with pytest.raises(WrongUse), live_graph.running([]):
        pass
    assert seen[0] == "LOCALHOST" and seen[1].endswith("fastdds.xml")
