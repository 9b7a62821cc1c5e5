"""Jobs: who learns from what, what is left on disk, what is done again, what a fault costs."""

import contextlib
import csv
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import types
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from bench_fakes import Answering, Blind, Brightness, Broken, Missing, Outage, Unreachable, Weak
from rich.console import Console

from physad_ros.bench.benchmark import benchmark
from physad_ros.bench.clips import ClipsOnDisk
from physad_ros.bench.digest import sources
from physad_ros.bench.facts import Facts
from physad_ros.bench.files import files, write_rows
from physad_ros.bench.job import execute, fail
from physad_ros.bench.jobs import Run, plan
from physad_ros.bench.markdown import markdown
from physad_ros.bench.protocol import Protocol, Split
from physad_ros.bench.results import outcome
from physad_ros.bench.run import _RUNNING, carry_out, done, in_own_process
from physad_ros.bench.table import tabulate
from physad_ros.core.errors import BadData, UnknownName, WrongUse
from physad_ros.dataset.tree import scan
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
    asked = run(toy_tree, tmp_path, "mpn", "memae", "lavad", categories=())
    todo = plan(asked)
    carry_out(todo.jobs, console, workers=2, do=execute)
    table = tabulate(asked, todo, [outcome(job, "corrected") for job in todo.jobs], "corrected")
    assert any("mpn on bold, seed 0: it always breaks" in fault for fault in table.faults)
    assert table.not_run == {"lavad": "its checkpoint is not here"}
    by = {m.name: m for m in table.methods}
    assert by["memae"].categories == 2 and by["mpn"].categories == 0 and np.isnan(by["mpn"].auroc.value)
    assert by["memae"].by_category["bold"].value == 1.0 > by["memae"].by_category["pale"].value
    assert table.methods[0].name == "memae"


def test_who_sees_nothing_is_wrong_everywhere_and_the_table_says_so(fakes, toy_tree, tmp_path, console):
    asked = run(toy_tree, tmp_path, "mgfn", "memae")
    todo = plan(asked)
    carry_out(todo.jobs, console, workers=1, do=execute)
    table = tabulate(asked, todo, [outcome(job, "corrected") for job in todo.jobs], "corrected")
    blind = {m.name: m for m in table.methods}["mgfn"]
    assert (blind.auroc.value, blind.accuracy.value, blind.failed) == (0.0, 0.0, 0) and blind.false_alarms == blind.normals == 5
    assert "| mgfn‡§ |" in markdown(table) and "mgfn 9 of 9" in markdown(table) and "mgfn in 1 job" in markdown(table)
    facts = Facts.read(Path(todo.jobs[0].folder))
    assert np.isnan(facts.threshold) and "5 of 5 held-out normal clips got no score" in facts.uncalibrated


def one_job(toy_tree, out, console, monkeypatch, kind):
    """A run of one job by this detector, done; with its job and what came of it."""
    _ = len(detectors)
    monkeypatch.setitem(detectors._members, "memae", kind)
    asked = run(toy_tree, out, "memae")
    todo = plan(asked)
    carry_out(todo.jobs, console, workers=1, do=execute)
    return asked, todo, outcome(todo.jobs[0], "corrected")


def test_a_clip_that_cannot_be_scored_counts_as_wrong_and_keeps_the_reason(toy_tree, tmp_path, console, monkeypatch):
    asked, todo, came = one_job(toy_tree, tmp_path, console, monkeypatch, Outage)
    bright = ["/glare/" in name for name in came.clips]
    assert came.facts.fault == "" and came.unscored.tolist() == bright and sum(bright) == 2
    assert [why for _, why in came.answers] == ["the server is out (glare)" if b else "" for b in bright]
    assert not (came.decided == came.truth)[bright].any() and came.facts.live_frames_per_s > 0
    text = markdown(tabulate(asked, todo, [came], "corrected"))
    assert "| memae‡ |" in text and "memae 2 of 9" in text


def test_a_job_in_which_no_clip_can_be_scored_has_failed(toy_tree, tmp_path, console, monkeypatch):
    _, todo, came = one_job(toy_tree, tmp_path, console, monkeypatch, Unreachable)
    assert came.facts.fault == "the server is out (anomaly_free)" and not came.judged and not done(todo.jobs[0])


def test_held_out_normals_that_cannot_be_scored_are_false_alarms(toy_tree, tmp_path, console, monkeypatch):
    held_out = []

    class Out(Outage):
        """It does not answer what is asked first: the held-out normals."""

        def score(self, clip):
            held_out.append(clip)
            self.brightest = 0.0 if len(held_out) <= 5 else 999.0
            return super().score(clip)

    _, _, came = one_job(toy_tree, tmp_path, console, monkeypatch, Out)
    assert came.facts.fault == "" and came.unscored.sum() == 0 and not np.isfinite(came.facts.threshold)
    assert "5 of 5 held-out normal clips got no score" in came.facts.uncalibrated and "the server is out" in came.facts.uncalibrated


