"""Whatever fails: noticed within a second of its deadline, INCONCLUSIVE with its reason, readable so far, and the next one good."""

import dataclasses
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from live_graph import inspecting
from rosgraph_msgs.msg import Clock

from physad_msgs.msg import Verdict
from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import why
from physad_ros.core.inspection import State
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.manifest import Manifest
from physad_ros.dataset.reading import messages, read_timetable
from physad_ros.dataset.topics import IMAGE
from physad_ros.detectors.base import detectors
from physad_ros.nodes import commands, motions, player, recorder, report, rig_topics
from physad_ros.nodes.waiting import at_most

CATEGORY = "clip"
WHOLE = dict(
    camera_stalled=False, camera_frozen=False, robot_stopped=False, controllers_active=True, nan_joint_state=False,
    nan_force=False, force_silent=False, motors_silent=False,
)
NOTICE_S = 1.0


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    out = tmp_path_factory.mktemp("faults")
    models = tmp_path_factory.mktemp("models")
    fitted = detectors["intensity"]()  # what it says does not matter here
    fitted.mean, fitted.spread, fitted.threshold = 0.0, 1.0, 1e9
    for name in (CATEGORY, "fan", "hinge"):
        (models / name).mkdir()
        fitted.save(models / name)
    detector = Process("detector", "detector:=intensity", f"folder:={models}", "use_sim_time:=true")
    with inspecting(
        without=("detector",), category=CATEGORY, defect=NORMAL_LABEL, seed=1, out=str(out), height=360, real_time_factor=2.0
    ) as graph:
        graph.detector = detector
        graph.wait(lambda: alive(graph), 60.0)
        yield graph
    graph.detector.end()


class Process:
    """A node in a process of its own."""

    def __init__(self, name, *parameters):
        words = [w for p in parameters for w in ("-p", p)]
        self._command = [sys.executable, "-m", f"physad_ros.nodes.{name}", "--ros-args", *words]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self._command)

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(autouse=True)
def afterwards_all_is_well(live):
    """The faults are over after each test, and the next inspection is good."""
    yield
    live.fault(**WHOLE)
    live.wait(lambda: live["inspector"]._course is None, 90.0, "the end of the inspection that failed its test")
    live.operator.place(CATEGORY, "", NORMAL_LABEL, -1.0, 1)
    verdict = live.inspect(seed=1)  # perceived, wherever the arm was left
    assert (verdict.reason, verdict.category, verdict.frames_received) == ("", CATEGORY, verdict.frames_expected)
    assert verdict.verdict != Verdict.INCONCLUSIVE


def interrupted(live, state, event, within_s, category=CATEGORY):
    """The verdict of an inspection in which ``event`` happens in ``state`` and is told within ``within_s`` on the wall clock."""
    handle = live.begin(category=category, seed=1)
    live.wait(lambda: live.state() is state, 20.0, state)
    if state is State.INTERACTING:
        moving = live["inspector"].now_s() + 0.5
        live.wait(lambda: live["inspector"].now_s() > moving)
    told = len(live.verdicts)
    event()
    began = time.monotonic()
    live.wait(lambda: len(live.verdicts) > told, within_s + 5.0, "a verdict")
    assert time.monotonic() - began < within_s
    verdict = live.result(handle.get_result_async(), 40.0).result.verdict
    assert verdict.verdict == Verdict.INCONCLUSIVE == live.verdicts[-1].verdict
    assert verdict.reason == live.verdicts[-1].reason != ""
    return verdict


def alive(graph):
    return "detector" not in graph["inspector"].watch.dead(met=True)


def assert_readable(live, verdict):
    bag = live.folder(verdict) / "bag"
    assert read_timetable(bag).clip_id == verdict.clip_id
    assert len(list(messages(bag, (IMAGE,)))) == verdict.frames_received


@pytest.mark.parametrize(("fault", "word"), [("camera_stalled", "stalled"), ("camera_frozen", "frozen")])
def test_a_camera_that_stalls_or_freezes(live, fault, word):
    verdict = interrupted(live, State.INTERACTING, lambda: live.fault(**{fault: True}), 0.5 + NOTICE_S)
    assert word in verdict.reason
    assert_readable(live, verdict)


def test_a_camera_that_is_silent_from_the_start(live):
    live.fault(camera_stalled=True)
    verdict = live.inspect(category=CATEGORY)
    assert (verdict.verdict, "stalled" in verdict.reason) == (Verdict.INCONCLUSIVE, True)


