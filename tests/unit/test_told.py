"""What people are told: reasons, numbers and names in words; files that are nearly right are refused with the line or name at fault."""

import errno
import math
import os
import shutil

import numpy as np
import pydantic
import pytest
import yaml

from physad_ros.core.catalogue import load_category
from physad_ros.core.errors import BadData, Exit, Impossible, PhysadError, UnknownName, WrongUse, why
from physad_ros.core.places import writable_file, writable_folder
from physad_ros.core.words import count, listed, number
from physad_ros.core.yamls import read_yaml
from physad_ros.dataset.tree import scan
from physad_ros.dataset.video import write_video
from physad_ros.rules.bank import Bank, Rule
from physad_ros.rules.reason import tell
from physad_ros.sim import gl


class Model(pydantic.BaseModel):
    """With something to be wrong about."""

    model_config = pydantic.ConfigDict(extra="forbid")

    size: int
    parts: list[int] = []


def of_pydantic(data):
    with pytest.raises(pydantic.ValidationError) as raised:
        Model.model_validate(data)
    return raised.value


def of_yaml(text, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(yaml.YAMLError) as raised:
        read_yaml(tmp_path / "a.yaml")
    return raised.value


@pytest.mark.parametrize(("error", "told"), [
    (OSError(errno.ENOENT, "No such file or directory", "x"), "no such file or directory"),
    (KeyError("phases"), "it has no 'phases'"),
    (ValueError("two\n  lines"), "two lines"),
    (ValueError(), "ValueError"),
    (UnknownName("thing", "x", ["y"]), "no thing 'x'; known: y"),
])
def test_a_reason_is_one_line_in_words(error, told):
    assert why(error) == told


def test_of_a_file_s_fields_the_reason_names_those_at_fault():
    assert why(of_pydantic({"size": "big"})).startswith("size: Input should be a valid integer")
    assert why(of_pydantic({"size": 1, "colour": 2})) == "colour: there is no such field"
    many = why(of_pydantic({"size": 1, "parts": ["x"] * 9}))
    assert many.count("parts.") == 3 and many.endswith("and 6 more like that")


@pytest.mark.parametrize(("text", "told"), [
    ("a: 1\nb: 2\na: 3\n", "line 3: 'a' is there already, on line 1"),
    ("a:\n- {x: 1, x: 2}\n", "line 2: 'x' is there already, on line 2"),
    ("a: [1\n", "line 2"),
    ("? [1]\n: 2\n", "line 1"),
])
def test_of_yaml_the_reason_names_the_line(text, told, tmp_path):
    assert why(of_yaml(text, tmp_path)).startswith(told)


def test_yaml_without_doubles_reads_as_ever(tmp_path):
    text = "base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n"
    (tmp_path / "a.yaml").write_text(text)
    assert read_yaml(tmp_path / "a.yaml") == yaml.safe_load(text)


@pytest.mark.parametrize(("error", "status"), [
    (PhysadError("x"), 1), (BadData("x"), 2), (WrongUse("x"), 2), (UnknownName("a", "b", "c"), 2), (Impossible("x"), 2),
])
def test_a_status_says_whose_fault_it_was(error, status):
    assert error.status == status and isinstance(error.status, Exit)


@pytest.mark.parametrize(("value", "digits", "told"), [
    (2171.6, 3, "2172"), (2.17e6, 3, "2170000"), (12.04, 3, "12"), (12.06, 3, "12.1"), (0.0012345, 2, "0.0012"), (1e-7, 3, "0.0000001"),
    (-5.25, 2, "-5.2"), (0.0, 3, "0"), (-0.0, 3, "0"), (9.999, 2, "10"), (100, 2, "100"), (math.nan, 3, "unknown"), (math.inf, 3, "infinite"),
])
def test_a_number_has_its_digits_and_no_exponent(value, digits, told):
    assert number(value, digits) == told


@pytest.mark.parametrize("value", [s * 10.0**e * m for s in (-1, 1) for e in range(-9, 12) for m in (1, 1.2345, 9.996)])
def test_a_number_reads_back_as_itself_but_for_its_digits(value):
    assert "e" not in number(value) and float(number(value)) == pytest.approx(value, rel=0.006)


def test_singular_and_plural():
    assert [count(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert count(2, "category", "categories") == "2 categories" and listed(["b", "a"]) == "a, b" and listed([]) == "none"


def rule(sentence):
    return Rule(phase="pull", quantity="fallen", statistic="most", low=0.0, high=6.0, unit="mm2", sentence=sentence)


def test_a_finding_tells_areas_without_an_exponent():
    told = tell(rule("loose parts covered up to {value}; normal is at most {high}"), 2171.6)
    assert told == "loose parts covered up to 2172 mm2; normal is at most 6 mm2"


@pytest.mark.parametrize("sentence", ["to {values}", "to {}", "to {0}", "to {value.real}", "to {value:.1f}", "to {value!r}", "{value", "}"])
def test_a_sentence_whose_numbers_are_not_known_is_refused_on_loading(sentence):
    with pytest.raises(pydantic.ValidationError, match=r"\{value\}"):
        rule(sentence)
    assert rule("from {low} to {high}, {{so}}")


def test_a_category_with_a_key_twice_is_refused(monkeypatch, tmp_path):
    text = (load_category("clip").folder / "category.yaml").read_text()
    (tmp_path / "twice").mkdir()
    (tmp_path / "twice" / "category.yaml").write_text(text.replace("name: clip", "name: twice\nname: twice", 1))
    monkeypatch.setenv("PHYSAD_CATEGORY_PATH", str(tmp_path))
    with pytest.raises(BadData, match="'name' is there already"):
        load_category("twice")


def test_the_shipped_banks_are_read():
    for name in ("clip", "fan", "hinge", "slide"):
        assert Bank.read(load_category(name).folder).rules


# -- trees ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def film(tmp_path):
    write_video(tmp_path / "film.mp4", [np.zeros((36, 64, 3), np.uint8)], 60.0)
    return tmp_path / "film.mp4"


def tree(root, film, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(film, root / name)
    return root


def test_a_tree_s_videos_are_read_whatever_their_suffix_and_what_is_none_is_told(film, tmp_path, caplog):
    root = tree(tmp_path / "tree", film, "ball/train/a.MP4", "ball/train/b.avi", "ball/train/c.mp4", "ball/test/leak/d.MOV",
                "ball/test/anomaly_free/e.mkv", "ball/train/.hidden.mp4")
    for name in ("notes.txt", "a.json", "a.npz"):
        (root / "ball" / "train" / name).touch()
    assert [(r.path.name, r.label) for r in scan(root)] == [
        ("a.MP4", "anomaly_free"), ("b.avi", "anomaly_free"), ("c.mp4", "anomaly_free"), ("e.mkv", "anomaly_free"), ("d.MOV", "leak"),
    ]
    assert [r.getMessage().split(" is left out")[0] for r in caplog.records] == [str(root / "ball" / "train" / "notes.txt")]


@pytest.mark.parametrize(("names", "told"), [
    (("ball/test/Anomaly_free/a.mp4",), "nearly named anomaly_free"),
    (("ball/test/anomaly-free/a.mp4",), "nearly named anomaly_free"),
    (("ball/test/leak/a.mp4", "ball/test/Leak/a.mp4"), "nearly named Leak"),
    (("ball/Train/a.mp4",), "nearly named train"),
    (("ball/train/a.mp4", "ball/train/a.avi"), "one clip by their name"),
])
def test_names_that_are_nearly_the_same_are_refused(names, told, film, tmp_path):
    with pytest.raises(BadData, match=told):
        scan(tree(tmp_path / "tree", film, *names))


def test_official_labels_may_be_capital(film, tmp_path):
    root = tree(tmp_path / "tree", film, "button/test/Unpress/a.mp4", "button/test/anomaly_free/a.mp4")
    assert {r.label for r in scan(root)} == {"Unpress", "anomaly_free"}


# -- places ---------------------------------------------------------------------------------------------------------------


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path):
    assert writable_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b" and writable_file(tmp_path / "c.png") == tmp_path / "c.png"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["file/below", "file", "dangling/below", "x" * 300, "/proc/physad/a"])
def test_a_place_that_cannot_be_written_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("gone")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(WrongUse, match=r"^out: "):
        writable_folder(tmp_path / path, "out")
    assert sorted(tmp_path.iterdir()) == before


def test_a_graphics_library_that_is_none_is_told_and_those_that_are_stay(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "vulkan")
    with pytest.raises(WrongUse, match="egl, osmesa"):
        gl.choose()
    for name in ("egl", "OSMesa", "disable"):
        monkeypatch.setenv("MUJOCO_GL", name)
        gl.choose()
        assert os.environ["MUJOCO_GL"] == name
