"""Errors of the machine and of the user's own code: told from damage, and from one another."""

import errno
import os
import pathlib
import re
import subprocess
import sys

import flax.linen as nn
import pytest
from errors import refuses
from fault_runs import DATASET, assert_rows, folder_of, pack, run_all, stop_after
from wording import is_told

import optexp_jax
from optexp_jax import Experiment, Problem
from optexp_jax.errors import DamagedError, UnreadableError, UnwritableError
from optexp_jax.losses import CrossEntropy
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.load import load_results
from optexp_jax.runner import checkpoint

pytestmark = pytest.mark.usefixtures("quickly_compiled")

PAIR = pack()

# A checkpoint of 400 kB where files have at most 100; rows are far smaller.
FULL = """
import resource, signal, sys
import orbax.checkpoint
from optexp_jax import Experiment, Problem
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.cli import main
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import MLP
from optexp_jax.optim import SGD, LearningRate

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
data = RandomHeavyTailedLabels(size=3, seed=0)
model = MLP(data.num_classes, (2500,))
runs = [
    Experiment(Problem(model, data, CrossEntropy()), optimizer, "full", steps=20)
    for optimizer in (SGD(LearningRate(-2)), SGD(LearningRate(-2), momentum=0.9))
]
main(runs, argv=["--local", "--checkpoint-every", "0"])
"""


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A workspace where nothing happened."""
    workspace = tmp_path_factory.mktemp("truth")
    run_all(workspace, PAIR)
    return workspace


def refusing(number, kind=OSError):
    def refuse(path):
        raise kind(number, os.strerror(number), str(path))

    return refuse


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.ENOMEM, errno.EIO])
def test_a_file_that_cannot_be_read_is_not_called_damaged(number, truth, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "read_bytes", refusing(number))
        with refuses("path-unreadable", UnreadableError, cause=os.strerror(number)):
            load_results(PAIR[0], truth)
    assert load_results(PAIR[0], truth).status == "done"


def test_no_memory_is_not_damage(truth, monkeypatch):
    def refuse(path):
        raise MemoryError

    monkeypatch.setattr(pathlib.Path, "read_bytes", refuse)
    with refuses("path-unreadable", UnreadableError, cause="out of memory"):
        load_results(PAIR[0], truth)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        ValueError("NOT_FOUND: opening 'd/1': Too many open files [source locations]"),
        PermissionError(errno.EACCES, "Permission denied"),
        MemoryError(),
    ],
)
def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(
    error, tmp_path, truth, monkeypatch
):
    stop_after(3, tmp_path, PAIR, monkeypatch)

    def refuse(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_read", refuse)
        outcome = run_all(tmp_path, PAIR)
    assert outcome.failed == PAIR
    assert all("delete" not in reason for reason in outcome.reasons.values())
    assert run_all(tmp_path, PAIR).failed == []
    for one in PAIR:
        assert_rows(one, tmp_path, truth)


def test_a_damaged_file_is_called_so(tmp_path):
    run_all(tmp_path, PAIR)
    path = folder_of(tmp_path, PAIR[0]) / "metrics.parquet"
    path.write_bytes(b"PAR1")
    with refuses("file-damaged", DamagedError, path=path):
        load_results(PAIR[0], tmp_path)


# -- the user's own code --------------------------------------------------------------------------


@optexp_jax.register("test-machine-raises")
class Raises(nn.Module):
    kind: str

    @nn.compact
    def __call__(self, inputs):
        if self.kind == "os":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", "my_weights.npy")
        if self.kind == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "/scratch/my_cache")
        raise SystemExit(0)


@pytest.mark.parametrize(
    ("kind", "said"), [("os", "my_weights.npy"), ("full", "my_cache"), ("exit", "SystemExit")]
)
def test_what_a_model_raises_ends_its_pack_alone(kind, said, tmp_path, truth):
    problem = Problem(Raises(kind), DATASET, CrossEntropy())
    bad = Experiment(problem, SGD(LearningRate(0)), "faults", steps=2)
    outcome = run_all(tmp_path, [bad, *PAIR])
    assert outcome.failed == [bad]
    assert said in outcome.reasons[bad.run_key]
    assert "workspace" not in outcome.reasons[bad.run_key]
    assert_rows(PAIR[0], tmp_path, truth)
    with refuses("experiment-failed", experiment=bad.short_id, reason=re.compile(said)):
        optexp_jax.run(bad, tmp_path)


# -- full disks -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_checkpoint_on_a_full_disk_is_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL],
        cwd=tmp_path,
        env=os.environ | {"OPTEXP_WORKSPACE": str(tmp_path), "XLA_FLAGS": ""},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert is_told("checkpoint-unwritable", line, cause="File too large")
    assert "momentum" not in done.stdout  # the next pack is not tried


def test_a_checkpoint_that_cannot_be_written_is_an_error_of_the_workspace(tmp_path):
    (tmp_path / "packs").write_text("in the way")
    with refuses("checkpoint-unwritable", UnwritableError, folder=tmp_path / "packs" / "a"):
        checkpoint.CheckpointWriter(tmp_path / "packs" / "a")
