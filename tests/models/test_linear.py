"""The linear model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from optexp_jax.models import Linear, Normal, TorchUniform, Zeros

KEY = jax.random.key(0)


def logits_of(model, params, inputs):
    return model.apply({"params": params}, inputs)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_an_index_stands_for_its_one_hot_vector(use_bias, shape):
    model = Linear(5, 4, use_bias=use_bias, init_values=Normal(1.0))
    indices = jnp.array([0, 4, 4, 2, 0, 4]).reshape(shape)
    one_hot = jax.nn.one_hot(indices, 5)
    params = model.init(KEY, indices)["params"]
    assert jax.tree.all(jax.tree.map(jnp.array_equal, params, model.init(KEY, one_hot)["params"]))
    np.testing.assert_allclose(
        logits_of(model, params, indices), logits_of(model, params, one_hot), rtol=1e-6
    )

    def loss(params, inputs):
        return jnp.sum(jnp.sin(logits_of(model, params, inputs)))

    gathered, multiplied = jax.grad(loss)(params, indices), jax.grad(loss)(params, one_hot)
    assert set(gathered) == ({"kernel", "bias"} if use_bias else {"kernel"})
    for name in gathered:
        np.testing.assert_allclose(gathered[name], multiplied[name], rtol=1e-5, atol=1e-6)
    assert (gathered["kernel"][1] == 0).all()  # an input that never came


def test_logits_are_the_product_and_the_bias():
    model = Linear(3, 2)
    inputs = jnp.array([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]])
    params = model.init(KEY, inputs)["params"]
    expected = np.asarray(inputs) @ np.asarray(params["kernel"]) + np.asarray(params["bias"])
    np.testing.assert_allclose(logits_of(model, params, inputs), expected, rtol=1e-6)
    zero = logits_of(model, params, jnp.zeros(3))
    np.testing.assert_array_equal(zero, params["bias"])


def test_parameters_follow_the_initialiser():
    shapes = {"kernel": (9, 4), "bias": (4,)}
    for values in (Zeros(), Normal(0.1), TorchUniform()):
        params = Linear(9, 4, init_values=values).init(KEY, jnp.zeros((1, 9)))["params"]
        assert jax.tree.map(jnp.shape, params) == shapes
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.float32)}
        assert (float(jnp.abs(params["kernel"]).max()) == 0) == (values == Zeros())
    assert "bias" not in Linear(9, 4, use_bias=False).init(KEY, jnp.zeros((1, 9)))["params"]


def test_kernel_and_bias_are_drawn_independently():
    params = Linear(1, 500).init(KEY, jnp.zeros((1, 1)))["params"]
    assert abs(np.corrcoef(params["kernel"][0], params["bias"])[0, 1]) < 0.2


def test_the_computation_may_run_in_bfloat16():
    model = Linear(3, 2, dtype=jnp.bfloat16)
    params = model.init(KEY, jnp.zeros((1, 3)))["params"]
    assert params["kernel"].dtype == jnp.float32
    assert logits_of(model, params, jnp.ones((1, 3))).dtype == jnp.bfloat16
    assert logits_of(model, params, jnp.array([0])).dtype == jnp.bfloat16