def test_a_picture_that_cannot_be_decoded(live, monkeypatch):
    encode, spoilt = rig_topics.encode_jpeg, []

    def once(*arguments):
        if spoilt or live["inspector"].now_s() < live["inspector"]._course.now.timetable.window_begin_s + 0.1:
            return encode(*arguments)
        spoilt.append(True)
        return b"not a picture"

    def spoil():
        monkeypatch.setattr(rig_topics, "encode_jpeg", once)
        live.wait(lambda: spoilt)

    verdict = interrupted(live, State.INTERACTING, spoil, NOTICE_S)
    assert "cannot be used" in verdict.reason
    assert_readable(live, verdict)


def test_a_detector_that_is_killed(live):
    verdict = interrupted(live, State.INTERACTING, live.detector.process.kill, 0.5 + NOTICE_S)
    assert "detector" in verdict.reason
    assert_readable(live, verdict)
    live.detector.process.wait(5)
    assert not alive(live)
    live.detector.start()
    live.wait(lambda: alive(live), 60.0)


def test_a_detector_that_is_stopped(live):
    stop = lambda: live.detector.process.send_signal(signal.SIGSTOP)  # noqa: E731
    verdict = interrupted(live, State.INTERACTING, stop, 0.5 + NOTICE_S)
    assert "detector" in verdict.reason
    assert_readable(live, verdict)
    live.detector.process.send_signal(signal.SIGCONT)
    live.wait(lambda: alive(live), 10.0)


def test_an_arm_whose_controllers_refuse(live):
    live.fault(controllers_active=False)
    began = time.monotonic()
    verdict = live.inspect(category=CATEGORY)
    assert time.monotonic() - began < 5.0
    assert (verdict.verdict, "not active" in verdict.reason) == (Verdict.INCONCLUSIVE, True)


def test_a_robot_that_is_stopped(live):
    # the step in which it stops may last a second or two more, at twice the speed; then half a second, then NOTICE_S
    verdict = interrupted(live, State.INTERACTING, lambda: live.fault(robot_stopped=True), 2.0 + NOTICE_S)
    assert "stopped" in verdict.reason


def test_a_joint_state_that_is_not_a_number(live):
    verdict = interrupted(live, State.INTERACTING, lambda: live.fault(nan_joint_state=True), NOTICE_S)
    assert "not a number" in verdict.reason
    assert_readable(live, verdict)


@pytest.mark.parametrize(("fault", "word"), [("nan_force", "not a number"), ("force_silent", "force is")])
def test_a_press_is_not_pressed_on_without_its_guard(live, fault, word):
    verdict = interrupted(live, State.INTERACTING, lambda: live.fault(**{fault: True}), 2.0 + NOTICE_S)
    assert word in verdict.reason


def test_a_motor_that_does_not_report_is_no_fan_that_is_stuck(live):
    live.operator.place("fan", "", NORMAL_LABEL, -1.0, 1)
    live.fault(motors_silent=True)
    heard = live["arm"].rig._told["motor state"]
    latest_s = lambda: max((told.seen_s for told in heard.values()), default=0.0)  # noqa: E731
    live.wait(lambda: time.monotonic() - latest_s() > 0.3, what="the last motor state that was under way")
    heard.clear()
    verdict = live.inspect(category="fan")
    assert (verdict.verdict, "no motor state" in verdict.reason) == (Verdict.INCONCLUSIVE, True), verdict.reason
    live.fault(motors_silent=False)
    live.wait(lambda: heard)
    verdict = interrupted(live, State.INTERACTING, lambda: live.fault(motors_silent=True), 2.0 + NOTICE_S, category="fan")
    assert "motor state" in verdict.reason


def test_an_arm_whose_program_fails_is_not_an_arm_that_is_done(live, monkeypatch):
    async def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(motions.Motions, "follow", broken)
    verdict = live.inspect(category=CATEGORY)
    assert (verdict.verdict, "broken" in verdict.reason) == (Verdict.INCONCLUSIVE, True)


def test_pictures_that_are_shown_again_were_not_seen(live):
    """Too short a freeze to be noticed while it lasts."""
    handle = live.begin(category=CATEGORY, seed=1)
    live.wait(lambda: live.state() is State.INTERACTING, 20.0)
    begin = live["inspector"]._course.now.timetable.window_begin_s
    live.wait(lambda: live["inspector"].now_s() > begin + 0.3)
    live.fault(camera_frozen=True)
    live.wait(lambda: live["inspector"].now_s() > begin + 0.6)
    live.fault(camera_frozen=False)
    verdict = live.result(handle.get_result_async(), 40.0).result.verdict
    assert (verdict.verdict, "repeat those just before" in verdict.reason) == (Verdict.INCONCLUSIVE, True)


