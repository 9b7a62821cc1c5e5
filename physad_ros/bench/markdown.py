"""The benchmark's table for people: Markdown, and the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table as Grid

from physad_ros.bench.paper import table4
from physad_ros.bench.results import Estimate
from physad_ros.bench.table import Method, Table
from physad_ros.core import words

DASH = "\N{EN DASH}"
PAPER = "Table 4, paper"


def markdown(table: Table) -> str:
    """The whole report."""
    parts = [
        "# Benchmark", *_told(table), "## Methods", _grid(_HEAD, [_line(m, table) for m in table.methods]), *notes(table), *ahead_told(table),
        "## AUROC by category", _grid(*_by_category(table)),
    ]  # fmt: skip
    if any(m.paper is not None for m in table.methods):
        parts.append(f"Columns marked paper: {table4().source}. Read from {table4().read_from}. They are on its own data and by its own evaluation; "
                     "nothing in them is ours.")
    if table.not_run:
        parts += ["## Not run", _grid(("method", "reason"), table.not_run.items())]
    if table.faults:
        parts += ["## Failed", "\n".join(f"- {fault}" for fault in table.faults)]
    return "\n\n".join(parts) + "\n"


def show(table: Table, console: Console) -> None:
    """The methods' table in the terminal, without the columns that only a wide page has room for."""
    kept = [_HEAD.index(name) for name in ("method", "AUROC", "95 %", "AP", "accuracy", PAPER)]
    grid = Grid(title=f"protocol {table.protocol}, preset {table.run.preset}")
    for i in kept:
        grid.add_column(_HEAD[i], no_wrap=_HEAD[i] != PAPER)
    for method in table.methods:
        cells = _line(method, table)
        grid.add_row(*(cells[i] for i in kept))
    console.print(grid)
    for line in (*notes(table), *ahead_told(table), *(f"not run: {name}: {reason}" for name, reason in table.not_run.items())):
        console.print(line, markup=False)


def protocol_told(table: Table) -> str:
    """Which protocol, in a sentence or two."""
    if table.protocol == "legacy":
        return ("Protocol legacy: the published evaluation with its faults (per-video min-max, the mean of the greatest scores, shifted labels, "
                "accuracy at 0.5), where it is defined; a dash elsewhere.")
    low, high = table.false_alarm_rate
    rate = words.number(low) if low == high else f"{words.number(low)} to {words.number(high)}"
    return ("Protocol corrected: a video's score is the method's own, nothing is normalised within a video, thresholds come from held-out normals "
            f"by split-conformal calibration at a false-alarm rate of {rate}.")


def split_told(table: Table) -> str:
    """Who was tested on what."""
    run, shots = table.run, table.run.protocol.shots
    apart = (f" {shots} labelled clips of each defect are kept for the weakly supervised methods and are out of the test set of every method, "
             "so that all are tested on the same clips." if shots else "")
    categories, seeds = words.count(len(table.categories), "category", "categories"), words.count(run.seeds, "seed")
    return (f"Data: {run.root.name}, {categories}, {seeds}, preset {run.preset}; of the training normals "
            f"{run.protocol.held_out:.0%} calibrate and are not fitted on.{apart}")


def notes(table: Table) -> list[str]:
    """What must be known to read the table."""
    told = [f"AUROC with its 95 % bootstrap interval over clips, averaged over categories; ± is the spread over seeds. Where the scores do not "
            f"overlap the interval has zero width; it says nothing about unseen clips. {PAPER}: the paper's average over its 22 categories of "
            "real video, beside ours and not comparable where the data is the twin's.",
            "fit: median per job, including decoding; cached features are reused. frames/s: streamed frame by frame on one core while other "
            "jobs use the rest, including the final score, excluding decoding; live: whether that is at least 60. peak: main memory of the "
            "job's own process, the greatest of all jobs."]
    of = words.count(len(table.categories), "category", "categories")
    if partly := [f"{m.name} ({m.categories} of {of}, {words.count(m.failed, 'job')} failed)" for m in table.methods if partial(m, table)]:
        told.append(f"† has not all results, and its means are over what it has: {', '.join(partly)}.")
    return told + _unjudged(table)


