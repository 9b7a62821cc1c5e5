"""Tables in a terminal, of whatever width: names are whole, so that they can be told apart; the other cells wrap."""

from __future__ import annotations

from rich.table import Table


def grid(*columns: str, names: int = 1, title: str = "") -> Table:
    """An empty table whose first ``names`` columns are never cut."""
    made = Table(title=title or None, box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold underline")
    for number, column in enumerate(columns):
        made.add_column(column, no_wrap=number < names, overflow="fold")
    return made