def test_a_camera_that_shows_two_buffers_in_turn(live, monkeypatch):
    show, shown = rig_topics.RigTopics.show, []

    def in_turn(self, frame, fovy_deg):
        if len(shown) < 2:
            shown.append(frame.picture.copy())
        shown.reverse()
        show(self, dataclasses.replace(frame, picture=shown[0]), fovy_deg)

    stick = lambda: monkeypatch.setattr(rig_topics.RigTopics, "show", in_turn)  # noqa: E731
    verdict = interrupted(live, State.INTERACTING, stick, 0.5 + NOTICE_S)
    assert "frozen" in verdict.reason


def test_a_gripper_that_misses(live):
    from physad_ros.sim.twin import twins

    if "hinge" not in twins:
        pytest.skip("no simulated hinge")
    live.operator.place("hinge", "", NORMAL_LABEL, -1.0, 1)
    rig = live["mujoco_rig"].rig
    take_away = lambda: live.rig_does(rig.place, None, "hinge")  # noqa: E731
    verdict = interrupted(live, State.INTERACTING, take_away, 8.0, category="hinge")
    assert "closed on nothing" in verdict.reason


def test_a_detector_that_is_not_fitted(live):
    live.operator.place("slide", "", NORMAL_LABEL, -1.0, 1)
    verdict = live.inspect(category="slide")
    assert (verdict.verdict, "not ready" in verdict.reason) == (Verdict.INCONCLUSIVE, True)


def test_nothing_before_the_camera(live):
    live.rig_does(live["mujoco_rig"].rig.place, None, CATEGORY)
    verdict = live.inspect()
    assert verdict.verdict == Verdict.INCONCLUSIVE
    assert "nothing" in verdict.reason


def test_a_disk_that_is_full(live):
    with files_of_at_most(400_000):
        verdict = live.inspect(category=CATEGORY)
    assert verdict.verdict == Verdict.INCONCLUSIVE
    assert "disk is full" in verdict.reason
    told = json.loads((live.folder(verdict) / "verdict.json").read_text())
    assert "judging" not in told["timings_s"]  # while it was filling up, not when the clip was asked for
    from physad_ros.dataset.recover import recover

    report = recover(live.folder(verdict))
    assert 0 < report.frames_received < report.frames_expected


FULL = OSError(errno.ENOSPC, "no space left on device")


@pytest.mark.parametrize(("module", "name", "error"), [
    (report.Report, "write", FULL), (report, "write_overview", FULL), (recorder, "finish_clip", FULL),
    (recorder, "finish_clip", ValueError("broken")),
])
def test_files_that_cannot_be_written_once_the_clip_was_judged(live, monkeypatch, module, name, error):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(module, name, fails)
    began = time.monotonic()
    verdict = live.inspect(category=CATEGORY)
    assert time.monotonic() - began < 20.0  # nobody waits for files that do not come
    assert (verdict.verdict, why(error) in verdict.reason) == (Verdict.INCONCLUSIVE, True)
    live.wait(lambda: live.verdicts[-1].verdict == Verdict.INCONCLUSIVE)
    assert (live.verdicts[-1].clip_id, live.verdicts[-1].reason) == (verdict.clip_id, verdict.reason)
    file = live.folder(verdict) / "verdict.json"
    assert file.exists() == (name != "write")
    assert not file.exists() or json.loads(file.read_text())["verdict"] == "INCONCLUSIVE"
    assert len(list(messages(live.folder(verdict) / "bag", (IMAGE,)))) == verdict.frames_expected


def test_an_arm_that_is_not_there_is_not_waited_for(live, monkeypatch):
    monkeypatch.setattr(live["inspector"].interact, "server_is_ready", lambda: False)
    began = time.monotonic()
    verdict = live.inspect(category=CATEGORY)
    assert time.monotonic() - began < 3.0
    assert (verdict.verdict, verdict.reason) == (Verdict.INCONCLUSIVE, "no arm is there to interact")


def test_a_retreat_that_takes_long_is_waited_for_and_spoils_no_other_inspection(live, monkeypatch):
    retreat = player.Player._retreat

    async def slow(self, fault):
        await at_most(12.0)
        await retreat(self, fault)

    monkeypatch.setattr(player.Player, "_retreat", slow)
    handle = live.begin(category=CATEGORY, seed=1)
    live.wait(lambda: live["inspector"]._course.phase == "hold", 30.0)
    began = time.monotonic()
    handle.cancel_goal_async()
    verdict = live.result(handle.get_result_async(), 40.0).result.verdict
    assert time.monotonic() - began > 12.0 and "canceled" in verdict.reason