def partial(m: Method, table: Table) -> bool:
    """Whether a method's means leave out what it failed at."""
    return bool(m.categories) and (m.categories < len(table.categories) or m.failed > 0)


def _unjudged(table: Table) -> list[str]:
    """What got no score or no threshold, which the numbers count as wrong."""
    told = []
    if some := [f"{m.name} {m.unscored} of {m.tested}" for m in table.methods if m.unscored]:
        told.append(f"‡ gave no score to some test clips, which count as the worst they can be (normal ones above all others, defective ones below, "
                    f"each judged wrongly): {', '.join(some)}.")
    if some := [f"{m.name} in {words.count(m.uncalibrated, 'job')}" for m in table.methods if m.uncalibrated]:
        told.append(f"§ has no threshold, so that its accuracy counts every clip as wrong and its false alarms every normal one: {', '.join(some)}.")
    return told


def marks(m: Method, table: Table) -> str:
    """Signs behind a method's name, which the notes explain."""
    return "†" * partial(m, table) + "‡" * bool(m.unscored) + "§" * bool(m.uncalibrated)


def ahead_told(table: Table) -> list[str]:
    """Whether `rules` is ahead, in a sentence; nothing where it was not run."""
    if a := table.ahead:
        return [f"{a.leader} is {a.how} {a.other}, its closest rival: {a.by:+.3f} AUROC on average over the {a.categories} of "
                f"{len(table.categories)} categories that both have (95 % {a.low:+.3f} to {a.high:+.3f}, paired)."]
    return []


_HEAD = ("method", "setting", "AUROC", "95 %", "±", "AP", "accuracy", "false alarms", PAPER, "fit [s]", "frames/s", "live 60 Hz", "peak [MB]")


def _told(table: Table) -> list[str]:
    return [protocol_told(table), split_told(table)]


def _line(m: Method, table: Table) -> list[str]:
    alarms = f"{m.false_alarms} of {m.normals}" if m.normals else DASH
    live = DASH if math.isnan(m.live_frames_per_s) else "yes" if m.live else "no"
    return [
        m.name + marks(m, table), m.setting, number(m.auroc.value), interval_told(m.auroc), number(m.auroc.spread), number(m.average_precision.value),
        number(m.accuracy.value), alarms, number(m.paper), number(m.fit_s, 1), number(m.live_frames_per_s, 0), live, number(m.peak_mb, 0),
    ]  # fmt: skip


def _by_category(table: Table) -> tuple[list[str], list[list[str]]]:
    """Head and rows: ours, and beside it in a column of its own what the paper has."""
    head, columns = ["category"], [[*table.categories, "**mean**"]]
    for m in table.methods:
        head.append(m.name + marks(m, table))
        columns.append([*(number(m.by_category[c].value) for c in table.categories), number(m.auroc.value)])
        if m.paper is not None:
            head.append(f"*paper: {table4().title[m.name]}*")
            columns.append([*(number(m.paper_by_category.get(c)) for c in table.categories), number(m.paper)])
    return head, [list(row) for row in zip(*columns)]


def number(value: float | None, places: int = 3) -> str:
    """A number, or a dash where there is none."""
    return DASH if value is None or math.isnan(value) else f"{value:.{places}f}"


def size(count: int) -> str:
    """A count of parameters in thousands, millions or billions (G); a dash for none."""
    for unit, of in (("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)):
        if count >= of:
            return f"{count / of:.3g} {unit}"
    return str(count) if count else DASH


def interval_told(e: Estimate) -> str:
    """An estimate's interval, or a dash."""
    return DASH if math.isnan(e.low) else f"{e.low:.3f}{DASH}{e.high:.3f}"


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/').replace(chr(10), ' ') for cell in line)} |" for line in lines)
