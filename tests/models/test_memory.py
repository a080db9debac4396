"""The associative memory: vectors that are not trained, a basis that gradient descent ignores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses

from optexp_jax.models import AssociativeMemory

ITEMS = jnp.array([0, 0, 0, 1, 2, 1])


@pytest.mark.parametrize("rotated", [False, True])
def test_vectors_are_orthonormal_and_only_the_memory_is_trained(rotated):
    model = AssociativeMemory(5, rotated)
    params = model.init(jax.random.key(0), ITEMS)["params"]
    for name in ("inputs", "outputs"):
        np.testing.assert_allclose(params[name] @ params[name].T, np.eye(5), atol=1e-5)
        assert (np.abs(params[name] - np.eye(5)).max() > 0.1) == rotated
    assert [name for name in params if model.trainable(name)] == ["kernel"]
    assert not params["kernel"].any()


def test_a_step_of_gradient_descent_does_not_depend_on_the_basis_and_that_of_signs_does():
    def logits_after(model, direction):
        params = model.init(jax.random.key(1), ITEMS)["params"]

        def loss(kernel):
            logits = model.apply({"params": {**params, "kernel": kernel}}, ITEMS)
            return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(ITEMS)), ITEMS])

        kernel = -direction(jax.grad(loss)(params["kernel"]))
        return model.apply({"params": {**params, "kernel": kernel}}, jnp.arange(3))

    plain, rotated = AssociativeMemory(3, False), AssociativeMemory(3, True)
    one, other = (logits_after(model, lambda g: g) for model in (plain, rotated))
    np.testing.assert_allclose(one, other, atol=1e-5)
    one, other = (logits_after(model, jnp.sign) for model in (plain, rotated))
    assert np.abs(one - other).max() > 0.1


def test_rotated_is_a_flag():
    with refuses("not-a-flag", field="rotated"):
        AssociativeMemory(3, rotated=1)
