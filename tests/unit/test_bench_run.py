"""Jobs: who learns from what, what is left on disk, what is done again, what a fault costs."""

import dataclasses
import resource
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from bench_fakes import Blind, Brightness, Broken, Missing, Weak
from joblib import register_parallel_backend
from joblib._parallel_backends import ThreadingBackend
from rich.console import Console

from physad_ros.bench.benchmark import benchmark
from physad_ros.bench.digest import sources
from physad_ros.bench.job import Facts, execute
from physad_ros.bench.jobs import Run, plan
from physad_ros.bench.protocol import Protocol, Split
from physad_ros.bench.results import outcome
from physad_ros.bench.run import carry_out, done, in_own_process
from physad_ros.bench.table import tabulate
from physad_ros.core.errors import BadData, UnknownName, WrongUse
from physad_ros.detectors.base import detectors


@pytest.fixture
def fakes(monkeypatch):
    """Detectors under the names of published ones, for which the legacy protocol is defined."""
    _ = len(detectors)
    members = {"memae": Brightness, "s3r": Weak, "mpn": Broken, "lavad": Missing, "mgfn": Blind}
    for name, kind in members.items():
        monkeypatch.setitem(detectors._members, name, kind)


@pytest.fixture
def console():
    return Console(file=open("/dev/null", "w"), width=200)


def run(toy_tree, out, *methods, **options):
    return Run(toy_tree, out, options.pop("categories", ("bold",)), methods, seeds=options.pop("seeds", 1), **options)


def test_only_the_weakly_supervised_get_labelled_defects_and_all_are_tested_on_the_same_clips(fakes, toy_tree, tmp_path, console):
    todo = plan(run(toy_tree, tmp_path, "memae", "s3r"))
    carry_out(todo.jobs, console, workers=1, do=execute)
    assert sorted(label for label in Weak.given if label != "anomaly_free") == ["dull"] * 3 + ["glare"] * 3
    one, other = (outcome(job, "corrected") for job in todo.jobs)
    assert one.clips == other.clips == todo.splits[0].test and len(one.clips) == 5 + 2 + 2
    assert {f.fitted for f in (one.facts, other.facts)} == {7, 7 + 6}
    assert one.truth.tolist() == ["anomaly_free" not in name for name in one.clips]


def test_a_job_s_folder_is_whole(fakes, toy_tree, tmp_path, console):
    todo = plan(run(toy_tree, tmp_path, "memae"))
    carry_out(todo.jobs, console, workers=1, do=execute)
    folder = Path(todo.jobs[0].folder)
    assert {p.name for p in folder.iterdir()} == {"brightness.json", "scores.parquet", "per_frame.npz", "facts.json"}
    facts = Facts.read(folder)
    assert facts.held_out == 5 and facts.false_alarm_rate == pytest.approx(1 / 6) and facts.fit_s > 0 and facts.live_frames_per_s > 0
    assert Brightness.load(folder).threshold == facts.threshold
    assert Split.read(tmp_path / "splits" / "bold_0.json") == todo.splits[0]
    with np.load(folder / "per_frame.npz") as frames:
        assert set(frames) == set(todo.splits[0].test) and all(frames[n].shape == (16,) for n in frames)


def test_a_fault_is_told_and_stops_nothing(fakes, toy_tree, tmp_path, console):
    asked = run(toy_tree, tmp_path, "mpn", "mgfn", "memae", "lavad", categories=())
    todo = plan(asked)
    carry_out(todo.jobs, console, workers=2, do=execute)
    table = tabulate(asked, todo, [outcome(job, "corrected") for job in todo.jobs], "corrected")
    assert any("mpn on bold, seed 0: it always breaks" in fault for fault in table.faults)
    assert any("mgfn" in fault and "not finite" in fault for fault in table.faults)
    assert table.not_run == {"lavad": "its checkpoint is not here"}
    by = {m.name: m for m in table.methods}
    assert by["memae"].categories == 2 and by["mpn"].categories == 0 and np.isnan(by["mpn"].auroc.value)
    assert by["memae"].by_category["bold"].value == 1.0 > by["memae"].by_category["pale"].value
    assert table.methods[0].name == "memae"


def test_what_is_done_is_not_done_again_and_what_failed_is(fakes, toy_tree, tmp_path, console):
    asked = run(toy_tree, tmp_path, "memae", "mpn", seeds=2)
    did = []

    def do(job):
        did.append((job.method, job.seed))
        execute(job)

    carry_out(plan(asked).jobs, console, workers=1, do=do)
    carry_out(plan(asked).jobs, console, workers=1, do=do)
    assert did[4:] == [("mpn", 0), ("mpn", 1)]


def test_an_interrupted_run_goes_on(fakes, toy_tree, tmp_path, console):
    asked = run(toy_tree, tmp_path, "memae", seeds=3)
    did = []

    def do(job, stop=None):
        did.append(job.seed)
        if len(did) == 2:
            raise KeyboardInterrupt
        execute(job)

    with pytest.raises(KeyboardInterrupt):
        carry_out(plan(asked).jobs, console, workers=1, do=do)
    carry_out(plan(asked).jobs, console, workers=1, do=do)
    assert did == [0, 1, 1, 2] and all(done(job) for job in plan(asked).jobs)


@dataclasses.dataclass(frozen=True)
class Config:
    size: int = 3


