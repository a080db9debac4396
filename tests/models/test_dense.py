"""Linear layers inside models: one product of two matrices, forward and backward."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core.primitives import dot_general_p

from optexp_jax.backend import computed_once, use_form
from optexp_jax.models import GPT, SimpleViT, Transformer
from optexp_jax.models.convolution import convolve
from optexp_jax.models.dense import classes_first, matrix_product
from optexp_jax.training.compiler import compiler_options
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


@pytest.mark.parametrize(("examples", "classes"), [(64, 16), (64, 99), (3, 16)])
def test_the_order_of_factors_changes_neither_logits_nor_gradients(examples, classes):
    rng = np.random.default_rng(0)
    inputs, kernel, weights = (
        jnp.asarray(rng.normal(size=shape), jnp.float32)
        for shape in ((2, examples, 64), (64, classes), (2, examples, classes))
    )

    def value(product, *factors):
        return jnp.sum(weights * product(*factors) ** 2)

    np.testing.assert_allclose(classes_first(inputs, kernel), inputs @ kernel, atol=1e-4)
    found, expected = (
        jax.grad(value, (1, 2))(product, inputs, kernel) for product in (classes_first, jnp.matmul)
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-2), found, expected
    )


@pytest.mark.parametrize(
    ("examples", "shape", "turned"),
    [(32, (64, 32), True), (31, (64, 32), False), (99, (32, 64), False), (99, (8, 4), False)],
)
def test_many_examples_are_multiplied_with_classes_first(examples, shape, turned):
    factors = jnp.ones((examples, shape[0])), jnp.ones(shape)
    assert ("transpose" in str(jax.make_jaxpr(classes_first)(*factors))) == turned
    with use_form("gpu"):
        assert "transpose" not in str(jax.make_jaxpr(lambda x, w: classes_first(x, w))(*factors))


def added(inputs, stream):
    return computed_once(jnp.sin(inputs) + stream)


@pytest.mark.parametrize(
    ("product", "shapes"),
    [
        (classes_first, ((4, 2), (2, 2))),
        (convolve, ((1, 2, 2, 1), (1, 1, 1, 1))),
        (added, ((2, 2), (2, 2))),
    ],
    ids=["dense", "convolution", "residual stream"],
)
def test_small_arrays_compile_in_a_small_loop(product, shapes):
    """XLA for CPUs makes one function of such a loop, in which it knows no barrier."""
    factors = tuple(jnp.ones(shape) for shape in shapes)

    def loop(number, inputs, kernel):
        def body(_, total):
            return total + product(total * inputs, kernel).sum()

        return jax.lax.fori_loop(0, number, body, 1.0)

    assert jax.jit(loop, compiler_options=compiler_options())(2, *factors) > 1
