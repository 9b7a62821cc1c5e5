"""What `physad topics`, `physad nodes` and `physad echo` tell of a graph, and how they end."""

import io
import os
import signal
import subprocess
import sys

import domains
import pytest
import yaml
from builtin_interfaces.msg import Time
from live_graph import running
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rich.console import Console
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header, String

from physad_msgs.msg import LightLevels
from physad_ros.core.errors import BadData, WrongUse
from physad_ros.live.echo import echo
from physad_ros.live.looking import domain_of, looking, near
from physad_ros.live.topics import show_nodes, show_topics
from physad_ros.nodes import domain
from physad_ros.nodes.base import LATCHED
from physad_ros.nodes.onlooker import Topic

RATE_HZ = 20
NAME = "quite_a_long_namespace_for_a_topic/that_would_be_cut/at_eighty_columns"


class Speaker(Node):
    """Says one thing for ever, another again and again to whoever listens."""

    def __init__(self):
        super().__init__("speaker", namespace="/left")
        latched = self.create_publisher(LightLevels, "/light/state", LATCHED)
        latched.publish(LightLevels(header=Header(stamp=Time(sec=5, nanosec=7)), channel=["left"], level=[0.1]))
        self._stream = self.create_publisher(CompressedImage, "/eye", qos_profile_sensor_data)
        self._long = self.create_publisher(String, f"/{NAME}", 1)
        self._part = self.create_publisher(String, "/look/_action/status", 1)
        self.create_subscription(String, "/asked", lambda message: None, 1)
        self.create_timer(1 / RATE_HZ, lambda: self._stream.publish(CompressedImage(format="jpeg", data=bytes(5000))))


@pytest.fixture(scope="module", autouse=True)
def graph():
    """In a domain in which the graphs of other tests, that have just ended, are not heard of any more."""
    with domains.own_domain() as number, pytest.MonkeyPatch.context() as patch:
        patch.setenv(domain.VARIABLE, str(number))
        with running(lambda: [Speaker()]) as graph:
            yield graph


def here():
    """The domain of these tests."""
    return int(os.environ[domain.VARIABLE])


def told(show, *arguments):
    """What a command prints, line by line in words."""
    out = io.StringIO()
    assert show(here(), *arguments, Console(file=out, width=80, highlight=False)) == 0
    return [line.split() for line in out.getvalue().splitlines()]


def test_topics_are_told_whole_with_their_types_and_ends():
    lines = told(show_topics, False, 0.0)
    assert ["/light/state", "physad_msgs/msg/LightLevels", "1", "0"] in lines
    assert ["/asked", "std_msgs/msg/String", "0", "1"] in lines and [f"/{NAME}", "std_msgs/msg/String", "1", "0"] in lines
    assert not [line for line in lines if line[0] == "/look/_action/status"]
    assert ["/look/_action/status", "std_msgs/msg/String", "1", "0"] in told(show_topics, True, 0.0)


def test_the_rate_is_what_arrives():
    rates = {line[0]: float(line[-1]) for line in told(show_topics, False, 2.0)[1:]}
    assert 0 < rates["/eye"] < 1.5 * RATE_HZ and rates["/asked"] == 0


def test_nodes_are_told_with_their_namespace_and_without_the_onlooker():
    lines = told(show_nodes)
    assert {line[0] for line in lines[1:]} == {"/left/speaker", "/probe"}
    (speaker,) = [line for line in lines if line[0] == "/left/speaker"]
    assert int(speaker[1]) >= 4 and int(speaker[2]) >= 1


@pytest.mark.parametrize("name", ["/light/state", "light/state"])
def test_what_was_said_before_is_heard_of_a_latched_topic(name, capsys):
    assert echo(name, here(), once=True, full=False) == 0
    (message,) = [m for m in yaml.safe_load_all(capsys.readouterr().out) if m]
    assert message == {"header": {"stamp": 5.000000007, "frame_id": ""}, "channel": ["left"], "level": [0.1]}


def test_a_best_effort_topic_is_heard_and_its_picture_cut_short(capsys):
    assert echo("/eye", here(), once=True, full=False) == 0
    said = capsys.readouterr().out
    assert said.count("---") == 1 and "format: jpeg" in said and "# and 4984 more" in said


def test_a_topic_that_is_none_names_what_was_meant():
    for wrong, right in (("/light/stat", "/light/state"), ("at_eighty_columns", f"/{NAME}")):
        with pytest.raises(WrongUse, match=f"no topic /?{wrong}.*did you mean {right}\\?"):
            echo(wrong, here(), once=True, full=False)
    assert near("/what", ["/a", "/b/_action/status"]) == "there are /a"


def test_an_empty_domain_says_how_to_name_another(another_domain):
    with pytest.raises(WrongUse, match=rf"nothing runs in ROS domain {another_domain} on this machine.*--domain"):
        show_topics(int(another_domain), False, 0.0, Console())


def test_a_type_that_is_not_here_is_named():
    with looking(here()) as look, pytest.raises(BadData, match="foo_msgs/msg/Bar, is not installed"):
        look.onlooker.listen(Topic("/a", ("foo_msgs/msg/Bar",), 1, 0), print)


@pytest.mark.parametrize("text", ["abc", "-1", "233"])
def test_a_domain_that_is_none_is_wrong_use(text, monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", text)
    with pytest.raises(WrongUse, match="0 to 101"):
        domain_of(None)
    with pytest.raises(WrongUse, match="0 to 232"):
        domain_of(233)
    assert domain_of(7) == 7


def test_the_domain_of_the_stack_that_runs_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(domain.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("ROS_DOMAIN_ID")
    assert domain_of(None) == 0
    with domain.held() as one:
        assert domain_of(None) == one
        with domain.held(), pytest.raises(WrongUse, match=rf"several stacks run.*{one} \(process \d+\)"):
            domain_of(None)


def command(*words):
    return subprocess.Popen([sys.executable, "-m", "physad_ros.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_termination_ends_it_in_order(number):
    echoing = command("echo", "/eye")
    assert echoing.stdout.readline() == "header:\n"
    echoing.send_signal(number)
    assert echoing.stdout.read().endswith("---\n") and (echoing.stderr.read(), echoing.wait()) == ("", 130)


def test_who_reads_along_may_leave():
    echoing = command("echo", "/eye")
    echoing.stdout.readline()
    echoing.stdout.close()
    assert (echoing.wait(60), echoing.stderr.read()) == (0, "")


def test_it_waits_for_somebody_who_speaks(graph):
    echoing = command("echo", "/asked", "--once")
    assert "nobody publishes /asked" in echoing.stderr.readline()
    speaker = graph.make(graph.probe.create_publisher, String, "/asked", LATCHED)
    speaker.publish(String(data="here"))
    assert (echoing.stdout.read(), echoing.wait()) == ("data: here\n---\n", 0)
