"""Trajectories of the optimizers that the paper does not have against their equations."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from reference_files import arrays

from optexp_jax.optim import SOAP, Adafactor, AdamMini, Lion, Muon, ScheduleFreeAdamW, Signum

DATA = arrays("newer_optimizers.npz")
RATE = "10^-1"
SPECS = {
    "lion": Lion(RATE, weight_decay=0.1),
    "signum": Signum(RATE),
    "adafactor": Adafactor(RATE, min_dim_size_to_factor=2),
    "schedule_free": ScheduleFreeAdamW(RATE, weight_decay=0.1),
    "muon": Muon(RATE, rules=((".*", "mlp"),)),
    "soap": SOAP(RATE, precondition_frequency=3),
    "adam_mini": AdamMini(RATE, rules=(("W", "qk"),)),
}
COLUMNS = {"soap": 6}  # see tools/reference/newer_optimizers.py
SHAPES = {"adam_mini": {"W": (5, 2, 4)}}  # inputs, heads, width


def viewed(name, leaf, array):
    """A leaf, or the gradients of one, as a method trains it."""
    shape = SHAPES.get(name, {}).get(leaf)
    if leaf == "W":
        array = array[..., : COLUMNS.get(name)]
    return jnp.asarray(array if shape is None else array.reshape(*array.shape[:-2], *shape))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SPECS)
def test_trajectory_equals_the_reference(name):
    tx = SPECS[name].build()

    def step(carry, gradient):
        params, state = carry
        updates, state = tx.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    start = {leaf: viewed(name, leaf, DATA[f"{leaf}0"]) for leaf in ("W", "b")}
    gradients = {leaf: viewed(name, leaf, DATA[f"{leaf}_gradients"]) for leaf in ("W", "b")}
    found = jax.jit(lambda: jax.lax.scan(step, (start, tx.init(start)), gradients)[1])()
    for leaf in ("W", "b"):
        expected = DATA[f"{name}/{leaf}"]
        np.testing.assert_allclose(found[leaf].reshape(expected.shape), expected, 1e-6, 1e-7)


def test_every_method_of_the_file_is_compared():
    assert {key.split("/")[0] for key in DATA if "/" in key} == set(SPECS)