def test_a_clip_that_cannot_be_streamed_again_costs_only_the_speed(toy_tree, tmp_path, console, monkeypatch):
    class Deaf(Brightness):
        """Scores whole clips, and fails when one is streamed."""

        def score(self, clip):
            whole = Brightness()
            whole.mean = self.mean
            return whole.score(clip)

        def stream(self, timetable):
            raise BadData("the server is out")

    asked, todo, came = one_job(toy_tree, tmp_path, console, monkeypatch, Deaf)
    assert came.facts.fault == "" and came.judged and np.isnan(came.facts.live_frames_per_s)
    (method,) = tabulate(asked, todo, [came], "corrected").methods
    assert np.isnan(method.live_frames_per_s) and method.auroc.value == 1.0


def test_answers_in_words_are_kept_and_older_scores_without_them_are_read(toy_tree, tmp_path, console, monkeypatch):
    _, todo, came = one_job(toy_tree, tmp_path, console, monkeypatch, Answering)
    silent = ["/dull/" in name for name in came.clips]
    assert [not any(words) for words in came.answers] == silent and any(silent)
    assert all(what == "<b>A lamp</b> is seen." and "from normal" in why for (what, why), s in zip(came.answers, silent) if not s)
    file = Path(todo.jobs[0].folder) / "scores.parquet"
    table = parquet.read_table(file)
    parquet.write_table(table.drop_columns(["description", "explanation"]), file)
    older = outcome(todo.jobs[0], "corrected")
    assert older.answers == (("", ""),) * 9 and older.scores.tolist() == came.scores.tolist()


def test_facts_of_an_older_version_are_read(toy_tree, tmp_path, console, monkeypatch):
    _, todo, came = one_job(toy_tree, tmp_path, console, monkeypatch, Brightness)
    file = Path(todo.jobs[0].folder) / "facts.json"
    facts = json.loads(file.read_text())
    facts["frames_per_s"] = facts.pop("whole_clip_frames_per_s")
    file.write_text(json.dumps(facts))
    assert done(todo.jobs[0]) and Facts.read(file.parent).threshold == came.facts.threshold


def test_clips_on_disk_are_a_sequence(toy_tree):
    refs = scan(toy_tree, "bold")[:4]
    clips = ClipsOnDisk(refs, 48, "a test")
    part = clips[1:3]
    assert isinstance(part, ClipsOnDisk) and [c.source for c in part] == [r.path for r in refs[1:3]] and len(clips[::-1]) == 4
    assert clips[-1].source == refs[-1].path and clips[::-1][0].source == refs[-1].path


def test_what_failed_is_told_beside_the_mean_that_leaves_it_out(fakes, toy_tree, tmp_path, console):
    asked = run(toy_tree, tmp_path, "memae", categories=(), seeds=2)
    todo = plan(asked)
    carry_out(todo.jobs[1:], console, workers=1, do=execute)
    fail(todo.jobs[0], "the disk was full")
    text = markdown(tabulate(asked, todo, [outcome(job, "corrected") for job in todo.jobs], "corrected"))
    assert "| memae† |" in text and "memae (2 of 2 categories, 1 job failed)" in text and "the disk was full" in text


def test_a_page_is_made_where_nothing_worked(fakes, toy_tree, tmp_path, console, monkeypatch):
    monkeypatch.setattr("physad_ros.bench.benchmark.carry_out", lambda jobs, c, **_: carry_out(jobs, c, workers=1, do=execute))
    table = benchmark(run(toy_tree, tmp_path, "mpn"), console)
    assert np.isnan(table.methods[0].auroc.value) and "it always breaks" in (tmp_path / "index.html").read_text()


def test_a_result_counts_only_whole_and_for_what_it_was_made_of(fakes, toy_tree, tmp_path, console):
    (job,) = plan(run(toy_tree, tmp_path, "memae")).jobs
    carry_out([job], console, workers=1, do=execute)
    changed = dataclasses.replace(job, digest="other")
    assert done(job) and not done(changed) and outcome(changed, "corrected").facts.fault == "not done yet"
    (Path(job.folder) / "scores.parquet").unlink()
    assert not done(job)


