"""Footage of a normal specimen, of which nobody has noted the phases, is judged as the clip itself is."""

from pathlib import Path

import pytest

from physad_ros.bench.collect import Task, make
from physad_ros.core.catalogue import load_category
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.dataset.tree import WHOLE, load_clip, scan
from physad_ros.detectors.rules import Rules
from physad_ros.rules.bank import FILE
from physad_ros.sim.twin import twins

SEED = 31
JUDGED = [name for name in sorted(twins) if (load_category(name).folder / FILE).exists()]


@pytest.mark.parametrize("name", JUDGED)
def test_a_normal_specimen_is_normal_as_footage_too(name: str, tmp_path: Path) -> None:
    detector = Rules.load(load_category(name).folder)
    assert make(tmp_path, Task(name, "train", NORMAL_LABEL, SEED), detector.height) == ""
    (ref,) = scan(tmp_path)
    told = detector.score(load_clip(ref, detector.height))
    ref.path.with_suffix(".json").unlink()
    footage = load_clip(ref, detector.height)
    assert [p.name for p in footage.timetable.phases] == [WHOLE]
    found = detector.score(footage)
    assert found.value == pytest.approx(told.value, abs=0.3)  # phases a frame early or late cost little
    assert found.value <= detector.threshold, found.findings
