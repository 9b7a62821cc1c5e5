"""One stack a ROS domain and namespace: who holds which, and what the next one is told."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from physad_ros.core.errors import WrongUse
from physad_ros.nodes import domain


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A machine on which no stack runs."""
    monkeypatch.setattr(domain.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(domain, "look", lambda *_: [])
    monkeypatch.delenv(domain.VARIABLE, raising=False)
    return tmp_path


def test_stacks_that_compose_themselves_have_domains_of_their_own():
    with domain.held() as one, domain.held() as two, domain.held("/cell") as three:
        assert len({one, two, three}) == 3 and {one, two, three} <= set(domain.DOMAINS)
        assert {s.domain for s in domain.running_stacks()} == {one, two, three}
    assert not domain.running_stacks()
    with domain.held() as again:
        assert again == one


def test_a_domain_that_is_given_is_taken_and_nobody_else_gets_it(monkeypatch):
    monkeypatch.setenv(domain.VARIABLE, "7")
    with domain.held() as number:
        assert number == 7
        with pytest.raises(WrongUse, match=r"another physad stack already runs in ROS domain 7 \(process \d+\); set ROS_DOMAIN_ID"), domain.held():
            pass
        with domain.held("/cell") as beside:
            assert beside == 7
    with domain.held() as number:
        assert number == 7


def test_a_domain_of_one_s_own_is_none_in_which_a_namespaced_stack_runs(monkeypatch):
    monkeypatch.setenv(domain.VARIABLE, str(domain.DOMAINS[0]))
    with domain.held("/cell"):
        monkeypatch.delenv(domain.VARIABLE)
        with domain.held() as number:
            assert number != domain.DOMAINS[0]


def test_who_joins_drivers_or_is_launched_runs_where_ros_does_by_default():
    with domain.held(drivers=True) as number:
        assert number == 0
    with domain.held(own=False) as number:
        assert number == 0


def test_a_stack_on_another_machine_is_found_on_the_network(monkeypatch):
    looked = []
    monkeypatch.setattr(domain, "look", lambda number, namespace, topics: looked.append(list(topics)) or ["/clock"])
    monkeypatch.setenv(domain.VARIABLE, "7")
    with pytest.raises(WrongUse, match="it publishes /clock"), domain.held():
        pass
    with pytest.raises(WrongUse), domain.held(drivers=True):
        pass
    assert "clock" in looked[0] and "clock" not in looked[1]  # which Gazebo publishes before we come


def test_the_lock_of_a_process_that_was_killed_is_free(machine, monkeypatch):
    monkeypatch.setenv(domain.VARIABLE, "7")
    code = ("import sys, time, tempfile; tempfile.tempdir = sys.argv[1]\n"
            "from physad_ros.nodes import domain; domain.look = lambda *_: []\n"
            "with domain.held():\n    print('held', flush=True); time.sleep(60)")
    other = subprocess.Popen([sys.executable, "-c", code, str(machine)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        assert [s.pid for s in domain.running_stacks()] == [other.pid]
        with pytest.raises(WrongUse, match=f"process {other.pid}"), domain.held():
            pass
    finally:
        other.kill()
        other.communicate()
    with domain.held() as number:
        assert number == 7


def test_who_only_looks_which_stacks_run_takes_no_domain_from_anybody(machine, monkeypatch):
    monkeypatch.setenv(domain.VARIABLE, "7")
    with domain.held():
        pass
    (file,) = machine.glob("*.lock")
    looking = file.open()
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(domain.time, "sleep", lambda duration_s: looking.close() if duration_s else None)
    with domain.held() as number:
        assert number == 7


def test_a_lock_file_that_another_user_keeps_to_himself_is_his(machine, monkeypatch):
    with domain.held() as his:
        pass
    real = Path.open

    def refused(path, *words):
        if path.name == f"{domain.PREFIX}{his}.lock":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *words)

    monkeypatch.setattr(Path, "open", refused)
    with domain.held() as ours:
        assert ours != his
    monkeypatch.setenv(domain.VARIABLE, str(his))
    with pytest.raises(WrongUse, match=f"already runs in ROS domain {his}"), domain.held():
        pass


@pytest.mark.parametrize("text", ["x", "-1", "102", "233", "1.5"])
def test_a_domain_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv(domain.VARIABLE, text)
    with pytest.raises(WrongUse, match="0 to 101"), domain.held():
        pass