def test_a_job_that_is_killed_midway_is_not_done_and_is_done_again(toy_tree, tmp_path, console):
    (job,) = plan(run(toy_tree, tmp_path, "intensity")).jobs
    draft = Path(job.folder).with_name(f".{job.category}")

    def strike():
        while not draft.exists():
            time.sleep(0.005)
        for process in _RUNNING:
            process.kill()

    threading.Thread(target=strike, daemon=True).start()
    in_own_process(job)
    assert not done(job) and "was ended by SIGKILL" in Facts.read(Path(job.folder)).fault
    carry_out([job], console, workers=1)
    assert done(job) and not draft.exists()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_goes_on_after_it_was_ended(toy_tree, tmp_path, kind):
    """The program itself, with its processes; none of them stays behind."""
    command = [sys.executable, "-m", "physad_ros.cli", "bench", str(toy_tree), "--out", str(tmp_path), "--category", "bold",
               "--method", "intensity", "--method", "frame_difference", "--seeds", "1", "--jobs", "1"]  # fmt: skip
    environment = {**os.environ, "MARK": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while not (found := list(tmp_path.glob("jobs/*/*/bold/facts.json"))):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(kind)
    process.wait(timeout=30)
    end = time.monotonic() + 10
    while jobs_of(f"MARK={tmp_path}"):
        assert time.monotonic() < end, "a job outlives who started it"
        time.sleep(0.05)
    before = {file: file.stat().st_mtime_ns for file in found}
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0 and f"{len(found)} of 2 jobs are on disk" in again.stdout, again.stdout + again.stderr
    assert "1 of 1: " in again.stdout  # no bar is drawn in a log: a line a job
    assert len(list(tmp_path.glob("jobs/*/*/bold/scores.parquet"))) == 2 and all(f.stat().st_mtime_ns == t for f, t in before.items())


def jobs_of(mark):
    """Processes of jobs that were started with this mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"physad_ros.bench.job" in (folder / "cmdline").read_bytes() and mark.encode() in (folder / "environ").read_bytes():
                found.append(folder.name)
    return found


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

    with pytest.raises(KeyboardInterrupt), console.capture() as told:
        carry_out(plan(asked).jobs, console, workers=1, do=do)
    assert "the same command goes on" in told.get()
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
    monkeypatch.setattr("physad_ros.bench.digest._JOB", ())
    assert digests(preset="paper") != before  # the code that fits, calibrates and scores counts too
    before = digests()
    os.utime(next(toy_tree.glob("bold/train/*.json")), (1, 1))  # a manifest, which says where phases begin
    assert digests() != before


def test_which_checkpoint_is_asked_is_part_of_a_result(toy_tree, tmp_path, monkeypatch):
    def digests():
        return {job.method: job.digest for job in plan(run(toy_tree, tmp_path, "s3r", "intensity")).jobs}

    before = digests()
    (tmp_path / "i3d.pt").write_bytes(b"one")
    monkeypatch.setenv("PHYSAD_I3D_CHECKPOINT", str(tmp_path / "i3d.pt"))
    named = digests()
    (tmp_path / "i3d.pt").write_bytes(b"another")
    assert len({d["s3r"] for d in (before, named, digests())}) == 3
    assert len({d["intensity"] for d in (before, named, digests())}) == 1


def test_a_method_depends_on_the_code_that_it_imports():
    def names(module):
        return {"/".join(p.parts[p.parts.index("physad_ros") + 1 :]) for p in sources(f"physad_ros.detectors.{module}")}

    assert {"detectors/rules.py", "detectors/base.py", "rules/reason.py", "rules/measurements/drive.py", "core/types.py"} <= names("rules")
    assert "detectors/rules.py" not in names("baselines")
    assert {"features/clip.py", "language/pictures.py"} <= names("vadclip")  # and on what that code imports


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


def test_a_process_may_print_what_is_no_text(toy_tree, tmp_path, monkeypatch):
    (job,) = plan(run(toy_tree, tmp_path, "intensity")).jobs
    program = tmp_path / "dies"
    program.write_text("#!/bin/sh\nprintf 'caf\\351 closed' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    in_own_process(job)
    assert Facts.read(Path(job.folder)).fault == "its process ended with status 1: caf\N{REPLACEMENT CHARACTER} closed"


def test_the_table_tells_its_protocol_and_the_legacy_one_has_dashes(fakes, toy_tree, tmp_path, console, monkeypatch):
    monkeypatch.setattr("physad_ros.bench.benchmark.carry_out", lambda jobs, c, **_: carry_out(jobs, c, workers=1, do=execute))
    asked = run(toy_tree, tmp_path, "memae", "intensity")
    benchmark(asked, console)
    told = (tmp_path / "results.md").read_text()
    assert "Protocol corrected" in told and "3 labelled clips of each defect" in told and "| 0.538 |" in told
    assert {"results.md", "results.csv", "results.parquet", "index.html"} <= {p.name for p in tmp_path.iterdir()}
    before = {name: (tmp_path / name).read_bytes() for name in ("results.md", "results.csv", "results.parquet", "index.html")}
    with console.capture() as said:
        legacy = benchmark(asked, console, protocol="legacy")
    by = {m.name: m for m in legacy.methods}
    assert by["intensity"].categories == 0 and np.isnan(by["intensity"].auroc.value) and by["memae"].auroc.value == 1.0
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())
    assert "Protocol legacy" in (tmp_path / "results_legacy.md").read_text() and "protocol legacy" in (tmp_path / "legacy.html").read_text()
    told = [word.strip(",;") for word in said.get().split()]
    assert {str(tmp_path / "results_legacy.md"), "results_legacy.csv", "results_legacy.parquet", str(tmp_path / "legacy.html")} <= set(told)


def test_results_files_are_whole_and_name_what_they_hold(fakes, toy_tree, tmp_path, console, monkeypatch):
    todo = plan(run(toy_tree, tmp_path, "memae"))
    carry_out(todo.jobs, console, workers=1, do=execute)
    outcomes, to = [outcome(job, "corrected") for job in todo.jobs], files(tmp_path, "corrected")
    write_rows(to, outcomes, "corrected")
    with to.csv.open(newline="") as file:
        (row,) = csv.DictReader(file)
    (same,) = parquet.read_table(to.parquet).to_pylist()
    assert set(row) == set(same) and {"live_frames_per_s", "whole_clip_frames_per_s"} <= set(row) and "frames_per_s" not in row
    assert float(row["auroc"]) == same["auroc"] == 1.0
    for file in (to.parquet, to.csv):
        before = file.read_bytes()
        monkeypatch.setattr(os, "fsync", partial(_full, file.name))
        with pytest.raises(OSError, match="full"):
            write_rows(to, outcomes * 2, "corrected")
        assert file.read_bytes() == before and not list(tmp_path.glob(".results*"))


def _full(name, handle):
    """A disk that is full once the file of that name is written."""
    if name in os.readlink(f"/proc/self/fd/{handle}"):
        raise OSError("the disk is full")


def test_wrong_use_names_what_is_right(fakes, toy_tree, tmp_path, console):
    with pytest.raises(UnknownName, match="quick"):
        run(toy_tree, tmp_path, preset="huge")
    with pytest.raises(UnknownName, match="memae"):
        run(toy_tree, tmp_path, "oracle")
    with pytest.raises(BadData, match="bold, pale"):
        plan(run(toy_tree, tmp_path, "memae", categories=("unicorn",)))
    with pytest.raises(BadData, match="no such folder"):
        plan(run(toy_tree / "nowhere", tmp_path, "memae"))
    with pytest.raises(WrongUse, match="1 or more"):
        carry_out([], console, workers=0)
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


class Ray(types.ModuleType):
    """A task is done when it is got; ``most`` is how many there were at once."""

    def __init__(self):
        super().__init__("ray")
        self.exceptions = types.SimpleNamespace(RayError=type("RayError", (Exception,), {}))
        self.tasks, self.most, self.cancelled = {}, 0, []

    def init(self, *, ignore_reinit_error, log_to_driver):
        pass

    def cluster_resources(self):
        return {"CPU": 4.0}

    def remote(self, **asked):
        self.asked = asked

        def decorate(function):
            def begin(*arguments):
                reference = object()
                self.tasks[reference] = lambda: function(*arguments)
                self.most = max(self.most, len(self.tasks))
                return reference

            return types.SimpleNamespace(options=lambda *, num_gpus: types.SimpleNamespace(remote=begin))

        return decorate

    def wait(self, references, *, num_returns):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        return self.tasks.pop(reference)()

    def cancel(self, reference, *, force):
        self.cancelled.append(reference)


def test_ray_does_jobs(fakes, toy_tree, tmp_path, console, monkeypatch):
    """With a stand-in for ray, the parts of its documented interface that are used: the real one is not here."""
    ray = Ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    todo = plan(run(toy_tree, tmp_path, "memae", "mpn", seeds=3))
    lost = todo.jobs[0]

    def do(job):
        if job == lost:
            raise ray.exceptions.RayError("its machine is gone")
        execute(job)

    carry_out(todo.jobs, console, workers=2, backend="ray", do=do)
    assert [done(job) for job in todo.jobs if job.method == "memae"] == [False, True, True]
    assert Facts.read(Path(lost.folder)).fault == "ray: its machine is gone"
    assert ray.most == 2 and ray.asked == {"num_cpus": 1, "max_retries": 0} and not ray.cancelled


def test_ray_s_tasks_end_when_we_are_interrupted(fakes, toy_tree, tmp_path, console, monkeypatch):
    ray = Ray()
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(ray, "wait", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        carry_out(plan(run(toy_tree, tmp_path, "memae", seeds=3)).jobs, console, workers=2, backend="ray", do=execute)
    assert len(ray.cancelled) == 2


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
