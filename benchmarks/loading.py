"""How long prepared data sets take to load, beside reading their files.

    python -m benchmarks.loading

Prepares the data sets that are here without a network in a folder of its own, and loads each
several times: the median, and how many times as long as reading all bytes of its files.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from optexp_jax.cli.display import preparing
from optexp_jax.datasets import BarcodedMNIST, Digits, FashionMNIST, Shakespeare

_TIMES = 7
DATASETS = {
    "FashionMNIST": FashionMNIST(),
    "BarcodedFashionMNIST": BarcodedMNIST(FashionMNIST(), seed=0),
    "Shakespeare": Shakespeare(),
    "Digits": Digits(),
}


def seconds(function: Callable[[], object]) -> float:
    """Median time of a call, after a first one that does not count."""
    function()
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def read_all(folder: Path) -> None:
    """Read every byte of every prepared file."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".txt":
            path.read_bytes()


def main() -> None:
    """The command line."""
    console = Console()
    table = Table(title="Loading what is prepared")
    for column in ("data set", "examples", "seconds", "times reading its files"):
        table.add_column(column, justify="left" if column == "data set" else "right")
    for name, dataset in DATASETS.items():
        with tempfile.TemporaryDirectory() as folder:
            workspace = Path(folder)
            if dataset.missing(workspace) is not None:
                console.print(f"{name} is not here: left out.")
                continue
            with preparing(console) as report:
                dataset.prepare(workspace, report)
            loaded = dataset.load(workspace)
            rows = len(loaded.train) + len(loaded.validation or ())  # type: ignore[arg-type]
            load = seconds(lambda: dataset.load(workspace))  # noqa: B023
            files = workspace / "datasets"
            ratio = f"{load / seconds(lambda: read_all(files)):.0f}" if files.is_dir() else ""  # noqa: B023
            table.add_row(name, f"{rows:,}", f"{load:.3f}", ratio)
    console.print(table)


if __name__ == "__main__":
    main()
