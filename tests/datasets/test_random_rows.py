"""Random rows are functions of the seed and their number, in every version of JAX."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from optexp_jax.datasets import Gaussian, Uniform
from optexp_jax.datasets.synthetic import inputs as drawing
from optexp_jax.datasets.synthetic.inputs import draw_rows


@pytest.mark.parametrize("inputs", [Uniform(), Gaussian(0.5, 2.0)])
@pytest.mark.slow
def test_rows_depend_neither_on_their_number_nor_on_the_block(inputs, monkeypatch):
    key = jax.random.key(3)
    whole = draw_rows(inputs, key, 11, 5)
    assert np.array_equal(draw_rows(inputs, key, 4, 5), whole[:4])
    monkeypatch.setattr(drawing, "_BLOCK_BYTES", 3 * 4 * 5)  # three rows, of which the last again
    jax.clear_caches()
    assert np.array_equal(draw_rows(inputs, key, 11, 5), whole)
    assert len(np.unique(whole)) == whole.size


DISTRIBUTIONS = [Uniform(), Gaussian(), Gaussian(1), Gaussian(0.3, 0.1)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "length", "counts"),
    [
        *((inputs, 5, [1, 3, 100]) for inputs in DISTRIBUTIONS),
        *((DISTRIBUTIONS[-1], length, [7]) for length in (3, 64)),
    ],
)
def test_a_row_is_the_same_whatever_the_number_of_rows(inputs, length, counts):
    """Rows of a few entries were rounded otherwise in JAX 0.12 where they are many."""
    key = jax.random.key(1)
    whole = np.asarray(draw_rows(inputs, key, 103, length))
    for count in counts:
        assert np.array_equal(draw_rows(inputs, key, count, length), whole[:count])
    assert np.array_equal(draw_rows(inputs, key, 7, length, bias_column=True)[:, :-1], whole[:7])


@pytest.mark.slow  # with all optimisations, as it looks at bits
@pytest.mark.parametrize("inputs", DISTRIBUTIONS)
def test_a_row_is_its_uniform_numbers_as_quantiles(inputs):
    """In every version of JAX: √2 · scale is one factor in float32, as in 0.10.2."""
    key = jax.random.fold_in(jax.random.key(1), 2)
    low = 0.0 if inputs == Uniform() else np.nextafter(np.float32(-1), np.float32(0))
    u = jax.random.uniform(key, (200,), jnp.float32, low, 1.0)
    expected = np.asarray(u, np.float64)
    if inputs != Uniform():
        factor = np.float64(np.float32(np.sqrt(2)) * np.float32(inputs.scale))
        expected = np.float32(inputs.mean) + factor * np.asarray(jax.lax.erf_inv(u), np.float64)
    found = np.asarray(draw_rows(inputs, jax.random.key(1), 3, 200)[2], np.float64)
    assert (abs(found - expected) <= 2.0**-24 * abs(expected) * (1 + 1e-6)).mean() > 0.99


@pytest.mark.slow
def test_drawing_takes_little_more_memory_than_the_rows(tmp_path):
    code = (
        "import resource, sys, jax; from optexp_jax.datasets import RandomHeavyTailedLabels; "
        "from pathlib import Path; peak = lambda: resource.getrusage(resource.RUSAGE_SELF); "
        "load = lambda size: RandomHeavyTailedLabels(size, seed=0).load(Path()).train.inputs; "
        "load(5).block_until_ready(); before = peak().ru_maxrss; "
        "size = load(10).block_until_ready().nbytes; "
        "print((peak().ru_maxrss - before) * (1 if sys.platform == 'darwin' else 1024) / size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.25  # 461 MB; all random bits at once would make it 3
