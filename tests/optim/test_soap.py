"""SOAP against Adam: where it has no basis, and where the basis is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from optexp_jax.optim import SOAP
from optexp_jax.optim.soap import scale_by_soap

RNG = np.random.default_rng(0)
SHAPE = (4, 3)
GRADIENTS = jnp.asarray(RNG.normal(size=(7, *SHAPE)), jnp.float32)


def directions(tx, gradients, name="kernel"):
    """What it makes of gradients of one leaf, without the first step, which moves nothing."""
    state, found = tx.init({name: jnp.zeros(gradients.shape[1:])}), []
    for gradient in gradients:
        updates, state = jax.jit(tx.update)({name: gradient}, state)
        found.append(updates[name])
    assert not np.any(found[0])
    return jnp.array(found[1:]), state


def adam(gradients):
    """Adam with the constants of SOAP, from the second gradient on."""
    tx = optax.scale_by_adam(0.95, 0.95)
    return jnp.stack(
        jax.lax.scan(lambda s, g: tx.update(g, s)[::-1], tx.init(gradients[0]), gradients[1:])[1]
    )


@pytest.mark.parametrize(
    ("tx", "shape", "name"),
    [
        (scale_by_soap(max_precondition_dim=2), SHAPE, "kernel"),
        (scale_by_soap(), (12,), "scale"),
        (scale_by_soap(), SHAPE, "bias"),
        (scale_by_soap(precondition_1d=True, max_precondition_dim=11), (12,), "scale"),
    ],
    ids=["long axes", "vectors", "biases of heads", "long vectors"],
)
def test_leaves_without_a_basis_are_trained_by_adam(tx, shape, name):
    gradients = GRADIENTS.reshape(7, *shape)
    found, state = directions(tx, gradients, name)
    np.testing.assert_allclose(found, adam(gradients), rtol=1e-4)
    assert jax.tree.leaves((state.grams, state.bases)) == []


@pytest.mark.parametrize("frequency", [1, 2, 10])
def test_rotated_gradients_have_rotated_directions(frequency):
    """Adam has not: what SOAP does between a rotation and its inverse is the same."""
    left, right = (jnp.linalg.qr(jnp.asarray(RNG.normal(size=(n, n))))[0] for n in SHAPE)
    tx = scale_by_soap(precondition_frequency=frequency)
    found, _ = directions(tx, left @ GRADIENTS @ right)
    straight, _ = directions(tx, GRADIENTS)
    np.testing.assert_allclose(found, left @ straight @ right, atol=2e-3)
    assert np.abs(adam(left @ GRADIENTS @ right) - left @ adam(GRADIENTS) @ right).max() > 0.1


def test_the_basis_is_refreshed_when_it_is_due():
    def bases(count, frequency):
        tx = scale_by_soap(precondition_frequency=frequency)
        return directions(tx, GRADIENTS[:count])[1].bases["kernel"]

    same = jax.tree.map(np.array_equal, bases(3, 3), bases(1, 3))
    changed = jax.tree.map(np.array_equal, bases(4, 3), bases(3, 3))
    assert same == (True, True)
    assert changed == (False, False)
    for basis in bases(7, 2):
        np.testing.assert_allclose(basis.T @ basis, np.eye(len(basis)), atol=1e-6)


def test_squares_follow_the_order_of_the_eigenvalues():
    """The second axis comes to be the larger one, and with it its column of the basis."""
    gradient = jnp.diag(jnp.array([2.0, 1.0]))
    gradients = jnp.stack([gradient, *[gradient[::-1, ::-1] * 5] * 3])
    _, state = directions(scale_by_soap(precondition_frequency=3), gradients)
    for basis in state.bases["kernel"]:
        np.testing.assert_allclose(jnp.abs(basis), [[0, 1], [1, 0]], atol=1e-6)
    v = state.v["kernel"]
    assert v[0, 0] > v[1, 1] > 0


@pytest.mark.parametrize(
    ("path", "shape", "sides"),
    [
        ("query", (6, 2, 4), (6, 8)),
        ("value", (6, 2, 4), (6, 8)),
        ("out", (2, 4, 6), (8, 6)),
        ("conv", (2, 4, 6), (2, 4, 6)),
        ("conv", (3, 3, 2, 4), (3, 3, 2, 4)),
    ],
)
def test_kernels_of_attention_are_matrices_and_others_have_a_basis_for_each_axis(
    path, shape, sides
):
    params = {path: {"kernel": jnp.ones(shape)}}
    state = scale_by_soap().init(params)
    assert [gram.shape for gram in state.grams[path]["kernel"]] == [(n, n) for n in sides]
    updates, _ = scale_by_soap().update(params, state)
    assert updates[path]["kernel"].shape == shape


@pytest.mark.parametrize(("shampoo_beta", "weight"), [(None, 0.75), (0.5, 0.5), (0.0, 0.0)])
def test_preconditioners_are_averages_with_a_weight_of_their_own(shampoo_beta, weight):
    tx = scale_by_soap(beta2=0.75, shampoo_beta=shampoo_beta)
    _, state = directions(tx, GRADIENTS[:2])
    for gram, (one, two) in zip(
        state.grams["kernel"], (GRADIENTS[:2], GRADIENTS[:2].mT), strict=True
    ):
        expected = (1 - weight) * (weight * one @ one.T + two @ two.T)
        np.testing.assert_allclose(gram, expected, rtol=1e-5, atol=1e-6)


def test_vectors_may_have_a_basis():
    gradient = GRADIENTS[0].ravel()
    _, state = directions(scale_by_soap(precondition_1d=True), gradient[None], "scale")
    (gram,) = state.grams["scale"]
    np.testing.assert_allclose(gram, 0.05 * jnp.outer(gradient, gradient), rtol=1e-5)


def test_the_value_hands_on_its_constants():
    spec = SOAP("10^0", beta1=0.5, beta2=0.75, eps=0.1, correct_bias=False)
    found, _ = directions(spec.build(), GRADIENTS[:2].reshape(2, -1), "scale")
    g = GRADIENTS[1].ravel()
    np.testing.assert_allclose(found[0], -0.5 * g / (0.5 * jnp.abs(g) + 0.1), rtol=1e-5)


def test_normalized_directions_have_a_mean_square_of_one():
    found, _ = directions(scale_by_soap(normalize_grads=True), GRADIENTS)
    np.testing.assert_allclose(jnp.mean(found**2, (1, 2)), 1.0, rtol=1e-5)


def test_without_correction_the_first_steps_are_shorter_or_longer():
    corrected, _ = directions(scale_by_soap(), GRADIENTS)
    plain, _ = directions(scale_by_soap(correct_bias=False), GRADIENTS)
    t = np.arange(1, 7)
    factor = np.sqrt(1 - 0.95**t) / (1 - 0.95**t)
    np.testing.assert_allclose(corrected, factor[:, None, None] * plain, rtol=1e-4)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"beta1": 1.0}, "beta1 is below 1"),
        ({"shampoo_beta": 1.0}, "shampoo_beta is below 1"),
        ({"precondition_frequency": 0}, "precondition_frequency is a whole number from 1"),
        ({"precondition_frequency": 2.0}, "precondition_frequency is a whole number from 1"),
        ({"max_precondition_dim": True}, "max_precondition_dim is a whole number from 1"),
        ({"precondition_1d": 1}, "precondition_1d is True or False"),
    ],
)
def test_impossible_fields_are_refused(fields, what):
    with pytest.raises(ValueError, match=rf"^SOAP\.{what}, .*\.$"):
        SOAP("10^-2", **fields)
