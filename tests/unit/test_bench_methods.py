"""What `physad methods` tells, and how trained models are found by name."""

import json

import pytest
from bench_fakes import Brightness, Missing
from rich.console import Console

from physad_ros.bench.fit import fit
from physad_ros.bench.jobs import job_folder
from physad_ros.bench.methods import entries, few_words, methods
from physad_ros.bench.trained import trained_models
from physad_ros.bringup import StackArguments, ready, stack
from physad_ros.core.errors import UnknownName, WrongUse
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
    methods(Console(), as_json=True)
    assert [e["name"] for e in json.loads(capsys.readouterr().out)] == [e.name for e in found]
    assert all(e.title and e.source and e.input and e.ran for e in found)


def test_what_cannot_be_used_here_says_why(fakes):
    missing = next(e for e in entries() if e.name == "missing")
    assert missing.unavailable == "its checkpoint is not here" and missing.parameters is None


def lines(capsys, width, *arguments):
    methods(Console(width=width), *arguments)
    return capsys.readouterr().out.splitlines()


def test_the_list_fits_the_terminal_and_takes_few_lines(fakes, capsys):
    for width, most in ((200, 2), (100, 2), (80, 1)):
        told = lines(capsys, width)
        assert max(map(len, told)) <= width and len(told) <= most * len(detectors) + 2
        assert [name for name in detectors if not any(line.startswith(f"{name} ") for line in told)] == []
        assert any(line.startswith("missing ") and "no checkpoint" in line for line in told)
    assert any("16 grey frames" in line for line in lines(capsys, 100)) and not any("grey" in line for line in lines(capsys, 80))


@pytest.mark.parametrize(("reason", "words"), [
    ("", "yes"), ("its checkpoint is not here", "no checkpoint"),
    ("ai_vad needs anomalib and requests: pip install 'anomalib[video]'", "no library"),
    ("i3d needs torch, which is not installed", "no library"), ("openai must be installed", "no library"),
    ("set PHYSAD_CLIP_CHECKPOINT to a folder with a CLIP", "no checkpoint"),
    ("set PHYSAD_LAVAD_CHECKPOINT to a folder; no chat server is named", "no checkpoint, no chat server"),
    ("the moon stands in the wrong house for this detector", "no"),
])
def test_what_is_missing_is_told_in_few_words(reason, words):
    assert few_words(reason) == words


def test_a_card_tells_everything_of_one(fakes, capsys):
    told = " ".join(" ".join(lines(capsys, 100, "missing")).split())
    assert "runs here no: its checkpoint is not here" in told and "setting unsupervised" in told
    known = next(e for e in entries() if e.name == "memae")
    told = " ".join(" ".join(lines(capsys, 80, "memae")).split())
    for word in (known.title, known.source, f"{known.parameters:,}", known.ran, *known.presets["paper"], *known.presets["quick"]):
        assert word in told
    with pytest.raises(UnknownName, match="memae"):
        methods(Console(), "memory")


def test_json_has_all_of_all_and_no_secret(capsys):
    methods(Console(), as_json=True)
    told = {e["name"]: e for e in json.loads(capsys.readouterr().out)}
    assert set(told["memae"]["presets"]) == {"paper", "quick"} and told["memae"]["presets"]["paper"] != told["memae"]["presets"]["quick"]
    assert told["chat"]["presets"]["paper"] and "key" not in told["chat"]["presets"]["paper"]
    methods(Console(), "chat", as_json=True)
    assert json.loads(capsys.readouterr().out) == told["chat"]


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


def test_what_cannot_be_used_here_says_what_to_install(fakes, monkeypatch):
    monkeypatch.setattr(Brightness, "libraries", ("a_module_that_nobody_has",))
    with pytest.raises(WrongUse, match="a_module_that_nobody_has must be installed: `make bench`"):
        trained_models("", "brightness", "clip")


def test_fit_is_for_what_learns_from_normal_clips_alone(toy_tree, tmp_path):
    with pytest.raises(WrongUse, match="physad bench --method sultani"):
        fit(toy_tree, ["bold"], "sultani", tmp_path)
    with pytest.raises(WrongUse, match="PHYSAD_I3D_CHECKPOINT"):
        fit(toy_tree, ["bold"], "ocsvm", tmp_path, preset="paper")


def test_what_is_not_trained_is_refused_with_the_way_to_train_it(fakes, tmp_path):
    trained(tmp_path / "clip")
    for folder, category in (("", "clip"), (str(tmp_path), "fan"), (str(tmp_path / "nowhere"), "")):
        with pytest.raises(WrongUse, match="physad bench DATA --method brightness"):
            trained_models(folder, "brightness", category)


def test_the_folder_reaches_the_node(fakes, tmp_path):
    trained(job_folder(tmp_path, "brightness", 0, "clip"))
    arguments = ready(StackArguments(category="clip", detector="brightness", models=str(tmp_path)))
    node = next(n for n in stack(arguments) if n.name == "detector")
    assert node.parameters["folder"] == str(tmp_path / "jobs" / "brightness" / "seed_0") and node.parameters["detector"] == "brightness"
    assert next(n for n in stack(StackArguments()) if n.name == "detector").parameters["folder"] == ""