def test_what_a_result_depends_on_makes_it_stale(fakes, toy_tree, tmp_path, monkeypatch):
    def digests(**options):
        return {job.digest for job in plan(run(toy_tree, tmp_path, "memae", **options)).jobs}

    monkeypatch.setattr(Brightness, "presets", {"quick": Config(), "paper": Config()})
    before = digests()
    assert digests() == before
    assert digests(protocol=Protocol(false_alarm_rate=0.1)) != before and digests(protocol=Protocol(shots=2)) != before
    monkeypatch.setattr(Brightness, "presets", {"quick": Config(4), "paper": Config()})
    assert digests() != before and digests(preset="paper") == before


def test_a_method_depends_on_the_code_that_it_imports():
    def names(module):
        return {"/".join(p.parts[p.parts.index("physad_ros") + 1 :]) for p in sources(f"physad_ros.detectors.{module}")}

    assert {"detectors/rules.py", "detectors/base.py", "rules/reason.py", "rules/measurements/drive.py", "core/types.py"} <= names("rules")
    assert "detectors/rules.py" not in names("baselines")


def test_a_process_of_its_own_has_its_memory_to_itself(toy_tree, tmp_path):
    (job,) = plan(run(toy_tree, tmp_path, "intensity")).jobs
    ballast = np.ones(60_000_000)
    in_own_process(job)
    facts = Facts.read(Path(job.folder))
    mine_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert facts.fault == "" and 20 < facts.peak_mb < mine_mb - 200 and len(ballast)


def test_a_process_that_dies_is_a_fault_with_a_log(toy_tree, tmp_path, monkeypatch):
    (job,) = plan(run(toy_tree, tmp_path, "intensity")).jobs
    monkeypatch.setattr(sys, "executable", "/bin/false")
    in_own_process(job)
    assert "ended with status 1" in Facts.read(Path(job.folder)).fault and (Path(job.folder) / "log.txt").exists()


def test_the_table_tells_its_protocol_and_the_legacy_one_has_dashes(fakes, toy_tree, tmp_path, console, monkeypatch):
    monkeypatch.setattr("physad_ros.bench.benchmark.carry_out", lambda jobs, c, **_: carry_out(jobs, c, workers=1, do=execute))
    asked = run(toy_tree, tmp_path, "memae", "intensity")
    benchmark(asked, console)
    told = (tmp_path / "results.md").read_text()
    assert "Protocol corrected" in told and "3 labelled clips of each defect" in told and "| 0.538 |" in told
    assert {"results.md", "results.csv", "results.parquet", "index.html"} <= {p.name for p in tmp_path.iterdir()}
    legacy = benchmark(asked, console, protocol="legacy")
    by = {m.name: m for m in legacy.methods}
    assert by["intensity"].undefined and np.isnan(by["intensity"].auroc.value) and by["memae"].auroc.value == 1.0
    assert "Protocol legacy" in (tmp_path / "results.md").read_text()


def test_wrong_use_names_what_is_right(fakes, toy_tree, tmp_path, console):
    with pytest.raises(UnknownName, match="quick"):
        run(toy_tree, tmp_path, preset="huge")
    with pytest.raises(UnknownName, match="memae"):
        run(toy_tree, tmp_path, "oracle")
    with pytest.raises(BadData, match="bold, pale"):
        plan(run(toy_tree, tmp_path, "memae", categories=("unicorn",)))
    with pytest.raises(WrongUse, match="checkpoint"):
        plan(run(toy_tree, tmp_path, "lavad"))
    with pytest.raises(WrongUse, match="no labelled clip"):
        plan(run(toy_tree, tmp_path, "s3r", protocol=Protocol(shots=0)))
    with pytest.raises(UnknownName, match="corrected"):
        benchmark(run(toy_tree, tmp_path, "memae"), console, protocol="kind")
    with pytest.raises(UnknownName, match="local"):
        carry_out(plan(run(toy_tree, tmp_path, "memae")).jobs, console, backend="cloud")


def test_ray_is_asked_for_by_name_where_it_is_missing(fakes, toy_tree, tmp_path, console, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WrongUse, match="ray"):
        carry_out(plan(run(toy_tree, tmp_path, "memae")).jobs, console, backend="ray")


def test_ray_does_jobs_through_joblib(fakes, toy_tree, tmp_path, console, monkeypatch):
    """With a stand-in for ray: the real one is not here."""
    stand_in = types.ModuleType("ray.util.joblib")
    stand_in.register_ray = lambda: register_parallel_backend("ray", ThreadingBackend)
    for name, module in {"ray": types.ModuleType("ray"), "ray.util": types.ModuleType("ray.util"), "ray.util.joblib": stand_in}.items():
        monkeypatch.setitem(sys.modules, name, module)
    todo = plan(run(toy_tree, tmp_path, "memae"))
    carry_out(todo.jobs, console, workers=1, backend="ray", do=execute)
    assert all(done(job) for job in todo.jobs)


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "safetensors", "pandas", "pyarrow", "jinja2"):
            raise ImportError(name)
sys.meta_path.insert(0, Missing())
import physad_ros.cli, physad_ros.bringup, physad_ros.bench.benchmark, physad_ros.bench.methods
from physad_ros.bench.trained import trained_models
from physad_ros.detectors.base import detectors
print(list(detectors), repr(trained_models("", "rules", "clip")))
"""


def test_a_robot_without_the_learning_libraries_still_inspects():
    """What brings up the stack, the list of methods and the benchmark itself are imported where none of them is installed."""
    told = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert told.returncode == 0 and told.stdout.strip().endswith("''"), told.stderr
