"""Adam-mini: which parameters share a second moment, and what it is."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from optexp_jax.optim import Adalayer, AdamMini
from optexp_jax.optim.adam_mini import block_axes, scale_by_adam_mini

SHAPES = {
    "block_0/attention/query/kernel": ((6, 2, 4), (1, 2, 1)),
    "block_0/attention/query/bias": ((2, 4), (2, 4)),
    "block_0/attention/key/kernel": ((6, 8), (1, 8)),  # heads are not to be seen
    "block_0/attention/value/kernel": ((6, 2, 4), (1, 2, 4)),
    "block_0/attention/out/kernel": ((2, 4, 6), (1, 1, 6)),
    "block_0/mlp_norm/scale": ((6,), (1,)),
    "block_0/mlp_in/kernel": ((6, 24), (1, 24)),
    "block_0/mlp_in/bias": ((24,), (24,)),
    "token_embedding/embedding": ((11, 6), (11, 1)),
    "patch_embed/kernel": ((2, 2, 3, 6), (1, 1, 1, 6)),
    "head/kernel": ((6, 11), (1, 11)),
    "conv/kernel": ((3, 3, 2, 4), (1, 1, 1, 4)),
    "temperature": ((), ()),
}


@pytest.mark.parametrize("path", SHAPES)
def test_blocks_are_heads_tokens_neurons_and_norms(path):
    shape, blocks = SHAPES[path]
    rng = np.random.default_rng(0)
    gradient = jnp.asarray(rng.normal(size=shape), jnp.float32)
    params = {path: jnp.zeros(shape)}
    tx = scale_by_adam_mini()
    updates, state = tx.update({path: gradient}, tx.init(params))
    assert state.v[path].shape == blocks
    means = jnp.mean(gradient**2, block_axes(path, gradient), keepdims=True)
    np.testing.assert_allclose(updates[path], gradient / jnp.sqrt(means), rtol=1e-4)


def test_a_rule_decides_what_a_block_is():
    gradient = jnp.zeros((3, 5))
    assert block_axes("decoder/kernel", gradient) == (0,)
    assert block_axes("decoder/table", gradient, (("decoder/.*", "embedding"),)) == (1,)
    assert block_axes("decoder/kernel", gradient, (("decoder/.*", "norm"),)) == (0, 1)


def test_gradients_that_are_equal_in_blocks_are_those_of_adam():
    shape = (5, 4)
    rows = np.random.default_rng(1).normal(size=(6, 1, shape[1]))
    gradients = jnp.asarray(np.broadcast_to(rows, (6, *shape)), jnp.float32)

    def trajectory(tx):
        def step(state, gradient):
            direction, state = tx.update({"kernel": gradient}, state)
            return state, direction

        start = {"kernel": jnp.zeros(shape)}
        return jax.lax.scan(step, tx.init(start), gradients)[1]["kernel"]

    found, wanted = trajectory(scale_by_adam_mini()), trajectory(optax.scale_by_adam())
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("cls", [AdamMini, Adalayer])
def test_a_block_of_one_entry_is_trained_by_adam_with_the_same_constants(cls):
    ours = cls("10^0", beta1=0.5, beta2=0.75, eps=0.1).build()
    adam = optax.adam(1.0, 0.5, 0.75, 0.1)
    state, adam_state = (tx.init({"kernel": jnp.zeros((1, 1))}) for tx in (ours, adam))
    for size in (1.0, -0.2, 3.0):
        gradient = {"kernel": jnp.full((1, 1), size)}
        found, state = ours.update(gradient, state)
        wanted, adam_state = adam.update(gradient, adam_state)
        np.testing.assert_allclose(found["kernel"], wanted["kernel"], rtol=1e-5)


def test_impossible_fields_are_refused():
    with pytest.raises(ValueError, match=r"^AdamMini\.beta2 is below 1, not 1\.0\.$"):
        AdamMini("10^-2", beta2=1.0)
    with pytest.raises(ValueError, match=r"^AdamMini\.rules are pairs"):
        AdamMini("10^-2", rules=("embedding",))


@pytest.mark.parametrize("path", SHAPES)
def test_adalayer_divides_a_leaf_by_the_root_mean_square_of_all_of_it(path):
    gradient = jnp.asarray(np.random.default_rng(0).normal(size=SHAPES[path][0]), jnp.float32)
    tx = Adalayer("10^0").build()
    updates, _ = tx.update({path: gradient}, tx.init({path: jnp.zeros(gradient.shape)}))
    expected = -gradient / jnp.sqrt(jnp.mean(gradient**2))
    np.testing.assert_allclose(updates[path], expected, rtol=1e-4)
