"""What a person does wrong is told in one line that says what is right, with status 2, before anything moves or is written."""

import json
import re
import shutil

import numpy as np
import pytest

from physad_ros import cli
from physad_ros.core.catalogue import load_category
from physad_ros.dataset.video import write_video

#: what no line for a person has in it
RAW = re.compile(r"Traceback|Errno|\bnan\b|\[(ERROR|WARN)|Warning|Error:|the the|\bNone\b|physad_ros\.|e\+\d|pydantic|click|typer|object at 0x")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder as a newcomer has it: a file, films good and bad, an empty folder, trees, campaigns, models."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("not a video, not a folder")
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(200))
    (tmp_path / "nothing.mp4").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    write_video(tmp_path / "film.mp4", (np.full((36, 64, 3), 40 * i, np.uint8) for i in range(4)), 60.0)
    for clip in ("tree/ball/train/t0", "tree/ball/train/t1", "tree/ball/test/anomaly_free/n0", "tree/ball/test/leak/b0", "normals/ball/train/t0",
                 "tests/ball/test/leak/b0", "case/ball/train/t0", "case/ball/test/Anomaly_free/n", "case/ball/test/anomaly_free/n",
                 "split/ball/Train/t0", "alone/ball/train/t0"):
        (tmp_path / clip).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "film.mp4", tmp_path / f"{clip}.mp4")
    for name, content in (("torn", '{"categories": ['), ("odd", json.dumps({"categories": [], "labels": [], "colour": 1})),
                          ("bare", json.dumps({"categories": ["clip"], "labels": [], "count": 1, "seed": 0, "detector": "rules", "height": 360}))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "campaign.json").write_text(content)
    shipped = (load_category("clip").folder / "rules.yaml").read_text()
    for name, text in (("twice", shipped.replace("threshold:", "threshold: 2.0\nthreshold:", 1)),
                       ("misspelt", shipped.replace("{value}", "{values}")),
                       ("braces", shipped.replace("{value}", "{value", 1)), ("tabs", "version: 1\n\tcategory: clip\n"), ("list", "- 1\n- 2\n"),
                       ("extra", shipped.replace("version: 1", "version: 1\ncolour: red", 1))):
        (tmp_path / name / "clip").mkdir(parents=True)
        (tmp_path / name / "clip" / "rules.yaml").write_text(text)
    for bag in ("shell/bag", "torn_bag/bag"):
        (tmp_path / bag).mkdir(parents=True)
    (tmp_path / "torn_bag" / "bag" / "bag.mcap").write_bytes(b"not mcap")
    return tmp_path


FILM = ("inspect", "--source", "file", "--category", "clip", "--file")
BENCH = ("bench", "tree", "--method", "intensity", "--shots", "0")

