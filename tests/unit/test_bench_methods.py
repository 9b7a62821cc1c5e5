"""What `physad methods` tells, and how trained models are found by name."""

import json

import pytest
from bench_fakes import Brightness, Missing
from rich.console import Console

from physad_ros.bench.jobs import job_folder
from physad_ros.bench.methods import entries, methods
from physad_ros.bench.trained import trained_models
from physad_ros.bringup import StackArguments, stack, with_models
from physad_ros.core.errors import WrongUse
from physad_ros.detectors.base import Setting, detectors


@pytest.fixture
def fakes(monkeypatch):
    _ = len(detectors)
    monkeypatch.setitem(detectors._members, "brightness", Brightness)
    monkeypatch.setitem(detectors._members, "missing", Missing)


def test_every_detector_is_listed_by_setting(capsys):
    found = entries()
    assert {e.name for e in found} == set(detectors)
    order = [s.value for s in Setting]
    assert [e.setting for e in found] == sorted((e.setting for e in found), key=order.index)
    methods(Console(width=200), as_json=True)
    assert [e["name"] for e in json.loads(capsys.readouterr().out)] == [e.name for e in found]
    assert all(e.title and e.source and e.input and e.ran for e in found)


def test_what_cannot_be_used_here_says_why(fakes, capsys):
    missing = next(e for e in entries() if e.name == "missing")
    assert missing.unavailable == "its checkpoint is not here" and missing.parameters is None
    methods(Console(width=300))
    assert "not here: its checkpoint" in " ".join(capsys.readouterr().out.split())


def trained(folder):
    folder.mkdir(parents=True)
    made = Brightness()
    made.mean = 1.0
    made.save(folder)


def test_trained_models_are_found_where_fit_and_bench_leave_them(fakes, tmp_path):
    trained(tmp_path / "fit" / "clip")
    for seed in (10, 2):
        trained(job_folder(tmp_path / "run", "brightness", seed, "clip"))
    assert trained_models(str(tmp_path / "fit"), "brightness", "clip") == str(tmp_path / "fit")
    assert trained_models(str(tmp_path / "run"), "brightness", "") == str(tmp_path / "run" / "jobs" / "brightness" / "seed_2")
    assert trained_models("", "intensity", "clip") == ""


def test_what_is_not_trained_is_refused_with_the_way_to_train_it(fakes, tmp_path):
    trained(tmp_path / "clip")
    for folder, category in (("", "clip"), (str(tmp_path), "fan"), (str(tmp_path / "nowhere"), "")):
        with pytest.raises(WrongUse, match="physad bench DATA --method brightness"):
            trained_models(folder, "brightness", category)


def test_the_folder_reaches_the_node(fakes, tmp_path):
    trained(job_folder(tmp_path, "brightness", 0, "clip"))
    arguments = with_models(StackArguments(category="clip", detector="brightness", models=str(tmp_path)))
    node = next(n for n in stack(arguments) if n.name == "detector")
    assert node.parameters["folder"] == str(tmp_path / "jobs" / "brightness" / "seed_0") and node.parameters["detector"] == "brightness"
    assert next(n for n in stack(StackArguments()) if n.name == "detector").parameters["folder"] == ""
