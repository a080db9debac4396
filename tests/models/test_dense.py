"""Linear layers inside models: one product of two matrices, forward and backward."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core.primitives import dot_general_p

from optexp_jax.backend import use_form
from optexp_jax.models import GPT, SimpleViT, Transformer
from optexp_jax.models.dense import classes_first, matrix_product
from optexp_jax.training.remat import jaxprs_in


def products(jaxpr):
    """Dimension numbers of all products of a program."""
    for equation in jaxpr.eqns:
        if equation.primitive is dot_general_p:
            yield equation.params["dimension_numbers"]
        for inner in jaxprs_in(equation.params):
            yield from products(inner)


@pytest.mark.parametrize(
    ("shape", "kernel", "contracted"),
    [
        ((5, 3), (3, 4), 1),
        ((2, 5, 3), (3, 4), 1),
        ((2, 5, 3), (3, 2, 4), 1),
        ((2, 2, 3), (2, 3, 4), 2),
    ],
)
def test_it_is_the_general_product(shape, kernel, contracted):
    rng = np.random.default_rng(0)
    inputs, weights = (rng.integers(-3, 4, s).astype(np.float32) for s in (shape, kernel))
    last = tuple(range(len(shape) - contracted, len(shape)))
    dimensions = ((last, tuple(range(contracted))), ((), ()))
    found = matrix_product(inputs, weights, dimensions)
    np.testing.assert_array_equal(found, jax.lax.dot_general(inputs, weights, dimensions))


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (Transformer(11, 11, 1, 2, 8, 8), jnp.zeros((2, 3), jnp.int32)),
        (GPT(11, 11, 1, 2, 8, dropout=0.0), jnp.zeros((2, 3), jnp.int32)),
        (
            SimpleViT(5, patch=4, depth=1, width=8, num_heads=2, width_mlp=8),
            jnp.zeros((2, 8, 8, 3)),
        ),
    ],
)
def test_gradients_of_weights_contract_one_axis(model, example):
    """XLA for CPUs copies what has several axes to contract, and multiplies at half the speed."""
    params = model.init(jax.random.key(0), example)

    def loss(params):
        return model.apply(params, example).sum()

    found = list(products(jax.make_jaxpr(jax.grad(loss))(params).jaxpr))
    of_weights = [contracted for contracted, batched in found if not batched[0]]
    assert len(of_weights) >= 3 * 5
    assert all(len(axes) == 1 for axes, _ in of_weights)


@pytest.mark.parametrize(("examples", "classes"), [(12, 4), (12, 9), (3, 4)])
def test_the_order_of_factors_changes_neither_logits_nor_gradients(examples, classes):
    rng = np.random.default_rng(0)
    inputs, kernel, weights = (
        jnp.asarray(rng.normal(size=shape), jnp.float32)
        for shape in ((2, examples // 2 + 1, 8), (8, classes), (2, examples // 2 + 1, classes))
    )

    def value(product, *factors):
        return jnp.sum(weights * product(*factors) ** 2)

    np.testing.assert_allclose(classes_first(inputs, kernel), inputs @ kernel, rtol=1e-5)
    found, expected = (
        jax.grad(value, (1, 2))(product, inputs, kernel) for product in (classes_first, jnp.matmul)
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), found, expected
    )


@pytest.mark.parametrize(("examples", "turned"), [(4, True), (3, False)])
def test_many_examples_are_multiplied_with_classes_first(examples, turned):
    kernel = jnp.ones((8, 4))
    program = str(jax.make_jaxpr(classes_first)(jnp.ones((examples, 8)), kernel))
    assert ("transpose" in program) == turned
    with use_form("gpu"):
        program = str(jax.make_jaxpr(lambda x, w: classes_first(x, w))(jnp.ones((4, 8)), kernel))
    assert "transpose" not in program