WRONG = {
    # the command and its options
    "trust in no category": (("inspect", "--trust-category"), "name the category"),
    "a domain that is none": (("topics", "--domain", "233"), "0 to"),
    "a namespace that is none": (("inspect", "--namespace", "1st"), "digit"),
    "no such command": (("inspekt",), "inspekt"),
    "no such option": (("inspect", "--colour", "red"), "--colour"),
    "an argument too many": (("inspect", "clip"), "clip"),
    "an option without its value": (("inspect", "--category"), "--category"),
    "a word for a number": (("inspect", "--seed", "seven"), "--seed"),
    "a fraction for a whole number": (("record", "new", "--count", "1.5"), "--count"),
    "no folder for a campaign": (("record",), "root"),
    "no tree to fit": (("fit",), "root"),
    "no clip to plot": (("courses", "--category", "clip"), "clips"),
    "no category to plot": (("courses", "film.mp4"), "--category"),
    # inspect
    "inspect: a category that is none": (("inspect", "--category", "unicorn"), "known: clip, fan"),
    "inspect: a category in the wrong case": (("inspect", "--category", "Fan"), "known: clip, fan"),
    "inspect: an empty picture of the category": (("inspect", "--category", "../fan"), "known: clip, fan"),
    "inspect: a defect of another category": (("inspect", "--category", "fan", "--defect", "jam"), "vibrate"),
    "inspect: a defect of nothing": (("inspect", "--defect", "jam"), "name the category"),
    "inspect: an object of nothing": (("inspect", "--object", "fan_1"), "name the category"),
    "inspect: an object that is none": (("inspect", "--category", "fan", "--object", "fan_99"), "fan_1"),
    "inspect: a detector that is none": (("inspect", "--detector", "oracle"), "rules"),
    "inspect: a detector named as a path": (("inspect", "--detector", "../rules"), "known:"),
    "inspect: a rig that is none": (("inspect", "--rig", "lego"), "mujoco, gazebo, ur5"),
    "inspect: a source that is none": (("inspect", "--source", "film"), "rig, device, file"),
    "inspect: a negative seed": (("inspect", "--seed", "-5"), "0"),
    "inspect: minus one as a seed": (("inspect", "--seed", "-1"), "0"),
    "inspect: a seed beyond 63 bits": (("inspect", "--seed", str(2**63)), "--seed"),
    "inspect: a severity beyond one": (("inspect", "--severity", "3"), "from 0 to 1"),
    "inspect: a negative severity": (("inspect", "--severity", "-0.5"), "from 0 to 1"),
    "inspect: a severity that is no number": (("inspect", "--severity", "nan"), "from 0 to 1"),
    "inspect: too small a picture": (("inspect", "--height", "5"), "64"),
    "inspect: too large a picture": (("inspect", "--height", "4320"), "1080"),
    "inspect: out is a file": (("inspect", "--out", "notes.txt"), "it is a file"),
    "inspect: out lies below a file": (("inspect", "--out", "notes.txt/a/b"), "notes.txt is a file"),
    "inspect: out cannot be written": (("inspect", "--out", "/proc/physad"), "/proc/physad"),
    "inspect: out is a link to nothing": (("inspect", "--out", "dangling"), "link"),
    "inspect: out has too long a name": (("inspect", "--out", "x" * 300), "name too long"),
    "inspect: models are not there": (("inspect", "--detector", "intensity", "--models", "nowhere"), "--models FOLDER"),
    "inspect: models are a file": (("inspect", "--models", "notes.txt"), "notes.txt"),
    "inspect: models of nothing": (("inspect", "--category", "clip", "--models", "empty"), "physad fit"),
    "inspect: rules with a key twice": (("inspect", "--category", "clip", "--models", "twice"), "rules.yaml: line 7: 'threshold' is there already"),
    "inspect: rules with a number that is none": (("inspect", "--category", "clip", "--models", "misspelt"), "numbers are {value}, {low} and {high}"),
    "inspect: rules with an open brace": (("inspect", "--category", "clip", "--models", "braces"), "{value}"),
    "inspect: rules with a tab": (("inspect", "--category", "clip", "--models", "tabs"), "rules.yaml: line 2"),
    "inspect: rules that are a list": (("inspect", "--category", "clip", "--models", "list"), "rules.yaml"),
    "inspect: rules with a field too many": (("inspect", "--category", "clip", "--models", "extra"), "colour: there is no such field"),
    "inspect: a camera beside a simulated rig": (("inspect", "--source", "device"), "has its own camera"),
    "inspect: an address of no robot": (("inspect", "--robot-ip", "10.0.0.2"), "ur5"),
    "inspect: a namespace that is none": (("inspect", "--namespace", "1st/cell"), "digit"),
    "inspect: a video for a rig": (("inspect", "--file", "film.mp4"), "source `file`"),
    "inspect: footage without a video": (("inspect", "--source", "file", "--category", "clip"), "the video to play"),
    "inspect: footage of nobody knows what": (("inspect", "--source", "file", "--file", "film.mp4"), "category"),
    "inspect: footage that is not there": ((*FILM, "gone.mp4"), "no such video"),
    "inspect: footage that is a folder": ((*FILM, "empty"), "is a folder"),
    "inspect: footage that is text": ((*FILM, "notes.txt"), "notes.txt: invalid data"),
    "inspect: footage that is broken": ((*FILM, "broken.mp4"), "broken.mp4"),
    "inspect: footage that is empty": ((*FILM, "nothing.mp4"), "nothing.mp4"),
    # record
    "record: into a file": (("record", "notes.txt"), "is a file"),
    "record: below a file": (("record", "notes.txt/tree"), "is a file"),
    "record: nothing": (("record", "new", "--count", "0"), "1"),
    "record: a negative count": (("record", "new", "--count", "-2"), "1"),
    "record: a category that is none": (("record", "new", "--category", "unicorn"), "fan"),
    "record: a label that none has": (("record", "new", "--label", "rust"), "anomaly_free"),
    "record: a label of another category": (("record", "new", "--category", "fan", "--label", "jam"), "vibrate"),
    "record: a detector that is none": (("record", "new", "--detector", "oracle"), "rules"),
    "record: a detector that is not trained for one": (("record", "new", "--models", "misspelt"), "clip"),
    "record: a negative seed": (("record", "new", "--seed", "-5"), "0"),
    # collect
    "collect: into a file": (("collect", "notes.txt", "--normal", "1"), "is a file"),
    "collect: nothing": (("collect", "new", "--normal", "0"), "no clip is asked for"),
    "collect: fewer than nothing": (("collect", "new", "--normal", "-1"), "0"),
    "collect: a category that is none": (("collect", "new", "--category", "unicorn"), "fan"),
    "collect: too small a picture": (("collect", "new", "--height", "2"), "64"),
    "collect: no process": (("collect", "new", "--jobs", "0"), "-1"),
    "collect: a negative seed": (("collect", "new", "--seed", "-5"), "0"),
    # fit
    "fit: a tree that is not there": (("fit", "gone"), "gone: there is no such folder"),
    "fit: a tree that is a file": (("fit", "notes.txt"), "is a file"),
    "fit: an empty tree": (("fit", "empty"), "no clips"),
    "fit: a tree without training": (("fit", "tests"), "train"),
    "fit: a category that is not in it": (("fit", "tree", "--category", "fan"), "ball"),
    "fit: a detector that is none": (("fit", "tree", "--detector", "oracle"), "rules"),
    "fit: a preset that is none": (("fit", "tree", "--preset", "huge"), "quick"),
    "fit: a rate of one": (("fit", "tree", "--false-alarm-rate", "1"), "between 0 and 1"),
    "fit: a rate that is no number": (("fit", "tree", "--false-alarm-rate", "nan"), "between 0 and 1"),
    "fit: out is a file": (("fit", "tree", "--out", "notes.txt"), "is a file"),
    "fit: too few for the rate": (("fit", "tree", "--out", "new"), "at least 19 are needed"),
    "fit: a weakly supervised detector": (("fit", "tree", "--detector", "sultani"), "physad bench --method sultani"),
    "fit: a category that nobody knows": (("fit", "tree"), "no category 'ball'"),
    "fit: folders nearly of one name": (("fit", "case"), "Anomaly_free"),
    "fit: a folder nearly named train": (("fit", "split"), "nearly named train"),
    "fit-perception: too few": (("fit-perception", "--count", "0"), "10"),
    # courses
    "courses: a clip that is not there": (("courses", "gone.mp4", "--category", "clip"), "gone.mp4"),
    "courses: a clip that is a folder": (("courses", "empty", "--category", "clip"), "is a folder"),
    "courses: a clip that is broken": (("courses", "broken.mp4", "--category", "clip"), "broken.mp4"),
    "courses: a category that is none": (("courses", "film.mp4", "--category", "unicorn"), "fan"),
    "courses: into a folder": (("courses", "film.mp4", "--category", "clip", "--out", "empty"), "is a folder"),
    "courses: into a folder that is not there": (("courses", "film.mp4", "--category", "clip", "--out", "gone/a.png"), "gone"),
    "courses: as no kind of picture": (("courses", "film.mp4", "--category", "clip", "--out", "a.doc"), "png"),
    # bench
    "bench: a tree that is not there": (("bench", "gone"), "there is no such folder"),
    "bench: a tree that is a file": (("bench", "notes.txt"), "is a file"),
    "bench: an empty tree": (("bench", "empty", "--method", "intensity"), "no clips"),
    "bench: a category that is not in it": ((*BENCH, "--category", "fan"), "ball"),
    "bench: a method that is none": (("bench", "tree", "--method", "oracle"), "rules"),
    "bench: a preset that is none": ((*BENCH, "--preset", "huge"), "quick"),
    "bench: a protocol that is none": ((*BENCH, "--protocol", "kind"), "corrected"),
    "bench: a back end that is none": ((*BENCH, "--backend", "cloud"), "local"),
    "bench: no seed": ((*BENCH, "--seeds", "0"), "1"),
    "bench: too many shots": (("bench", "tree", "--shots", "9"), "2 to 4"),
    "bench: a single shot": (("bench", "tree", "--shots", "1"), "2 to 4"),
    "bench: negative shots": (("bench", "tree", "--shots", "-1"), "2 to 4"),
    "bench: all held out": ((*BENCH, "--held-out", "1"), "between 0 and 1"),
    "bench: a rate of nothing": ((*BENCH, "--false-alarm-rate", "0"), "between 0 and 1"),
    "bench: no process": ((*BENCH, "--jobs", "0"), "-1"),
    "bench: out is a file": ((*BENCH, "--out", "notes.txt"), "is a file"),
    "bench: folders nearly of one name": (("bench", "case", "--method", "intensity", "--shots", "0"), "Anomaly_free"),
    "bench: one training clip": (("bench", "alone", "--method", "intensity", "--shots", "0"), "at least 2"),
    # the rest
    "methods: a detector that is none": (("methods", "oracle"), "rules"),
    "evaluate: a folder that is not there": (("evaluate", "gone"), "there is no such folder"),
    "evaluate: a file": (("evaluate", "notes.txt"), "is a file"),
    "evaluate: no campaign": (("evaluate", "empty"), "physad record"),
    "evaluate: a torn campaign": (("evaluate", "torn"), "campaign.json"),
    "evaluate: another program's campaign": (("evaluate", "odd"), "campaign.json"),
    "evaluate: a campaign of which nothing was done": (("evaluate", "bare"), "nothing of this campaign is recorded"),
    "recover: a folder that is not there": (("recover", "gone"), "there is no such folder"),
    "recover: a file": (("recover", "notes.txt"), "is a file"),
    "recover: no bag": (("recover", "empty"), "no bag"),
    "recover: a bag of nothing": (("recover", "shell"), "MCAP"),
    "recover: what is no bag": (("recover", "torn_bag"), "not one whole message"),
    "bench-camera: no frame": (("bench-camera", "--frames", "0"), "2"),
    "bench-camera: a video that is not there": (("bench-camera", "--file", "gone.mp4"), "no such video"),
    "bench-camera: a video that is broken": (("bench-camera", "--file", "broken.mp4"), "broken.mp4"),
}


