"""Sums by class for every type of value and label, inside every transformation of JAX."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import PartitionSpec

from optexp_jax.per_class import class_indices, sum_by_class

LARGE = 9_000  # more than one piece
LABEL_TYPES = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = ["float32", "float16", "bfloat16"]
WHOLE = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32"]


def oracle(values, labels, classes):
    """Sums in 64 bits, and counts, over all but the last axis of batches."""
    values, labels = np.asarray(values).astype(np.float64).ravel(), np.asarray(labels).ravel()
    members = [labels == k for k in range(classes)]
    return [values[m].sum() for m in members], [m.sum() for m in members]


def under(name, classes):
    """`sum_by_class` over arrays [4, n], within a transformation."""
    sums = functools.partial(sum_by_class, num_classes=classes)
    if name == "eager":
        return sums
    if name == "jit":
        return jax.jit(sums)
    if name == "vmap":
        return lambda v, y: jax.tree.map(lambda x: x.sum(axis=0), jax.jit(jax.vmap(sums))(v, y))
    if name == "scan":
        return jax.jit(lambda v, y: scanned(sums, v, y))
    mesh = jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    rows = PartitionSpec("data")

    def of_device(v, y):
        return jax.lax.psum(sums(v, y), "data")

    return jax.jit(
        jax.shard_map(
            of_device,
            mesh=mesh,
            in_specs=(rows, rows),
            out_specs=PartitionSpec(),
            check_vma=name == "shard_map",
        )
    )


def scanned(sums, values, labels):
    rows = jax.lax.scan(lambda _, row: (None, sums(*row)), None, (values, labels))[1]
    return jax.tree.map(lambda x: x.sum(axis=0), rows)


PLACES = ["eager", "jit", "vmap", "scan", "shard_map", "shard_map unchecked"]


@st.composite
def problems(draw):
    """Values and labels [4, n], some of them padding or of no class, and a number of classes."""
    classes = draw(st.sampled_from([1, 3, 200, 300]))
    labels_in = draw(st.sampled_from(LABEL_TYPES))
    dtype = draw(st.sampled_from(FLOATS + WHOLE))
    size = draw(st.sampled_from([1, 7, LARGE if classes < 10 else 300]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    held = np.iinfo(labels_in)
    labels = rng.integers(max(-3, held.min), min(classes + 3, held.max + 1), (4, size))
    outside = rng.random((4, size)) < draw(st.sampled_from([0.0, 0.3]))
    labels = np.where(outside, held.min if held.min else held.max, labels.astype(labels_in))
    if dtype in FLOATS:
        values = jnp.asarray(rng.normal(size=(4, size)), dtype)
    else:
        low = -100 if dtype.startswith("int") else 0
        values = rng.integers(low, 2 if dtype == "bool" else 100, (4, size)).astype(dtype)
    return values, labels.astype(labels_in), classes


@pytest.mark.slow
@given(problem=problems(), place=st.sampled_from(PLACES))
def test_sums_are_those_of_a_loop_in_64_bits(problem, place):
    values, labels, classes = problem
    if labels.dtype.itemsize == 8:  # what JAX makes of 64 bits outside is not ours
        labels = class_indices(labels)
    sums, counts = under(place, classes)(values, labels)
    expected, expected_counts = oracle(*problem)
    np.testing.assert_array_equal(counts, expected_counts)
    assert counts.dtype == jnp.int32
    scale = np.abs(np.asarray(values).astype(np.float64)).sum()
    if jnp.issubdtype(values.dtype, jnp.floating):
        assert sums.dtype == jnp.float32
        np.testing.assert_allclose(sums, expected, atol=2e-6 * scale)
    else:
        assert sums.dtype == (jnp.uint32 if values.dtype == np.uint32 else jnp.int32)
        np.testing.assert_array_equal(sums, expected)


# ----------------------------------------------------------------------------- labels


@pytest.mark.parametrize("dtype", LABEL_TYPES)
@pytest.mark.parametrize("classes", [1, 128, 256, 300, 70_000])
def test_labels_of_any_type_are_of_their_class(dtype, classes):
    """uint8 labels of 256 classes were all of class 0."""
    labels = np.arange(min(np.iinfo(dtype).max, 300) + 1).astype(dtype)
    sums, counts = sum_by_class(np.ones(len(labels), np.float32), labels, classes)
    expected = (np.arange(classes) < len(labels)).astype(np.int32)
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_array_equal(sums, expected)


@pytest.mark.parametrize(
    ("label", "dtype"),
    [
        (2**31, "uint32"),
        (2**32 - 1, "uint32"),
        (2**32 + 1, "int64"),
        (2**40 + 2, "uint64"),
        (2**64 - 1, "uint64"),
        (-(2**32) + 1, "int64"),
        (-(2**63), "int64"),
        (-1, "int8"),
        (255, "uint8"),
    ],
)
def test_labels_beyond_the_classes_do_not_wrap_into_one(label, dtype):
    _, counts = sum_by_class(np.ones(2, np.float32), np.array([label, 1], dtype), 3)
    np.testing.assert_array_equal(counts, [0, 1, 0])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("label", [2**32 + 1, -(2**32) + 1, -1])
def test_labels_of_64_bits_do_not_wrap_inside_a_program(label):
    sums = jax.jit(functools.partial(sum_by_class, num_classes=3))
    values, labels = jnp.array([0.1, 0.2]), jnp.array([label, 1])
    assert (values.dtype, labels.dtype) == (jnp.float64, jnp.int64)
    found, counts = sums(values, labels)
    np.testing.assert_array_equal(found, [0, 0.2, 0])
    np.testing.assert_array_equal(counts, [0, 1, 0])


@pytest.mark.parametrize("labels", [[0.0, 1.0], [True, False], ["a", "b"], []])
@pytest.mark.parametrize("convert", [np.asarray, list])
def test_labels_that_are_no_integers_are_refused(labels, convert):
    with pytest.raises(TypeError):
        sum_by_class(np.ones(len(labels)), convert(labels), 3)


@pytest.mark.parametrize("classes", [0, -1, True, 2.0, "3", None, np.array([3])])
def test_classes_that_are_no_number_of_them_are_refused(classes):
    with pytest.raises(ValueError, match="num_classes"):
        sum_by_class(jnp.ones(3), jnp.arange(3), classes)


def test_the_number_of_classes_may_be_one_of_numpy():
    np.testing.assert_array_equal(sum_by_class([1.0, 2.0], [0, 1], np.int8(2))[0], [1.0, 2.0])


# ----------------------------------------------------------------------------- values


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32"])
def test_small_integers_do_not_overflow(dtype):
    largest = 1 if dtype == "bool" else min(np.iinfo(dtype).max, 2**20)
    sums, _ = sum_by_class(np.full(1000, largest, dtype), np.zeros(1000, np.int32), 2)
    assert sums.dtype == jnp.int32
    np.testing.assert_array_equal(sums, [1000 * largest, 0])


def test_integers_of_32_bits_keep_their_type():
    sums, _ = sum_by_class(np.array([2**32 - 2, 1], np.uint32), np.zeros(2, np.int32), 1)
    assert sums.dtype == jnp.uint32
    np.testing.assert_array_equal(sums, [2**32 - 1])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_small_floats_are_summed_in_32_bits_where_64_are_enabled(dtype):
    sums, _ = sum_by_class(jnp.ones(3, dtype), np.zeros(3, np.int32), 1)
    assert sums.dtype == jnp.float32


def test_values_that_lose_bits_are_refused():
    labels = np.zeros(2, np.int32)
    for values in ([2**31], [-(2**31) - 1]):
        with pytest.raises(ValueError, match="int64"):
            sum_by_class(np.array(values), labels[:1], 1)
    for values in ([], [2**31 - 1], [-(2**31)]):
        fitting = np.array(values, np.int64)
        sums, _ = sum_by_class(fitting, labels[: len(values)], 1)
        np.testing.assert_array_equal(sums, [sum(values)])
    np.testing.assert_array_equal(sum_by_class(np.array([2**30, -(2**30)]), labels, 1)[0], [0])
    with pytest.raises(ValueError, match="int64"):
        sum_by_class(np.array([2**32 + 1, 1]), labels, 1)
    with jax.enable_x64(True):
        assert int(sum_by_class(np.array([2**32 + 1, 1]), labels, 1)[0][0]) == 2**32 + 2


@pytest.mark.parametrize("size", [12, LARGE])
@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("jit", [True, False])
def test_an_infinite_value_makes_its_class_infinite_and_no_other(size, place, jit):
    """Kahan's compensation made it NaN: infinity less infinity."""
    labels = (np.arange(size) % 6).astype(np.int32)
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    finite = [values[labels == k].sum(dtype=np.float64) for k in (4, 5)]
    start = place % (size - 11)  # the first twelve, or the last
    values[start : start + 4] = [np.inf, -np.inf, np.inf, np.nan]
    values[start + 8] = -np.inf
    expected = [np.inf, -np.inf, np.nan, np.nan, *finite]
    found = (jax.jit(sum_by_class, static_argnums=2) if jit else sum_by_class)(values, labels, 6)[0]
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.isfinite(found[4:]).all()


