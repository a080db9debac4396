"""Rows and blocks of the output layer against jax.hessian and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses

from optexp_jax.analysis import OutputLayer, block_traces, hessian_entries, row_statistics

N, D, C = 7, 4, 5


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    features = jnp.asarray(rng.normal(size=(N, D)), jnp.float32)
    labels = jnp.asarray([0, 0, 1, 3, 3, 3, 4])  # class 2 has no example
    layer = OutputLayer(
        jnp.asarray(rng.normal(size=(D, C)), jnp.float32),
        jnp.asarray(rng.normal(size=C), jnp.float32),
    )
    return layer, features, labels


def loss(kernel, bias, features, labels):
    log_p = jax.nn.log_softmax(features @ kernel + bias)
    return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))


def in_parts(features, labels, size):
    """Micro-batches, the last one padded."""
    missing = -len(labels) % size
    features = jnp.pad(features, ((0, missing), (0, 0)), constant_values=3.0)
    labels = jnp.pad(labels, (0, missing), constant_values=-1)
    return list(zip(features.reshape(-1, size, D), labels.reshape(-1, size), strict=True))


@pytest.mark.parametrize("size", [7, 2, 3])
@pytest.mark.slow
def test_rows_are_those_of_autodiff(problem, size):
    layer, features, labels = problem
    rows = row_statistics(layer, in_parts(features, labels, size))
    gradient, bias_gradient = jax.grad(loss, (0, 1))(*layer, features, labels)
    hessian = jax.hessian(loss)(*layer, features, labels)
    bias_hessian = jax.hessian(loss, 1)(*layer, features, labels)
    np.testing.assert_allclose(rows.gradient_norm, jnp.linalg.norm(gradient, axis=0), rtol=1e-5)
    np.testing.assert_allclose(rows.bias_gradient, bias_gradient, atol=1e-6)
    np.testing.assert_allclose(rows.hessian_trace, jnp.einsum("akak->k", hessian), rtol=1e-5)
    np.testing.assert_allclose(rows.bias_hessian, jnp.diag(bias_hessian), rtol=1e-5)
    np.testing.assert_array_equal(rows.examples, [2, 1, 0, 3, 1])


@pytest.mark.parametrize("size", [7, 3])
def test_blocks_are_those_of_autodiff(problem, size):
    layer, features, labels = problem
    classes, dimensions = np.array([3, 0, 2]), np.array([1, 3])
    hessian = np.asarray(jax.hessian(loss)(*layer, features, labels))
    batches = in_parts(features, labels, size)
    expected = hessian.transpose(1, 0, 3, 2)[np.ix_(classes, dimensions, classes, dimensions)]
    np.testing.assert_allclose(
        hessian_entries(layer, batches, classes, dimensions), expected, atol=1e-6
    )
    traces = np.einsum("akaj->kj", hessian)[np.ix_(classes, classes)]
    np.testing.assert_allclose(block_traces(layer, batches, classes), traces, atol=1e-6)


def test_blocks_of_all_classes_balance(problem):
    layer, features, labels = problem
    traces = block_traces(layer, [(features, labels)], np.arange(C))
    np.testing.assert_allclose(traces.sum(axis=1), 0, atol=1e-5)
    rows = row_statistics(layer, [(features, labels)])
    np.testing.assert_allclose(np.diag(traces), rows.hessian_trace, rtol=1e-5)
    off = traces - np.diag(np.diag(traces))
    assert (np.diag(traces) > 0).all()
    assert (off <= 0).all()


def test_at_zero_the_hessian_knows_no_class(problem):
    _, features, labels = problem
    rows = row_statistics(OutputLayer(jnp.zeros((D, C)), None), [(features, labels)])
    trace = (1 / C) * (1 - 1 / C) * np.mean(np.sum(np.square(features), axis=1))
    np.testing.assert_allclose(rows.hessian_trace, trace, rtol=1e-6)
    overall = np.mean(features, axis=0)
    for k in range(C):
        share = np.mean(labels == k)
        own = np.mean(features[labels == k], axis=0) if share else np.zeros(D)
        expected = np.linalg.norm(overall / C - share * own)
        assert rows.gradient_norm[k] == pytest.approx(expected, rel=1e-5)


def test_probability_is_that_of_the_right_class(problem):
    layer, features, labels = problem
    p = np.asarray(jax.nn.softmax(features @ layer.kernel + layer.bias))
    rows = row_statistics(layer, [(features, labels)])
    for k in (0, 1, 3, 4):
        assert rows.correct_probability[k] == pytest.approx(p[labels == k, k].mean(), rel=1e-5)
    assert np.isnan(rows.correct_probability[2])


@pytest.mark.parametrize(("classes", "scale"), [(2, 0.0), (2, 3.0), (30, 1.0), (30, 8.0)])
def test_proposition_2_in_closed_form(classes, scale):
    counts = np.arange(classes, 0, -1)
    labels = jnp.asarray(np.repeat(np.arange(classes), counts))
    layer = OutputLayer(scale * jnp.eye(classes))
    rows = row_statistics(layer, [(jax.nn.one_hot(labels, classes), labels)])
    share = counts / counts.sum()
    p = np.exp(scale) / (np.exp(scale) + classes - 1)
    q = (1 - p) / (classes - 1)
    others = np.sum(share**2) - share**2
    gradient = np.sqrt(((1 - p) * share) ** 2 + q**2 * others)
    trace = p * (1 - p) * share + q * (1 - q) * (1 - share)
    np.testing.assert_allclose(rows.gradient_norm, gradient, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(rows.hessian_trace, trace, rtol=2e-4, atol=1e-6)


def test_flipped_is_the_other_side(problem):
    layer, _, _ = problem
    np.testing.assert_array_equal(layer.flipped().kernel, -layer.kernel)
    np.testing.assert_array_equal(layer.flipped().bias, -layer.bias)
    assert OutputLayer(layer.kernel).flipped().bias is None


@pytest.mark.parametrize("batches", [[], [(jnp.ones((2, D)), jnp.array([-1, -1]))]])
def test_no_examples_are_refused(problem, batches):
    with refuses("no-examples"):
        row_statistics(problem[0], batches)
    with refuses("no-examples"):
        block_traces(problem[0], batches, [0])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint16", "uint32", "int64", "uint64"])
def test_labels_of_any_integer_type_mean_the_same(dtype):
    """The labels of 300 classes in uint8 wrapped: 44 was also 300."""
    rng = np.random.default_rng(0)
    layer = OutputLayer(jnp.asarray(rng.normal(size=(D, 300)), jnp.float32))
    features = jnp.asarray(rng.normal(size=(6, D)), jnp.float32)
    labels = np.array([0, 44, 100, 127, 44, 3], np.int32)
    padding = np.iinfo(dtype).min or np.iinfo(dtype).max if dtype != "uint8" else 127
    given = np.where(labels == 127, padding, labels.astype(dtype)).astype(dtype)
    padded = np.where(labels == 127, 127 if dtype == "uint8" else -1, labels)
    found = row_statistics(layer, [(features, given)])
    for one, expected in zip(found, row_statistics(layer, [(features, padded)]), strict=True):
        np.testing.assert_array_equal(one, expected)
    np.testing.assert_array_equal(found.examples, np.bincount(padded[padded >= 0], minlength=300))
    chosen = [3, 44, 299]
    np.testing.assert_array_equal(
        block_traces(layer, [(features, given)], np.array(chosen, np.uint16)),
        block_traces(layer, [(features, padded)], chosen),
    )


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool"])
def test_features_may_be_bytes(problem, dtype):
    """The squares of 16 and more wrapped."""
    layer, _, labels = problem
    features = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (N, D))
    batches = [(features.astype(dtype), labels)], [(jnp.asarray(features, jnp.float32), labels)]
    found, expected = (row_statistics(layer, b) for b in batches)
    np.testing.assert_array_equal(found.hessian_trace, expected.hessian_trace)
    np.testing.assert_array_equal(
        *(hessian_entries(layer, b, [0, 3], [1]) for b in batches),
    )


@pytest.mark.parametrize("label", [C, 99, -1])
def test_labels_of_no_class_are_padding(problem, label):
    layer, features, labels = problem
    more = jnp.concatenate([features, 7 * features[:1]]), jnp.append(labels, label)
    found, expected = (row_statistics(layer, [b]) for b in (more, (features, labels)))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)
    traces = (block_traces(layer, [b], [0, 1]) for b in (more, (features, labels)))
    np.testing.assert_allclose(*traces, rtol=1e-6)


@pytest.mark.parametrize("labels", [np.ones(N), np.ones(N, bool)])
def test_labels_that_are_no_integers_are_refused(problem, labels):
    for of in (row_statistics, lambda *a: block_traces(*a, [0])):
        with pytest.raises(TypeError):
            of(problem[0], [(problem[1], labels)])


@pytest.mark.parametrize("indices", [[C], [-1], [0.0], [True], 0, [[0]]])
def test_indices_of_no_class_or_dimension_are_refused(problem, indices):
    layer, features, labels = problem
    with refuses("not-indices", name="classes", number=5):
        block_traces(layer, [(features, labels)], indices)
    with refuses("not-indices", name="dimensions", number=4):
        hessian_entries(layer, [(features, labels)], [0], indices)
