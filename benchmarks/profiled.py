"""Where the time of a training step goes: kernels of a profile, by total time.

    python -m benchmarks.profiled --family cnn --way ours --way lean

The times are those of JAX's profiler, summed over all steps that were profiled and divided by their
number. On a CPU, kernels of several threads count in full, and one that calls others counts twice.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jax

from benchmarks import lean
from benchmarks.drawn import Drawn
from benchmarks.families import FAMILIES

_WAYS = {"ours": lambda experiment, data, **pack: lean.ours([experiment], data, **pack)}
_WAYS["lean"] = lambda experiment, data, **_: lean.lean(experiment, data)


def profiled(way: lean.Way, seconds: float) -> tuple[float, dict[str, float], dict[str, float]]:
    """Profile steps for about so many seconds.

    Returns:
        milliseconds of a step, and milliseconds of it by kernel and by operation of the program.
    """
    way.settle(seconds)
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            taken = way.take(1)
        (file,) = Path(folder).rglob("*.xplane.pb")
        by_kernel: dict[str, float] = defaultdict(float)
        by_operation: dict[str, float] = defaultdict(float)
        for name, operation, nanoseconds in _events(file):
            by_kernel[name] += nanoseconds / 1e6 / taken
            by_operation[operation] += nanoseconds / 1e6 / taken
    return way.milliseconds(seconds), by_kernel, by_operation


def _events(file: Path) -> Iterator[tuple[str, str, float]]:
    """Yield the name of each kernel, the operation that it is part of, and its nanoseconds."""
    for plane in jax.profiler.ProfileData.from_file(str(file)).planes:
        on_gpu = plane.name.startswith("/device:GPU")
        lines = list(plane.lines)
        print(plane.name, [line.name for line in lines], file=sys.stderr)
        # Other lines of a GPU sum up what its streams did.
        lines = [line for line in lines if not on_gpu or "Stream" in (line.name or "Stream")]
        for line in lines:
            for event in line.events:
                stats: dict[str, Any] = {str(key): value for key, value in event.stats if key}
                if on_gpu or "hlo_op" in stats:
                    operation = str(stats.get("tf_op") or stats.get("name") or event.name)
                    yield _numberless(event.name), _numberless(operation), event.duration_ns


def _numberless(name: str) -> str:
    """Return a name without the numbers that tell copies of an operation apart."""
    return re.sub(r"(block_|[._])\d+", r"\1*", name)[-110:]


def main() -> None:
    """Profile what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiled", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--family", choices=list(FAMILIES), required=True)
    parser.add_argument("--way", action="append", choices=list(_WAYS), help="default: ours")
    parser.add_argument("--size", choices=["cpu", "gpu", "tiny"], help="default: by the device")
    parser.add_argument("--examples", type=int, help="default: those of the size")
    parser.add_argument("--micro-batch", type=int)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a measurement")
    parser.add_argument("--top", type=int, default=25, help="kernels to show")
    args = parser.parse_args()
    size = args.size or ("cpu" if jax.default_backend() == "cpu" else "gpu")
    experiment = FAMILIES[args.family].experiment(size)
    problem = dataclasses.replace(experiment.problem, precision=args.precision)
    if args.examples:
        data_set = dataclasses.replace(cast(Drawn, problem.dataset), num_examples=args.examples)
        problem = dataclasses.replace(problem, dataset=data_set)
    experiment = dataclasses.replace(experiment, problem=problem)
    data = problem.dataset.load(Path())
    for name in args.way or ["ours"]:
        way = _WAYS[name](experiment, data, micro_batch=args.micro_batch)
        taken, kernels, operations = profiled(way, args.seconds)
        for kind, times in (("kernel", kernels), ("operation", operations)):
            print(f"\n{args.family}, {name}: {taken:.4g} ms a step, {sum(times.values()):.4g} in:")
            longest = sorted(times.items(), key=lambda item: -item[1])[: args.top]
            print(f"        ms  {kind}")
            print("\n".join(f"{ms:10.4f}  {what}" for what, ms in longest), flush=True)


if __name__ == "__main__":
    main()