@pytest.mark.parametrize("size", [12, LARGE])
def test_gradients_of_sums_are_one_for_each_value_of_the_class(size):
    labels = np.random.default_rng(0).integers(-1, 4, size).astype(np.int8)

    def weighted(values):
        return sum_by_class(values, labels, 3)[0] @ jnp.array([1.0, 2.0, 4.0])

    for values in (jnp.ones(size), jnp.ones(size).at[size - 1].set(jnp.inf)):
        gradient = jax.jit(jax.grad(weighted))(values)
        expected = np.where((labels >= 0) & (labels < 3), 2.0**labels, 0)
        np.testing.assert_array_equal(gradient, expected)


# ------------------------------------------------------------------- strict surroundings


@pytest.mark.parametrize(
    ("size", "values_in", "labels_in"),
    [
        *((12, values_in, "uint8") for values_in in ("float32", "uint8", "bool")),
        *((LARGE, *both) for both in (("float32", "int32"), ("bfloat16", "uint32"))),
    ],
)
def test_nothing_is_promoted_or_broadcast_in_silence(size, values_in, labels_in):
    values, labels = jnp.ones((2, size), values_in), jnp.ones((2, size), labels_in)
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        sums, counts = jax.jit(jax.vmap(functools.partial(sum_by_class, num_classes=3)))(
            values, labels
        )
    np.testing.assert_array_equal(sums, [[0, size, 0]] * 2)
    np.testing.assert_array_equal(counts, [[0, size, 0]] * 2)


