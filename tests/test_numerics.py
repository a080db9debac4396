"""Settings of JAX and NumPy change no number under the same id; what cannot be pinned is kept."""

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from optexp_jax.datasets import Gaussian, GaussianMixture, PatternImages, RandomHeavyTailedLabels
from optexp_jax.numerics import key_of, pinned, settings_in_use

# What a program prints of its data, initial values, order of batches, dropout and rows.
PROGRAM = """
import hashlib, json, sys
from pathlib import Path
import flax.linen as nn
import numpy as np
import optexp_jax
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.datasets import (
    Gaussian, GaussianMixture, PatternImages, RandomHeavyTailedLabels, ZipfMandelbrot,
)
from optexp_jax.losses import CrossEntropy
from optexp_jax.optim import Adam, LearningRate
from optexp_jax.results.store import RunFolder

@optexp_jax.register("test-numerics-net")
class Net(nn.Module):
    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.softmax(nn.Dense(8)(inputs))
        return nn.Dense(7)(nn.Dropout(0.5)(hidden, deterministic=not train))

def digest(*arrays):
    return hashlib.sha256(b"".join(np.asarray(a).tobytes() for a in arrays)).hexdigest()

workspace = Path(sys.argv[1])
found = {}
for dataset in (
    RandomHeavyTailedLabels(3, seed=0), RandomHeavyTailedLabels(3, Gaussian(1.0), seed=0),
    GaussianMixture(5, least=1, seed=0), ZipfMandelbrot(5, seed=0), PatternImages(3, size=4),
):
    data = dataset.load(workspace)
    assert data.train.inputs.dtype == np.float32
    found[repr(dataset)] = digest(data.train.inputs, data.train.labels)
problem = Problem(Net(), RandomHeavyTailedLabels(3, seed=0), CrossEntropy(), MiniBatch(7))
one = Experiment(
    problem, Adam(LearningRate(-2)), "numerics", seed=3, steps=9, per_class=True, keep_steps=(0,)
)
results = optexp_jax.run(one, workspace)
found["initial"] = digest(*RunFolder(workspace, one).read_parameters(0).values())
found["rows"] = results.table.drop(columns="epoch").to_numpy().tolist()[:-1]
found["status"] = results.status
print(json.dumps(found))
"""

SETTINGS = {
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_RANDOM_SEED_OFFSET": "5",
    "JAX_ENABLE_X64": "1",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_DEBUG_NANS": "1",
    "JAX_DEBUG_INFS": "1",
    "JAX_DEBUG_KEY_REUSE": "1",
    "JAX_SOFTMAX_CUSTOM_JVP": "1",
}


def printed(workspace, **environment):
    """What the program prints with some settings."""
    given = os.environ | {"XLA_FLAGS": ""} | environment
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(workspace)],
        env=given,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return printed(tmp_path_factory.mktemp("plain"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all", "JAX_THREEFRY_PARTITIONABLE", "JAX_DISABLE_JIT"])
def test_the_environment_changes_no_number(name, plain, tmp_path):
    settings = {"JAX_THREEFRY_PARTITIONABLE": "0", "JAX_DISABLE_JIT": "1"}
    given = SETTINGS if name == "all" else {name: settings[name]}
    found = printed(tmp_path, **given)
    assert found["status"] == "done"
    assert found == plain


@pytest.mark.slow
def test_inside_a_program_that_sets_jax_otherwise(tmp_path):
    datasets = [
        RandomHeavyTailedLabels(3, Gaussian(), seed=0),
        GaussianMixture(5, least=1, seed=0),
        PatternImages(3, size=4),
    ]
    for dataset in datasets:
        right = dataset.load(tmp_path).train.inputs
        with (
            jax.default_prng_impl("unsafe_rbg"),
            jax.threefry_partitionable(False),
            jax.enable_x64(True),
            jax.numpy_rank_promotion("raise"),
            jax.numpy_dtype_promotion("strict"),
        ):
            found = dataset.load(tmp_path).train.inputs
        assert np.array_equal(found, right), dataset


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_keys_are_those_of_jax_where_nothing_is_set(seed):
    right = jax.random.key_data(jax.random.key(seed))
    for make in (key_of, jax.jit(key_of)):
        given = np.uint32(seed) if make is not key_of else seed
        assert np.array_equal(jax.random.key_data(make(given)), right)
    with jax.enable_x64(True), jax.default_prng_impl("rbg"):
        assert np.array_equal(jax.random.key_data(key_of(seed)), right)


def test_pinned_leaves_the_settings_as_they_were():
    with jax.default_prng_impl("rbg"), np.errstate(divide="raise"):
        with pinned(double=True):
            assert jnp.zeros(1).dtype == jnp.float64
            assert np.geterr()["divide"] == "warn"
        assert jax.config.jax_default_prng_impl == "rbg"
        assert np.geterr()["divide"] == "raise"
    assert jnp.zeros(1).dtype == jnp.float32


def test_what_is_not_pinned_is_written_down(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    monkeypatch.delenv("LIBTPU_INIT_ARGS", raising=False)
    assert settings_in_use()["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=true"
    assert "LIBTPU_INIT_ARGS" not in settings_in_use()
