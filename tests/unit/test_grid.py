"""Tables at eighty columns, as a terminal has them: no name is cut, so that any two can be told apart."""

import io
import math

import pytest
from rich.console import Console

from physad_ros.bench import live
from physad_ros.bench.grid import grid
from physad_ros.bench.live import Row
from physad_ros.core.catalogue import categories, load_category
from physad_ros.core.types import NORMAL_LABEL
from physad_ros.detectors.base import detectors

JUDGE = max(detectors, key=len)


def told(table, width=80):
    said = io.StringIO()
    Console(file=said, width=width).print(table)
    return said.getvalue()


def row(category, label, verdict="NORMAL", score=0.5):
    return Row(category, label, JUDGE, verdict, {JUDGE: score, "frame_difference": 1.0, "intensity": 1.0}, (), 0.05)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_names_are_whole_and_nothing_is_lost(width):
    table = grid("method", "what it is about, at some length", "a number")
    names = [f"a_method_with_a_long_name_{i}" for i in range(3)]
    for name in names:
        table.add_row(name, "words " * 20, "123456789")
    said = told(table, width)
    assert all(name in said for name in names) and "…" not in said
    assert said.count("words") == 60


def test_a_campaign_s_table_tells_its_names_apart(monkeypatch):
    rows = [row(name, label, "ANOMALOUS", 2.0) if label != NORMAL_LABEL else row(name, label)
            for name in categories() for label in load_category(name).labels]
    said = io.StringIO()
    results = [r for name in categories() for r in live._results(name, rows, JUDGE)]
    live._show(results, {name: live._alarms(name, rows, JUDGE) for name in categories()}, rows, JUDGE, Console(file=said, width=80))
    for name in categories():
        assert all(label in said.getvalue() for label in (name, *load_category(name).defects))
    assert "…" not in said.getvalue() and "intensity" in said.getvalue()


@pytest.mark.parametrize(("rows", "lacking"), [
    ([row("clip", NORMAL_LABEL)], "no defective specimen"),
    ([row("clip", "unable_press", "ANOMALOUS", 3.0)], "no normal specimen"),
    ([row("clip", NORMAL_LABEL), row("fan", "stuck")], "no category with both"),
])
def test_a_campaign_of_one_kind_has_no_auroc_and_says_why(rows, lacking, recwarn):
    names, said = sorted({r.category for r in rows}), io.StringIO()
    results = [r for name in names for r in live._results(name, rows, JUDGE)]
    live._show(results, {name: live._alarms(name, rows, JUDGE) for name in names}, rows, JUDGE, Console(file=said, width=200))
    assert lacking in said.getvalue() and "nan" not in said.getvalue() and not recwarn.list


def test_a_mean_says_what_it_leaves_out(recwarn):
    rows = [row("clip", NORMAL_LABEL), row("clip", "unable_press", "ANOMALOUS", 3.0),
            row("fan", NORMAL_LABEL), row("fan", "stuck", "INCONCLUSIVE", math.nan)]
    said = io.StringIO()
    results = [r for name in ("clip", "fan") for r in live._results(name, rows, JUDGE)]
    live._show(results, {name: live._alarms(name, rows, JUDGE) for name in ("clip", "fan")}, rows, JUDGE, Console(file=said, width=200))
    assert f"{JUDGE}: 1.000 (of 1; in the others" in said.getvalue() and "nan" not in said.getvalue() and not recwarn.list
