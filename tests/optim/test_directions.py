"""Norms and directions of gradients that are not finite, complex, of small types, or nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.optim import (
    adagrad,
    block_normalized_gd,
    l1_norm,
    l2_norm,
    normalize_by_block_norm,
    normalize_by_column_norm,
    normalize_by_norm,
    normalized_gd,
    scale_by_adagrad,
    scale_sign_by_l1_norm,
    scaled_sign_descent,
    sign_descent,
)

GRADIENT = {"a": jnp.array([[3.0, -4.0], [0.0, 1e-3]]), "b": jnp.array([1e4, -2.0])}
COMPLEX = {"a": jnp.array([3.0 + 4.0j, 0.0, -1.0j]), "b": jnp.array([2.0, -2.0])}


def direction(transform, gradient):
    tx = transform()
    return jax.jit(tx.update)(gradient, tx.init(gradient))[0]


def broken(name, value, dtype="float32"):
    gradient = jax.tree.map(lambda g: g.astype(dtype), GRADIENT)
    return {**gradient, name: gradient[name].at[..., -1].set(value)}


NORMALISED = [normalize_by_norm, functools.partial(normalized_gd, 0.1)]
BY_BLOCK = [normalize_by_block_norm, functools.partial(block_normalized_gd, 0.1, 0.9)]
SCALED = [scale_sign_by_l1_norm, functools.partial(scaled_sign_descent, 0.1)]


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_gradient_that_is_not_finite_has_no_direction(name, value, dtype):
    """With one NaN among them the other entries were passed on as they were."""
    for transform in NORMALISED:
        found = direction(transform, broken(name, value, dtype))
        assert all(jnp.isnan(leaf).all() for leaf in found.values())
    for transform in BY_BLOCK:
        found = direction(transform, broken(name, value, dtype))
        for other, leaf in found.items():
            assert jnp.isnan(leaf).all() if other == name else jnp.isfinite(leaf).all()
    for transform in SCALED:
        found = direction(transform, broken(name, value, dtype))
        assert not any(jnp.isfinite(leaf).any() for leaf in found.values())


@pytest.mark.parametrize("eps", [1e-10, 0.0])
def test_adagrad_and_signs_show_a_nan_where_it_is(eps):
    """Adagrad had a step of zero there, for ever."""
    for transform in (
        functools.partial(scale_by_adagrad, eps),
        functools.partial(adagrad, 0.1, eps),
        functools.partial(sign_descent, 0.1),
    ):
        tx, gradient = transform(), broken("b", np.nan)
        found, state = tx.update(gradient, tx.init(gradient))
        assert jnp.isnan(found["b"]).tolist() == [False, True]
        assert not jnp.isnan(found["a"]).any()
        later, _ = tx.update(GRADIENT, state)
        assert jnp.isnan(later["b"]).tolist() == [False, transform.func is not sign_descent]


def test_norms_of_complex_gradients_are_those_of_their_absolute_values():
    for tree in (COMPLEX, jax.tree.map(jnp.conj, COMPLEX)):
        for norm, expected in ((l2_norm, (25 + 1 + 8) ** 0.5), (l1_norm, 5 + 1 + 4)):
            found = jax.jit(norm)(tree)
            assert found.dtype == jnp.float32
            assert float(found) == pytest.approx(expected, rel=1e-6)


def test_complex_gradients_have_directions_of_unit_length():
    for transform in (normalize_by_norm, normalize_by_block_norm):
        found = direction(transform, COMPLEX)
        assert jax.tree.map(lambda x: x.dtype, found) == jax.tree.map(lambda x: x.dtype, COMPLEX)
        norms = [l2_norm(found)] if transform is normalize_by_norm else map(l2_norm, found.values())
        np.testing.assert_allclose(list(norms), 1, rtol=1e-6)
        ratio = found["a"] / jnp.where(COMPLEX["a"] == 0, 1, COMPLEX["a"])
        np.testing.assert_allclose(ratio.imag, 0, atol=1e-7)  # no phase is turned
        assert (ratio.real[jnp.array([0, 2])] > 0).all()
    signs = direction(scale_sign_by_l1_norm, COMPLEX)
    np.testing.assert_allclose(signs["a"], [6 + 8j, 0, -10j], rtol=1e-6)
    first = direction(functools.partial(scale_by_adagrad, 0.0), COMPLEX)
    np.testing.assert_allclose(first["a"], [0.6 + 0.8j, 0, -1j], rtol=1e-6)
    state = scale_by_adagrad().init(COMPLEX).sum_of_squares
    assert state["a"].dtype == jnp.float32


@given(st.lists(st.complex_numbers(max_magnitude=1e3, allow_nan=False), min_size=4, max_size=4))
def test_complex_gradients_are_pairs_of_real_ones(entries):
    z = jnp.array(entries, jnp.complex64)
    pairs = jnp.stack([z.real, z.imag])
    np.testing.assert_allclose(l2_norm(z), l2_norm(pairs), rtol=1e-6)
    found, expected = (direction(normalize_by_norm, g) for g in (z, pairs))
    np.testing.assert_allclose(jnp.stack([found.real, found.imag]), expected, atol=1e-6)


@pytest.mark.parametrize("tree", [{}, None, [], {"a": None}, {"a": jnp.zeros((0, 3))}])
def test_nothing_has_the_norm_zero(tree):
    for norm in (l1_norm, l2_norm):
        found = jax.jit(norm)(tree)
        assert (found.shape, found.dtype, float(found)) == ((), jnp.float32, 0.0)
    for transform in (normalize_by_norm, normalize_by_block_norm, scale_sign_by_l1_norm):
        assert jax.tree.structure(direction(transform, tree)) == jax.tree.structure(tree)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "bfloat16", "float32"])
def test_norms_of_any_type_are_floats(dtype):
    largest = 1 if dtype == "bool" else 100
    tree = {"a": jnp.full(400, largest, dtype), "b": None}
    assert l1_norm(tree).dtype == l2_norm(tree).dtype == jnp.float32
    assert (float(l1_norm(tree)), float(l2_norm(tree))) == (400 * largest, 20 * largest)
    assert float(l2_norm({"a": 3.0, "b": np.float64(4.0)})) == 5.0


def test_columns_are_the_weights_of_an_output_also_in_attention_and_convolutions():
    rng = np.random.default_rng(0)
    shapes = {"query": (6, 2, 4), "out": (2, 4, 6), "mlp": (6, 5), "conv": (3, 3, 2, 4)}
    gradient = {k: {"kernel": jnp.asarray(rng.normal(size=s))} for k, s in shapes.items()}
    found = direction(normalize_by_column_norm, gradient)
    for name, axes in {"query": 0, "out": (0, 1), "mlp": 0, "conv": (0, 1, 2)}.items():
        g = np.asarray(gradient[name]["kernel"])
        expected = g / np.sqrt((g**2).sum(axes, keepdims=True))
        np.testing.assert_allclose(found[name]["kernel"], expected, rtol=1e-5)
    vector = direction(normalize_by_column_norm, {"bias": jnp.array([3.0, 4.0])})
    np.testing.assert_allclose(vector["bias"], [0.6, 0.8], rtol=1e-6)
