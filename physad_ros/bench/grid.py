"""Tables in a terminal, of whatever width: names are whole, so that they can be told apart; the other cells wrap."""

from __future__ import annotations

from rich import box
from rich.table import Table


def grid(*columns: str, names: int = 1, title: str = "") -> Table:
    """An empty table whose first ``names`` columns are never cut."""
    made = Table(title=title or None, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, column in enumerate(columns):
        word = max(map(len, column.split()), default=0)
        made.add_column(column, no_wrap=number < names, overflow="fold", min_width=word)
    return made
