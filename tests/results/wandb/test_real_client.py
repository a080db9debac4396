"""The mirror with wandb's own client, offline: it stays in the workspace, and nobody waits."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import optexp_jax

SCRIPT = """
import os, signal, sys, test_mirror as t
from pathlib import Path

def launch(status):
    said = []
    settings = t.Settings.from_env({"OPTEXP_WORKSPACE": "w"})
    mirror = t.wandb_mirror.open_mirror(settings, said.append)
    for i in range(3):
        mirror.start(t.declare(seed=i), f"abcdefg{i}")
        mirror.log(f"abcdefg{i}", t.ROWS)
    if status == "hung":
        while len(mirror._runs) < 3:
            t.time.sleep(0.01)
        service = sys.modules["wandb"].sdk.wandb_setup._singleton._connection._proc._process
        os.kill(service.pid, signal.SIGSTOP)
    for i in range(3):
        mirror.finish(f"abcdefg{i}", status, [Path("w/arrays.npz")])
    mirror.close(timeout=1.0 if status == "hung" else 60.0)
    return said

Path("w").mkdir()
Path("w/arrays.npz").write_bytes(b"123")
handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
said = [launch(status) for status in sys.argv[1:]]
assert handlers == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
assert [len(s) for s in said] == [int(s == "hung") for s in sys.argv[1:]], said
"""


def real(tmp_path, *arguments):
    """Real wandb in a process of its own; returns the run folders. No key, nothing set."""
    for folder in ("home", "cwd"):
        (tmp_path / folder).mkdir()
    root = Path(optexp_jax.__file__).parent.parent
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.pathsep.join([str(root), str(Path(__file__).parent)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=tmp_path / "cwd",
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert not list((tmp_path / "home").iterdir())
    assert [path.name for path in (tmp_path / "cwd").iterdir()] == ["w"]
    assert {path.name for path in (tmp_path / "cwd" / "w").iterdir()} == {
        "arrays.npz",
        "wandb",
        "wandb_cache",
    }
    wandb = tmp_path / "cwd" / "w" / "wandb"
    assert not any(path.is_symlink() for path in wandb.iterdir())  # processes would fight for it
    return sorted(wandb.glob("offline-run-*"))


def test_real_wandb_offline_stays_in_the_workspace_and_silent(tmp_path):
    folders = real(tmp_path, "preempted", "done")  # the second resumes the ids of the first
    assert len(folders) == 6
    assert {folder.name.split("-")[3] for folder in folders} == {f"abcdefg{i}" for i in range(3)}
    for folder in folders:
        (record,) = folder.glob("*.wandb")
        assert b"tr_SquaredLoss" in record.read_bytes()


@pytest.mark.slow
def test_real_wandb_that_hangs_is_left_behind_at_exit(tmp_path):
    begin = time.perf_counter()
    assert len(real(tmp_path, "hung", "done")) == 6  # the next mirror of the process works again
    assert time.perf_counter() - begin < 30
