"""What telling wandb of runs costs: `python -m benchmarks.recording [--rounds 5]`.

Runs a group of experiments in turn with and without wandb, each time into an empty workspace, and
prints the median of the ratios of their times, and how long records are written in the background
afterwards. It needs an idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import DEVNULL
from typing import NamedTuple

GROUPS = (("experiments.linreg", "--scale", "small"), ("experiments.linreg_perclass",))


class Timed(NamedTuple):
    """A command: its seconds, those of its background, bytes of results and of records."""

    seconds: float
    background: float
    results: int
    records: int


def timed(group: tuple[str, ...], enabled: bool) -> Timed:
    """Run `--local` in an empty workspace."""
    with tempfile.TemporaryDirectory() as workspace:
        environment = {
            "OPTEXP_WORKSPACE": workspace,
            "OPTEXP_WANDB_ENABLED": str(enabled).lower(),
            "OPTEXP_WANDB_MODE": "offline",
        }
        command = [sys.executable, "-m", group[0], "--local", *group[1:]]
        began = time.perf_counter()
        subprocess.run(command, check=True, env=os.environ | environment, stdout=DEVNULL)
        ended = time.perf_counter()
        while list(Path(workspace, "wandb").glob(".cache-*")):  # its child has one
            time.sleep(0.05)
        background = time.perf_counter() - ended
        folders = (Path(workspace, name) for name in ("experiments", "wandb"))
        return Timed(ended - began, background, *map(on_disk, folders))


def on_disk(folder: Path) -> int:
    """Bytes of the blocks of all files and folders."""
    return sum(512 * p.lstat().st_blocks for p in [folder, *folder.rglob("*")] if p.exists())


def main() -> None:
    """Print a line for each group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for group in GROUPS:
        pairs = [(timed(group, False), timed(group, True)) for _ in range(rounds)]
        without, seconds, background, ratio = (
            statistics.median(values)
            for values in zip(
                *((a.seconds, b.seconds, b.background, b.seconds / a.seconds) for a, b in pairs),
                strict=True,
            )
        )
        last = pairs[-1][1]
        print(
            f"{' '.join(group)}: {without:.1f} s without, {seconds:.1f} s with wandb and "
            f"{background:.1f} s in the background afterwards, ratio {ratio:.3f}; "
            f"{last.results:,} bytes of results, {last.records:,} of records",
            flush=True,
        )


if __name__ == "__main__":
    main()
