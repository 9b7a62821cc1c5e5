"""The files that a run of the benchmark leaves in its folder, by protocol."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from physad_ros.bench.results import Outcome, rows
from physad_ros.dataset.files import write_atomically


class Files(NamedTuple):
    """Where one protocol's results go."""

    markdown: Path
    csv: Path
    parquet: Path
    page: Path


def files(out: Path, protocol: str) -> Files:
    """Those of a protocol in a run's folder: the legacy results lie beside the corrected ones and never replace them."""
    stem, page = ("results_legacy", "legacy") if protocol == "legacy" else ("results", "index")
    return Files(out / f"{stem}.md", out / f"{stem}.csv", out / f"{stem}.parquet", out / f"{page}.html")


def write_rows(to: Files, outcomes: Sequence[Outcome], protocol: str) -> None:
    """One row a job, as Parquet and as CSV."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    flat, binary, text = rows(outcomes, protocol), io.BytesIO(), io.StringIO(newline="")
    parquet.write_table(pa.Table.from_pylist(flat), binary)
    write_atomically(to.parquet, binary.getvalue())
    writer = csv.DictWriter(text, list(flat[0]))
    writer.writeheader()
    writer.writerows(flat)
    write_atomically(to.csv, text.getvalue().encode())
