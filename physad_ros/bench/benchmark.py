"""`physad bench` from start to end: jobs, results files, table, page."""

from __future__ import annotations

from rich.console import Console

from physad_ros.bench.files import files, write_rows
from physad_ros.bench.jobs import Run, plan
from physad_ros.bench.markdown import markdown, show
from physad_ros.bench.page import write_page
from physad_ros.bench.results import PROTOCOLS, outcome
from physad_ros.bench.run import BACKENDS, carry_out
from physad_ros.bench.table import Table, tabulate
from physad_ros.core.errors import UnknownName
from physad_ros.dataset.files import write_atomically


def benchmark(run: Run, console: Console, *, protocol: str = "corrected", workers: int = -1, backend: str = "local") -> Table:
    """Do the jobs that are not done yet; write the protocol's results and page into the run's folder.

    Raises:
        BadData: the tree cannot be split.
        UnknownName: a method, category, preset, protocol or backend that is none.
        WrongUse: no method can be run, or the backend is not installed.
    """
    if protocol not in PROTOCOLS:
        raise UnknownName("protocol", protocol, PROTOCOLS)
    if backend not in BACKENDS:
        raise UnknownName("backend", backend, BACKENDS)
    todo = plan(run)
    carry_out(todo.jobs, console, workers=workers, backend=backend)
    outcomes = [outcome(job, protocol) for job in todo.jobs]
    table = tabulate(run, todo, outcomes, protocol)
    to = files(run.out, protocol)
    write_rows(to, outcomes, protocol)
    write_atomically(to.markdown, markdown(table).encode())
    write_page(table, todo.jobs, outcomes, to.page)
    show(table, console)
    console.print(f"results: {to.markdown}, {to.csv.name}, {to.parquet.name}; page: {to.page}", markup=False, soft_wrap=True)
    return table
