"""Time of a training step, by family of models: ours, the leanest JAX step, and PyTorch's.

    python -m benchmarks.steps --family cnn --json

All take full-batch steps of the same problem, from the same parameters, in float32; their first
losses are compared before anything is timed. Ours and PyTorch's record losses and accuracies by
class and the norms of gradient and parameters at every step; the lean step records nothing. The
ways are timed in turn, several times, and medians are printed.

`ours` is the loop that trains (`optexp_jax.training`) in the form that suits the device; `loops` is
the form for a CPU. `--public` adds the public call `run`, with rows, checkpoints and display: the
difference of a long and a short run. `--starts` adds the first step from a cold and from a warm
compile cache, and the most memory, each in a process of its own. `--quick` measures 3 times 0.3 s,
without `torch.compile`, and on a CPU smaller problems.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.table import Table

import optexp_jax
from benchmarks import lean
from benchmarks.families import FAMILIES, SIZES
from benchmarks.lean import Way
from benchmarks.starts import starts
from optexp_jax.datasets.data import Data
from optexp_jax.experiment import Experiment
from optexp_jax.host import keep_freed_memory

_MOST = 5000  # steps of a public run, each with a row in the workspace
_NAMES = {
    "ours": "ours_ms",
    "loops": "loops_ms",
    "lean": "lean_ms",
    "torch": "torch_ms",
    "compile": "torch_compile_ms",
}

# What `--public` and `--starts` add.
_MORE = {
    "run_ms": "run",
    "start_cold_s": "cold start, s",
    "start_warm_s": "warm start, s",
    "start_peak_bytes": "most bytes",
}


def device_name() -> str:
    """The device that JAX computes on, for people."""
    kind = jax.devices()[0].device_kind
    return f"{os.cpu_count()} cores, {_processor()}" if kind == "cpu" else kind


def _processor() -> str:
    """The model of the processor, on which ratios depend, too."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def ways_of(names: list[str], experiment: Experiment, data: Data) -> dict[str, Way]:
    """The ways by name, each begun; one that does not work is said and left out."""
    makers: dict[str, Callable[[], Way]] = {
        "ours": lambda: lean.ours([experiment], data),
        "loops": lambda: lean.ours([experiment], data, form="cpu"),
        "lean": lambda: lean.lean(experiment, data),
    }
    if find_spec("torch"):
        from benchmarks import torch_models

        makers["torch"] = lambda: torch_models.eager(experiment, data)
        makers["compile"] = lambda: torch_models.eager(experiment, data, compiled=True)
    ways = {}
    for name in names:
        if name not in makers:
            continue
        try:
            ways[name] = makers[name]()
        except Exception as error:  # of PyTorch or a compiler: what it is, is told
            print(f"  {name} does not work: {_first_line(error)}", file=sys.stderr)
    return ways


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def check_losses(ways: dict[str, Way]) -> None:
    """Refuse to time what computes different things.

    Raises:
        RuntimeError: the first losses differ by more than a thousandth.
    """
    first = {name: way.first for name, way in ways.items()}
    expected = first.get("ours", next(iter(first.values())))
    if not all(math.isclose(loss, expected, rel_tol=1e-3) for loss in first.values()):
        raise RuntimeError(f"The ways start at different losses: {first}.")


def measure(family: str, size: str, names: list[str], seconds: float, rounds: int) -> dict:
    """Milliseconds of a step by way, in rounds of about so many seconds each."""
    experiment = FAMILIES[family].experiment(size)
    data = experiment.problem.dataset.load(Path())
    ways = ways_of(names, experiment, data)
    check_losses(ways)
    for way in ways.values():
        way.settle(seconds, most=4 * seconds if size == "quick" else 40.0)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way.milliseconds(seconds))
    times = {name: statistics.median(values) for name, values in taken.items()}
    entry: dict[str, Any] = {"family": family, "size": size}
    entry |= {key: times.get(name) for name, key in _NAMES.items()}
    entry |= {
        "ours_over_lean": _ratio(taken, "ours", "lean"),
        "torch_over_ours": _ratio(taken, "torch", "ours"),
        "rounds": rounds,
        "device": device_name(),
        "start_s": {name: way.start for name, way in ways.items()},
        "peak_bytes": ways["ours"].peak if "ours" in ways else None,
        "lean_planned_bytes": ways["lean"].planned if "lean" in ways else None,
        "loss": {name: way.first for name, way in ways.items()},
    }
    return entry