def test_a_partner_s_trouble_is_told_but_the_arm_s_may_be_of_another_interaction(live):
    sender = live.make(live.probe.create_publisher, DiagnosticArray, "/diagnostics", 10)
    live.wait(lambda: sender.get_subscription_count() >= 1)

    def tell(name):
        status = DiagnosticStatus(level=DiagnosticStatus.ERROR, name=name, message=f"{name} is in trouble")
        sender.publish(DiagnosticArray(status=[status]))

    def trouble():
        tell("arm")
        live.wait(lambda: "arm" in live["inspector"].watch._troubles)
        tell("perceiver")

    verdict = interrupted(live, State.INTERACTING, trouble, NOTICE_S)
    assert verdict.reason == "perceiver is in trouble"


def test_another_stack_in_the_domain_is_told(live):
    sender = live.make(live.probe.create_publisher, Clock, "/clock", 10)
    live.wait(lambda: live["inspector"].count_publishers("/clock") == 2)
    verdict = live.inspect(category=CATEGORY)
    live.make(live.probe.destroy_publisher, sender)
    live.wait(lambda: live["inspector"].count_publishers("/clock") == 1)
    assert verdict.verdict == Verdict.INCONCLUSIVE
    assert f"another stack runs in ROS domain {os.environ['ROS_DOMAIN_ID']}" in verdict.reason and "/clock" in verdict.reason


def test_the_lights_of_a_category_that_is_perceived_are_set_and_noted_as_measured(live, monkeypatch):
    category = load_category(CATEGORY)
    wanted = category.model_copy(update={"lights": {"left": 0.7, "right": 0.75}})
    monkeypatch.setattr(commands, "load_category", lambda name: wanted)
    verdict = live.inspect()
    assert verdict.verdict != Verdict.INCONCLUSIVE, verdict.reason
    assert live.rig_does(live["mujoco_rig"].rig.light_state) == pytest.approx(wanted.lights)
    assert Manifest.read(live.folder(verdict) / "manifest.json").lights == pytest.approx(wanted.lights)


@contextmanager
def files_of_at_most(size):
    """What a full disk does to files that grow: writing fails from a size on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


GATES = {
    State.CLEARING: "clear", State.LIGHTING: "set_lights", State.PERCEIVING: "perceive", State.PLANNING: "interact",
    State.JUDGING: "judge",
}


async def silent(*_):
    """An answer that does not come."""
    await commands.until(lambda: False, 3.0)


@pytest.mark.parametrize("state", [*GATES, State.INTERACTING, State.RETREATING], ids=lambda s: s.value)
def test_a_cancellation_in_each_state(live, state, monkeypatch):
    if state in GATES:
        monkeypatch.setattr(commands.Commands, GATES[state], silent)
    handle = live.begin(category=CATEGORY, seed=1)
    live.wait(lambda: live.state() is state, 20.0, state)
    told = len(live.verdicts)
    began = time.monotonic()
    handle.cancel_goal_async()
    if state is not State.RETREATING:  # there the verdict has been told
        live.wait(lambda: len(live.verdicts) > told, 5.0)
        assert time.monotonic() - began < NOTICE_S
    verdict = live.result(handle.get_result_async(), 40.0).result.verdict
    if state is State.RETREATING:
        assert verdict.verdict != Verdict.INCONCLUSIVE
    else:
        assert (verdict.verdict, "canceled" in verdict.reason) == (Verdict.INCONCLUSIVE, True)


@pytest.mark.parametrize("state", GATES, ids=lambda s: s.value)
def test_an_answer_that_does_not_come(live, state, monkeypatch):
    monkeypatch.setitem(commands.course.DEADLINES_S, state, 0.5)
    monkeypatch.setattr(commands.Commands, GATES[state], silent)
    verdict = interrupted(live, state, lambda: None, 0.5 + NOTICE_S)
    assert "did not" in verdict.reason or "not recorded and scored in time" in verdict.reason


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_ctrl_c_of_the_program(tmp_path, another_domain, number):
    command = [sys.executable, "-m", "physad_ros.cli", "inspect", "--category", CATEGORY, "--seed", "1", "--height", "144",
               "--out", str(tmp_path)]
    env = {**os.environ, "ROS_DOMAIN_ID": another_domain}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if line.startswith("interacting: press"):
            break
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait(30) == 4, rest
    assert "canceled" in rest


def test_a_request_that_is_interrupted_cancels_its_inspection(live):
    """As somebody who asks a launched stack and then presses Ctrl-C."""
    request = Process("request", f"category:={CATEGORY}", f"out:={live.out}")
    live.wait(lambda: live.state() is State.INTERACTING, 60.0)
    told = len(live.verdicts)
    request.process.send_signal(signal.SIGINT)
    assert request.process.wait(20) == 130
    live.wait(lambda: len(live.verdicts) > told, 5.0)
    assert "canceled" in live.verdicts[-1].reason
    live.wait(lambda: live["inspector"]._course is None, 40.0)
