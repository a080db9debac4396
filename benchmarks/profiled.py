"""Where the time of a training step goes: kernels of a profile, by total time.

    python -m benchmarks.profiled --family cnn --way ours --way lean

The times are those of JAX's profiler, for each step. On a CPU, kernels of several threads count in
full, and one that calls others counts twice.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import jax

from benchmarks import lean
from benchmarks.drawn import Drawn
from benchmarks.families import FAMILIES, SIZES
from optexp_jax.host import keep_freed_memory

_WAYS = ("ours", "lean")


def profiled(way: lean.Way, seconds: float) -> tuple[float, dict[str, float]]:
    """Time steps for about so many seconds, and profile those of one call.

    Returns:
        milliseconds of a step, and milliseconds of it by kernel.
    """
    way.settle(seconds)
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            taken = way.take(1)
        (file,) = Path(folder).rglob("*.xplane.pb")
        kernels: dict[str, float] = defaultdict(float)
        for name, nanoseconds in _kernels(file):
            kernels[name] += nanoseconds / 1e6 / taken
    return way.milliseconds(seconds), kernels


def _kernels(file: Path) -> Iterator[tuple[str, float]]:
    """Yield the name of each kernel that ran, and its nanoseconds."""
    for plane in jax.profiler.ProfileData.from_file(str(file)).planes:
        on_gpu = plane.name.startswith("/device:GPU")
        for line in plane.lines:
            if on_gpu and "Stream" not in (line.name or ""):
                continue  # it sums up what streams did
            for event in line.events:
                if on_gpu or any(key == "hlo_op" for key, _ in event.stats):
                    yield _numberless(event.name), event.duration_ns


def _numberless(name: str) -> str:
    """Return a name without the numbers that tell copies of an operation apart."""
    return re.sub(r"(block_|[._])\d+", r"\1*", name)[-110:]


def main() -> None:
    """Profile what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiled", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--family", choices=list(FAMILIES), required=True)
    parser.add_argument("--way", action="append", choices=_WAYS, help="default: ours")
    parser.add_argument("--size", choices=SIZES, help="default: by the device")
    parser.add_argument("--examples", type=int, help="default: those of the size")
    parser.add_argument("--micro-batch", type=int, help="of ours; default: none")
    parser.add_argument("--precision", default="float32", help="default: float32")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a measurement")
    parser.add_argument("--top", type=int, default=25, help="kernels to show")
    args = parser.parse_args()
    keep_freed_memory()  # as a run does, before JAX starts
    size = args.size or ("cpu" if jax.default_backend() == "cpu" else "gpu")
    experiment = FAMILIES[args.family].experiment(size)
    problem = dataclasses.replace(experiment.problem, precision=args.precision)
    if args.examples:
        data_set = dataclasses.replace(cast(Drawn, problem.dataset), num_examples=args.examples)
        problem = dataclasses.replace(problem, dataset=data_set)
    experiment = dataclasses.replace(experiment, problem=problem)
    data = problem.dataset.load(Path())
    for name in args.way or ["ours"]:
        micro = {"micro_batch": args.micro_batch}
        way = (
            lean.ours([experiment], data, **micro)
            if name == "ours"
            else lean.lean(experiment, data)
        )
        taken, kernels = profiled(way, args.seconds)
        print(f"\n{args.family}, {name}: {taken:.4g} ms a step, {sum(kernels.values()):.4g} in:")
        longest = sorted(kernels.items(), key=lambda item: -item[1])[: args.top]
        print("\n".join(f"{ms:10.4f} ms  {kernel}" for kernel, ms in longest), flush=True)


if __name__ == "__main__":
    main()
