"""Write the workspace that tests of old workspaces read, with the code that wrote such ones.

That code is the last commit whose format is that of version 0.1.0, taken from the history of this
repository and run in a folder of its own. One run is done, one diverged, and a pack of two was
stopped on the way; `whole` holds what the pack comes to. Times, hosts and rounding are those of the
machine, so that the committed archive and a new one differ in them.

Command: python -m tools.make_version_0_1_0
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

COMMIT = "b946186"
ROOT = Path(__file__).parents[1]
ARCHIVE = ROOT / "tests" / "faults" / "version_0.1.0.tar.gz"
PARTS = ("workspace", "whole")

_PROGRAM = """
import dataclasses, os, signal, sys
from pathlib import Path

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.config import Settings
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.launch import pack_run
from optexp_jax.launch.local import run_local
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate

dataset = RandomHeavyTailedLabels(size=3, seed=0)
model = Linear(dataset.num_inputs, dataset.num_classes)
problem = Problem(model, dataset, CrossEntropy(), MiniBatch(7))


def pack(seed):
    named = {"seed": seed, "steps": 24, "per_class": True, "eval_every": 2}
    return [Experiment(problem, SGD(LearningRate(e), 0.9), "old", **named) for e in (-3, -2)]


def run(folder, experiments):
    return run_local(experiments, Settings(Path(folder), wandb_enabled=False))


done = pack(0)[0]
squares = dataclasses.replace(problem, loss=SquaredLoss())
diverged = dataclasses.replace(done, problem=squares, optimizer=SGD(LearningRate(3), 0.9))
run("workspace", [done, diverged])
run("whole", pack(1))
train = pack_run.run


def stopping(*arguments, **named):
    for number, chunk in enumerate(train(*arguments, **named), 1):
        if number == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        yield chunk


pack_run.run = stopping
assert run("workspace", pack(1)).stopped == signal.SIGTERM
"""


def main() -> None:
    """Take the code out of the history, run it, and pack what it wrote."""
    with tempfile.TemporaryDirectory() as name:
        code, written = Path(name, "code"), Path(name, "written")
        written.mkdir()
        _extract(code)
        environment = {**os.environ, "PYTHONPATH": str(code), "JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-c", _PROGRAM]
        subprocess.run(command, cwd=written, env=environment, check=True)
        with tarfile.open(ARCHIVE, "w:gz") as archive:
            for part in PARTS:
                archive.add(written / part / "experiments", f"{part}/experiments")


def _extract(folder: Path) -> None:
    """The code of the commit."""
    tar = folder.with_suffix(".tar")
    command = ["git", "archive", f"--output={tar}", COMMIT, "optexp_jax"]
    subprocess.run(command, cwd=ROOT, check=True)
    with tarfile.open(tar) as archive:
        archive.extractall(folder, filter="data")


if __name__ == "__main__":
    main()