def run(words, monkeypatch, capfd):
    """Exit status, standard output and errors of `physad words…`, run in this process."""
    monkeypatch.setattr("sys.argv", ["physad", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capfd.readouterr()
    return ended.value.code, told.out, told.err


def contents(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if not p.is_symlink() and p.is_file()}


@pytest.mark.parametrize(("words", "named"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_one_line_with_status_2_and_leaves_nothing(words, named, place, monkeypatch, capfd):
    before = contents(place)
    status, out, told = run(words, monkeypatch, capfd)
    assert status == 2, out + told
    assert told.startswith("physad: ") and told.count("\n") == 1 and told.endswith("\n"), told
    assert named in told and not RAW.search(told), told
    assert not out.strip() and contents(place) == before


def test_what_a_tree_has_beside_its_videos_is_told_once(place, monkeypatch, capfd):
    for name in ("tree/ball/train/list.txt", "tree/ball/train/t2.gif"):
        (place / name).touch()
    status, _, told = run(("bench", "tree", "--method", "intensity", "--shots", "0", "--seeds", "1", "--out", "new", "--backend", "local",
                           "--category", "fan"), monkeypatch, capfd)
    assert status == 2 and "warning: " in told and told.count("list.txt is left out") == told.count("t2.gif is left out") == 1, told


def test_a_campaign_that_is_another_is_told_by_what_differs(place, monkeypatch, capfd):
    status, _, told = run(("record", "bare", "--category", "clip", "--count", "2"), monkeypatch, capfd)
    assert status == 2 and "another campaign (count 1, not 2)" in told and "Campaign(" not in told, told


@pytest.mark.parametrize("fault", [ZeroDivisionError("division by zero"), KeyError("values"), RuntimeError()])
def test_a_fault_of_the_program_is_one_line_with_status_1_and_keeps_its_traceback(fault, place, monkeypatch, capfd):
    monkeypatch.setenv("ROS_LOG_DIR", str(place / "logs"))

    def fail(*_):
        raise fault

    monkeypatch.setattr("physad_ros.bench.methods.methods", fail)
    status, _, told = run(("methods",), monkeypatch, capfd)
    (kept,) = (place / "logs").glob("physad-fault-*.txt")
    assert status == 1 and told.count("\n") == 1 and "fault of the program" in told and str(kept) in told, told
    assert "Traceback" in kept.read_text() and type(fault).__name__ in kept.read_text()
    assert "Traceback" not in told


def test_the_traceback_is_shown_where_somebody_asks_for_it(place, monkeypatch, capfd):
    monkeypatch.setenv("PHYSAD_TRACEBACK", "1")
    status, _, told = run(("inspect", "--category", "unicorn"), monkeypatch, capfd)
    assert status == 2 and "Traceback" in told and told.rstrip().splitlines()[-1].startswith("physad: no category")


def test_an_interruption_is_no_fault(place, monkeypatch, capfd):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("physad_ros.bench.methods.methods", interrupted)
    status, _, told = run(("methods",), monkeypatch, capfd)
    assert status == 130 and "Traceback" not in told


def test_what_the_disk_refuses_is_told_with_the_file(place, monkeypatch, capfd):
    def refused(*_):
        open("/proc/physad", "w").close()

    monkeypatch.setattr("physad_ros.bench.methods.methods", refused)
    status, _, told = run(("methods",), monkeypatch, capfd)
    assert status == 2 and told.startswith("physad: /proc/physad: ") and "Errno" not in told, told


def test_a_benchmark_without_one_result_says_so(place, monkeypatch, capfd):
    for clip in (place / "tree" / "ball" / "train").iterdir():
        clip.write_bytes(b"no video")
    status, _, told = run(("bench", "tree", "--method", "intensity", "--shots", "0", "--seeds", "1", "--out", "new"), monkeypatch, capfd)
    assert status == 2 and "not one job has a result; intensity on ball, seed 0: " in told and "invalid data" in told, told
    assert not RAW.search(told)


def test_a_folder_of_categories_that_is_not_there_is_told(place, monkeypatch, capfd):
    monkeypatch.setenv("PHYSAD_CATEGORY_PATH", str(place / "gone"))
    status, _, told = run(("categories",), monkeypatch, capfd)
    assert status == 2 and told.startswith("physad: PHYSAD_CATEGORY_PATH: "), told


@pytest.mark.parametrize(("before", "after", "named"), [
    ("interaction: press", "interaction: squeeze", "no interaction 'squeeze'; known: drive"),
    ("    hold_s: 0.4", "    hold_s: long", "recipe press: hold_s: "),
    ("    hold_s: 0.4", "    hold_s: 0.9", "change the recipe's durations"),
    ("    hold_s: 0.4", "    hold_s: 0.4\n    colour: red", "no parameter 'colour'"),
    ("    hold_s: 0.4", "    hold_s: 0.4\n    hold_s: 0.4", "'hold_s' is there already"),
    ("point_m: [-0.023, 0.0, 0.035]", "point_m: [-2.0, 0.0, 0.035]", "reach"),
    ("frames: 120", "frames: many", "frames: Input should be a valid integer"),
    ("frames: 120", "frame: 120", "frame: there is no such field"),
    ("title: Clip", "title: [Clip", "line "),
])
@pytest.mark.parametrize("command", [("inspect",), ("record", "new"), ("collect", "new")], ids=lambda words: words[0])
def test_a_category_that_cannot_be_played_is_refused_before_anything_starts(command, before, after, named, place, monkeypatch, capfd):
    text = (load_category("clip").folder / "category.yaml").read_text()
    assert before in text
    shutil.copytree(load_category("clip").folder, place / "mine" / "clip")
    (place / "mine" / "clip" / "category.yaml").write_text(text.replace(before, after, 1))
    monkeypatch.setenv("PHYSAD_CATEGORY_PATH", str(place / "mine"))
    held = contents(place)
    status, _, told = run((*command, "--category", "clip"), monkeypatch, capfd)
    assert status == 2 and named in told and told.count("\n") == 1 and not RAW.search(told), told
    assert contents(place) == held
