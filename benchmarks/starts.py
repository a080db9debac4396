"""The first step of a family: from a cold and from a warm compile cache, and the most memory.

    python -m benchmarks.starts --family cnn

Each is measured in a process of its own, after its imports, until the step is taken. Memory is that
of the process on a CPU, and that of the device on a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import jax

from benchmarks import lean
from benchmarks.families import FAMILIES, SIZES
from optexp_jax.host import keep_freed_memory

_ALWAYS = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def starts(family: str, size: str) -> dict[str, float]:
    """Seconds of a cold and of a warm start, and the most bytes of memory of the cold one."""
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | _ALWAYS | {"JAX_COMPILATION_CACHE_DIR": cache}
        cold, warm = (_in_process(family, size, env) for _ in range(2))
    return {
        "start_cold_s": cold["start_s"],
        "start_warm_s": warm["start_s"],
        "start_peak_bytes": cold["peak_bytes"],
    }


def _in_process(family: str, size: str, env: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.starts", "--once", "--size", size]
    done = subprocess.run(
        [*command, "--family", family], env=env, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def once(family: str, size: str) -> dict[str, float]:
    """Take the first step of a family in this process."""
    experiment = FAMILIES[family].experiment(size)
    way = lean.ours([experiment], experiment.problem.dataset.load(Path()))
    kibibytes = 1 if sys.platform == "darwin" else 1024
    peak = way.peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kibibytes
    return {"start_s": way.start, "peak_bytes": peak}


def main() -> None:
    """Print an object for each family."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starts", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--family", action="append", choices=list(FAMILIES), required=True)
    parser.add_argument("--size", choices=SIZES, help="default: by the device")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    keep_freed_memory()  # as a run does, before JAX starts
    size = args.size or ("cpu" if jax.default_backend() == "cpu" else "gpu")
    for family in args.family:
        found = once(family, size) if args.once else {"family": family, **starts(family, size)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