@pytest.mark.parametrize("varying", ["values", "labels", "both"])
@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("size", [400, 4 * LARGE])
def test_devices_may_share_the_values_or_the_labels(varying, check, size):
    rng = np.random.default_rng(0)
    values = jnp.asarray(rng.normal(size=size), jnp.float32)
    labels = jnp.asarray(rng.integers(-1, 3, size))
    own, shared = PartitionSpec("data"), PartitionSpec()
    specs = (shared if varying == "labels" else own, shared if varying == "values" else own)
    values = values if specs[0] == own else values[: size // 4]
    labels = labels if specs[1] == own else labels[: size // 4]

    def of_device(v, y):
        return jax.tree.map(lambda x: x[None], sum_by_class(v, y, 3))

    sums, counts = jax.jit(
        jax.shard_map(
            of_device,
            mesh=jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,)),
            in_specs=specs,
            out_specs=own,
            check_vma=check,
        )
    )(values, labels)
    for i in range(4):
        part = slice(i * size // 4, (i + 1) * size // 4)
        v = values[part] if specs[0] == own else values
        y = labels[part] if specs[1] == own else labels
        expected, expected_counts = oracle(v, y, 3)
        np.testing.assert_allclose(sums[i], expected, atol=1e-3)
        np.testing.assert_array_equal(counts[i], expected_counts)
