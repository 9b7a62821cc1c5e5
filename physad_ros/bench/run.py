"""Doing the jobs of a benchmark: what is not done yet, several at a time, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from physad_ros.bench.facts import LOG, PER_FRAME, SCORES, Facts
from physad_ros.bench.job import Job, fail
from physad_ros.core.errors import UnknownName, WrongUse, why
from physad_ros.core.words import count

#: numerical libraries take one thread; there is a process for each core
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")}


def carry_out(
    jobs: Sequence[Job], console: Console, *, workers: int = -1, backend: str = "local", do: Callable[[Job], None] | None = None
) -> None:
    """Do what is not done yet. A job that fails leaves its reason and does not stop the others; after Ctrl-C the same call resumes.

    Args:
        workers: jobs at a time; -1: one a core, or what the cluster has.
        backend: "local", or "ray" where the tree and the run's folder are on a disk that all of its machines share.
        do: what does one job; if omitted, a process of its own.
    """
    if backend not in BACKENDS:
        raise UnknownName("backend", backend, BACKENDS)
    if workers < 1 and workers != -1:
        raise WrongUse(f"jobs at a time must be 1 or more, or -1 for one a core, not {workers}")
    left = [job for job in jobs if not done(job)]
    if len(left) < len(jobs):
        console.print(f"{len(jobs) - len(left)} of {count(len(jobs), 'job')} {'is' if len(jobs) == 1 else 'are'} on disk")
    if not left:
        return
    one = do or in_own_process
    with _progress(console) as progress, _ended_with_us(console):
        task = progress.add_task("benchmark", total=len(left))
        for job in BACKENDS[backend](left, one, workers):
            facts = Facts.read(Path(job.folder))
            if facts is None or facts.fault:
                fault = facts.fault if facts else "no result"
                console.print(f"{job.method} on {job.category}, seed {job.seed}: {fault}", style="yellow", markup=False)
            progress.update(task, advance=1, description=f"{job.method} · {job.category} · {job.seed}")
            if not console.is_terminal:  # where no bar is drawn, as in a log
                console.print(f"{progress.tasks[task].completed:.0f} of {len(left)}: {job.method} on {job.category}, seed {job.seed}", markup=False)


def done(job: Job) -> bool:
    """Whether its scores are on disk and of what it depends on now."""
    facts = Facts.read(Path(job.folder))
    whole = all((Path(job.folder) / name).is_file() for name in (SCORES, PER_FRAME))
    return facts is not None and facts.digest == job.digest and not facts.fault and whole


def in_own_process(job: Job) -> None:
    """Do a job in a process of its own: it has its memory to itself, and a crash costs only this job."""
    if _ENDING.is_set():
        return
    command = [sys.executable, "-m", "physad_ros.bench.job"]
    # a session of its own: Ctrl-C reaches only us, and we end it
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               encoding="utf-8", errors="replace", env={**os.environ, **ONE_THREAD}, start_new_session=True)  # fmt: skip
    _RUNNING.add(process)
    try:
        assert process.stdin is not None and process.stderr is not None
        with suppress(BrokenPipeError):  # it died at once; its status tells
            process.stdin.write(json.dumps(asdict(job)) + "\n")
            process.stdin.flush()
        said = process.stderr.read()
        status = process.wait()
    finally:
        _RUNNING.discard(process)
    if status and not _ENDING.is_set():
        fail(job, f"its process {_ended_how(status)}: {' '.join(said.split()[-30:])}")
    facts = Facts.read(Path(job.folder))
    if facts is not None and facts.fault:
        (Path(job.folder) / LOG).write_text(said, encoding="utf-8")


def _ended_how(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    short = ", as when memory runs out" if status == -signal.SIGKILL else ""
    return f"was ended by {signal.Signals(-status).name}{short}"


_RUNNING: set[subprocess.Popen[str]] = set()
_ENDING = threading.Event()


@contextmanager
def _ended_with_us(console: Console) -> Iterator[None]:
    """However we leave, no job's process stays behind."""
    _ENDING.clear()
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            console.print("interrupted; the same command goes on from here")
        _ENDING.set()
        for process in list(_RUNNING):
            process.kill()
        raise


def _told(do: Callable[[Job], None], job: Job) -> Job:
    do(job)
    return job


def _locally(jobs: Sequence[Job], do: Callable[[Job], None], workers: int) -> Iterator[Job]:
    """Each job as it ends. Threads suffice: each waits for a process."""
    work: Iterator[Job] = Parallel(n_jobs=workers, backend="threading", return_as="generator_unordered")(delayed(_told)(do, job) for job in jobs)
    yield from work


def _on_ray(jobs: Sequence[Job], do: Callable[[Job], None], workers: int) -> Iterator[Job]:
    """Each job as it ends, done by a task of Ray: of the cluster that RAY_ADDRESS names, else of this machine.

    Ray's own joblib backend cannot tell of a job before all have ended. A task takes a core, and of the preset `paper` a GPU where there is one:
    Ray hides what is not asked for. A machine that is lost costs its jobs, which are told as failed.
    """
    try:
        import ray
    except ImportError as error:
        raise WrongUse(f"the backend ray needs ray, which is not installed ({why(error)}): pip install ray") from error
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    task, left = ray.remote(num_cpus=1, max_retries=0)(_told), list(jobs)
    running: dict[Any, Job] = {}
    gpus = min(1, ray.cluster_resources().get("GPU", 0))
    try:
        while left or running:
            while left and (workers < 1 or len(running) < workers):
                job = left.pop(0)
                running[task.options(num_gpus=gpus if job.preset == "paper" else 0).remote(do, job)] = job
            (ended,), _ = ray.wait(list(running), num_returns=1)
            job = running.pop(ended)
            try:
                ray.get(ended)
            except ray.exceptions.RayError as error:
                fail(job, f"ray: {str(error).strip().splitlines()[-1]}")
            yield job
    finally:
        for reference in running:
            ray.cancel(reference, force=True)  # its worker ends, and with it the job's process, whose standard input closes


BACKENDS = {"local": _locally, "ray": _on_ray}


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True)