def _ratio(taken: dict[str, list[float]], above: str, below: str) -> float | None:
    """The median of the ratios of the rounds."""
    if above not in taken or below not in taken:
        return None
    return statistics.median(a / b for a, b in zip(taken[above], taken[below], strict=True))


def public(family: str, size: str, step_ms: float, seconds: float) -> float:
    """Milliseconds of a step of the public `run`, its start taken away."""
    steps = min(_MOST, max(2, int(1000 * seconds / step_ms)))

    def timed(number: int, workspace: str) -> float:
        experiment = FAMILIES[family].experiment(size, steps=number)
        began = time.perf_counter()
        optexp_jax.run(experiment, workspace)
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as workspace:
        timed(1, workspace)  # which compiles
        start = timed(2, workspace)
        return 1000 * (timed(steps + 2, workspace) - start) / steps


def table_of(entries: list[dict]) -> Table:
    """The entries for people."""
    table = Table(
        "family", "ours", "loops", "lean", "PyTorch", "torch.compile", "ours/lean", "PyTorch/ours"
    )
    keys = [*_NAMES.values(), "ours_over_lean", "torch_over_ours"]
    for key, name in _MORE.items():
        if any(key in entry for entry in entries):
            table.add_column(name)
            keys.append(key)
    for entry in entries:
        table.add_row(entry["family"], *(_shown(entry.get(key)) for key in keys))
    table.title = f"ms per step, {entries[0]['device']}" if entries else None
    return table


def _shown(number: float | None) -> str:
    return "-" if number is None else f"{number:.3g}"


def sizes() -> list[str]:
    """The families that this machine can take."""
    small = jax.default_backend() == "cpu"
    return [name for name, family in FAMILIES.items() if not (small and family.gpu_only)]


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="default: all")
    parser.add_argument("--ways", default="ours,lean,torch,compile", help="of these, which")
    parser.add_argument("--seconds", type=float, help="length of a measurement, default: 2")
    parser.add_argument("--rounds", type=int, help="measurements of each way, default: 5")
    parser.add_argument("--quick", action="store_true", help="two and a half minutes on two cores")
    parser.add_argument("--size", choices=SIZES, help="default: by the device")
    parser.add_argument("--starts", action="store_true", help="time cold and warm starts too")
    parser.add_argument("--public", action="store_true", help="time the public `run` too")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    args = parser.parse_args()
    keep_freed_memory()  # as a run does, before JAX starts
    os.environ.setdefault("OPTEXP_WANDB_ENABLED", "false")
    size = args.size or ("cpu" if jax.default_backend() == "cpu" else "gpu")
    seconds = args.seconds or (0.3 if args.quick else 2.0)
    rounds = args.rounds or (3 if args.quick else 5)
    names = args.ways.split(",")
    if args.quick:
        size = args.size or ("quick" if size == "cpu" else size)
        names = [name for name in names if name != "compile"]
    entries = []
    for family in args.family or sizes():
        print(f"{family} ...", file=sys.stderr, flush=True)
        entry = measure(family, size, names, seconds, rounds)
        if args.public:
            entry["run_ms"] = public(family, size, entry["ours_ms"], 4 * seconds)
        if args.starts:
            entry |= starts(family, size)
        entries.append(entry)
        print(f"  {json.dumps(entry)}", file=sys.stderr, flush=True)
        jax.clear_caches()
    if args.json:
        print(json.dumps(entries, indent=1))
    else:
        Console(width=None if Console().is_terminal else 110).print(table_of(entries))


if __name__ == "__main__":
    main()
