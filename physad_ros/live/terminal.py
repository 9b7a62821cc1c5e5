"""What a person sees while an inspection runs, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from physad_msgs.msg import Verdict
from physad_ros.core.words import count

DOING = {
    "clearing": "clearing the view",
    "lighting": "setting the lights",
    "perceiving": "looking",
    "planning": "planning the interaction",
    "interacting": "interacting",
    "judging": "judging",
    "retreating": "retreating",
    "aborting": "stopping",
}
NAMES = {Verdict.INCONCLUSIVE: "INCONCLUSIVE", Verdict.NORMAL: "NORMAL", Verdict.ANOMALOUS: "ANOMALOUS"}
STYLES = {Verdict.INCONCLUSIVE: "yellow", Verdict.NORMAL: "green", Verdict.ANOMALOUS: "red"}

SHOWN = 4  # findings, the worst first


class Teller:
    """Shows feedback as a bar on a terminal, as a line each change where the output is a file."""

    def __init__(self, console: Console, progress: Progress, lines: bool):
        self._console = console
        self._lines = lines and not console.is_terminal
        self._progress = progress
        self._task = progress.add_task("starting", total=1.0)
        self._last = ""

    def __call__(self, state: str, phase: str, progress: float) -> None:
        doing = DOING.get(state, state) + (f": {phase}" if phase and state == "interacting" else "")
        self._progress.update(self._task, description=doing, completed=progress)
        if doing != self._last and self._lines:
            self._console.print(doing)
        self._last = doing


@contextmanager
def telling(console: Console, lines: bool = True) -> Iterator[Teller]:
    """A teller for as long as something runs; ``lines``: where there is no terminal, a line for each change."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(40), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Teller(console, progress, lines)


def sentence(verdict: Verdict) -> str:
    """The verdict as one sentence."""
    what = verdict.category or "object"
    if verdict.verdict == Verdict.NORMAL:
        return f"The {what} works as it should."
    if verdict.verdict == Verdict.ANOMALOUS:
        return f"The {what} does not work as it should."
    return f"No verdict on the {what}: {verdict.reason}."


def show(verdict: Verdict, console: Console) -> None:
    """The verdict in a sentence, the findings, and where the picture lies."""
    name, style = NAMES[verdict.verdict], STYLES[verdict.verdict]
    body = Text(sentence(verdict) + "\n")
    if verdict.detector:
        body.append(f"{verdict.detector}: score {verdict.score:.2f}, threshold {verdict.threshold:.2f}; ", "dim")
    if verdict.frames_expected:
        body.append(f"{verdict.frames_received} of {count(verdict.frames_expected, 'frame')}\n", "dim")
    for finding in verdict.findings[:SHOWN]:
        body.append(f"- {finding.sentence}\n")
    if len(verdict.findings) > SHOWN:
        body.append(f"- and {len(verdict.findings) - SHOWN} more in verdict.json\n", "dim")
    picture = Path(verdict.folder) / "overview.png"
    if picture.exists():
        body.append(f"picture: {picture}", "bold")
    console.print(Panel(body, title=name, title_align="left", border_style=style, width=min(console.width, 110)))
