"""Several processes run a pack together, on the devices of all of them, as under srun."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cluster_grid import experiments

from optexp_jax.results.load import load_results
from optexp_jax.schedulers.manifest import Manifest

ROOT = Path(__file__).parents[3]
GRID = ROOT / "tests" / "helpers" / "cluster_grid.py"


def environment(workspace, devices):
    return os.environ | {
        "OPTEXP_WORKSPACE": str(workspace),
        "OPTEXP_WANDB_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }


def start(number, of, path):
    """A process of a step of SLURM, which tells it its place by these variables."""
    place = {
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_NTASKS": str(of),
        "SLURM_STEP_NUM_NODES": "1",
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_PROCID": str(number),
        "SLURM_LOCALID": str(number),
    }
    command = [sys.executable, str(GRID), "--task", str(path)]
    where = environment(path.parent, 2) | place
    with open(path.parent / f"log-{number}", "w") as log:  # which the process has open, too
        return subprocess.Popen(command, env=where, stdout=log, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The workspace of one process with one device."""
    workspace = tmp_path_factory.mktemp("alone")
    for number in range(2):
        command = [sys.executable, str(GRID), "--single", str(number)]
        subprocess.run(command, env=environment(workspace, 1), check=True, capture_output=True)
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize(("per_run", "shard"), [(1, "data"), (2, "data"), (4, "fsdp")])
def test_two_processes_of_two_devices_give_the_numbers_of_one(tmp_path, alone, per_run, shard):
    chosen = experiments[:2]
    where = (str(tmp_path), str(tmp_path), None, "2026-01-01T00:00:00+0000")
    packs = (tuple((e.group, e.id) for e in chosen),)
    options = {"devices": per_run, "shard": shard}
    manifest = Manifest(("python",), *where, options, 2, 0, (packs,))
    manifest.write(tmp_path / "manifest.json")
    processes = [start(i, 2, tmp_path / "manifest.json") for i in range(2)]
    codes = [process.wait(timeout=900) for process in processes]
    assert codes == [0, 0], [(tmp_path / f"log-{i}").read_text() for i in range(2)]
    for experiment in chosen:
        found, wanted = (load_results(experiment, w) for w in (tmp_path, alone))
        assert found.status == "done"
        assert found.details["shard"] == shard
        assert list(found.table) == list(wanted.table)
        for name, tolerance in (("tr_CrossEntropyLoss", 1e-5), ("tr_Accuracy", 1e-2)):
            np.testing.assert_allclose(found.table[name], wanted.table[name], rtol=tolerance)
