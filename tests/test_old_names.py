"""Names of version 0.1.0 that programs, modules and queued scripts of users have go on working."""

import importlib
import subprocess
import sys

import pytest
from wording import is_told

OLD = [
    ("optexp_jax.launch.cli", "optexp_jax.cli", "main"),
    ("optexp_jax.launch.api", "optexp_jax", "run"),
    ("optexp_jax.frozen_features", "optexp_jax.datasets.frozen_features", "FrozenFeatures"),
]


@pytest.mark.parametrize(("old", "new", "name"), OLD)
def test_an_old_name_is_the_new_thing(old, new, name):
    there, here = importlib.import_module(old), importlib.import_module(new)
    assert getattr(there, name) is getattr(here, name)


def test_a_script_that_was_queued_before_finds_its_program(tmp_path):
    command = [sys.executable, "-m", "optexp_jax.launch.slurm.supervise", tmp_path / "none.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 2
    assert is_told("manifest-unreadable", done.stderr, path=tmp_path / "none.json")
