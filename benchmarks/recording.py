"""What telling wandb of runs costs: `python -m benchmarks.recording [--rounds 5]`.

Runs a group of experiments in turn with and without wandb, each time into an empty workspace, and
prints the median of the ratios of their times. It needs an idle machine.
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

GROUPS = (("experiments.linreg", "--scale", "small"), ("experiments.linreg_perclass",))


def seconds_of(group: tuple[str, ...], enabled: bool) -> tuple[float, int, int]:
    """Seconds of `--local`, and the bytes on disk of the results and of what wandb has."""
    with tempfile.TemporaryDirectory() as workspace:
        environment = {
            "OPTEXP_WORKSPACE": workspace,
            "OPTEXP_WANDB_ENABLED": str(enabled).lower(),
            "OPTEXP_WANDB_MODE": "offline",
        }
        command = [sys.executable, "-m", group[0], "--local", *group[1:]]
        began = time.perf_counter()
        subprocess.run(command, check=True, env=os.environ | environment, capture_output=True)
        seconds = time.perf_counter() - began
        return seconds, on_disk(Path(workspace, "experiments")), on_disk(Path(workspace, "wandb"))


def on_disk(folder: Path) -> int:
    """Bytes of the blocks of all files and folders."""
    return sum(512 * p.lstat().st_blocks for p in [folder, *folder.rglob("*")] if p.exists())


def main() -> None:
    """Print a line for each group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for group in GROUPS:
        ratios, every, results, records = [], [], 0, 0
        for _ in range(rounds):
            without, _, _ = seconds_of(group, enabled=False)
            seconds, results, records = seconds_of(group, enabled=True)
            ratios.append(seconds / without)
            every.append((without, seconds))
        without, seconds = (statistics.median(times) for times in zip(*every, strict=True))
        print(
            f"{' '.join(group)}: {without:.1f} s without, {seconds:.1f} s with wandb, "
            f"ratio {statistics.median(ratios):.3f}; "
            f"{results:,} bytes of results, {records:,} of records",
            flush=True,
        )


if __name__ == "__main__":
    main()
