"""The command line: wrong use is told in a line that names the right one, with status 2; a fault of the program with 1."""

import pytest
from typer.testing import CliRunner

from physad_ros import cli

WRONG = {
    "a rig that is none": (["inspect", "--rig", "lego"], "mujoco, gazebo, ur5"),
    "a category that is none": (["inspect", "--category", "unicorn"], "fan"),
    "a defect of another category": (["inspect", "--category", "fan", "--defect", "jam"], "vibrate"),
    "a defect of nothing": (["inspect", "--defect", "jam"], "category"),
    "trust in no category": (["inspect", "--trust-category"], "name the category"),
    "a detector that is none": (["inspect", "--detector", "oracle"], "rules"),
    "too small a picture": (["inspect", "--height", "5"], "64"),
    "a severity beyond one": (["inspect", "--severity", "3"], "from -1 to 1"),
    "footage without a file": (["inspect", "--source", "file", "--category", "clip"], "the video to play"),
    "footage that is not there": (["inspect", "--source", "file", "--file", "no.mp4", "--category", "clip"], "no video no.mp4"),
    "an option that is none": (["inspect", "--colour", "red"], "colour"),
    "a detector that is not trained there": (["inspect", "--detector", "intensity", "--models", "nowhere"], "--models FOLDER"),
    "a benchmark's method that is none": (["bench", "data", "--method", "oracle"], "rules"),
    "a benchmark's preset that is none": (["bench", "data", "--preset", "huge"], "quick"),
    "a benchmark's protocol that is none": (["bench", "data", "--protocol", "kind"], "corrected"),
    "more shots than the setting has": (["bench", "data", "--shots", "9"], "2 to 4"),
    "fewer shots than the setting has": (["bench", "data", "--shots", "1"], "2 to 4"),
    "a domain that is none": (["topics", "--domain", "233"], "0 to 232"),
    "a campaign's detector that is none": (["record", "campaign", "--detector", "oracle"], "rules"),
}


def run(words, monkeypatch, capsys):
    """Exit status and output of `physad words…`, run in this process."""
    monkeypatch.setattr("sys.argv", ["physad", *words])
    monkeypatch.setattr(cli.console, "_width", 200)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr()
    return ended.value.code, " ".join((out.out + out.err).split())  # as if no line were broken


@pytest.mark.parametrize(("words", "named"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_status_2_and_names_what_is_right(words, named, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, said = run(words, monkeypatch, capsys)
    assert (status, named in said) == (2, True), said
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_read_is_a_fault(monkeypatch, capsys, tmp_path):
    status, said = run(["evaluate", str(tmp_path)], monkeypatch, capsys)
    assert (status, "physad record" in said) == (1, True)


def test_the_versions_are_told(monkeypatch, capsys):
    import mujoco

    status, said = run(["--version"], monkeypatch, capsys)
    assert status == 0 and said.startswith("physad ") and f"MuJoCo {mujoco.__version__}" in said and "Python 3." in said


@pytest.mark.parametrize("command", [
    "inspect", "record", "collect", "fit", "fit-perception", "courses", "evaluate", "recover", "bench", "methods", "bench-camera",
    "topics", "nodes", "echo",
])
def test_every_command_explains_itself(command):
    told = CliRunner().invoke(cli.app, [command, "--help"])
    assert told.exit_code == 0 and len(told.output) > 200
