"""Sums by class, and groups of classes of similar frequency."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.per_class import frequency_groups, mean_by_group, sum_by_class

VALUES = np.random.default_rng(0).normal(size=12).astype(np.float32)
labels_of_12 = st.lists(st.integers(-3, 7), min_size=12, max_size=12).map(np.array)
class_counts = st.lists(st.integers(0, 1000), min_size=1, max_size=30)
group_numbers = st.integers(1, 12)


@given(labels_of_12)
def test_sums_and_counts_by_class_are_those_of_a_loop(labels):
    sums, counts = sum_by_class(VALUES, labels, 5)
    expected = [VALUES[labels == k].sum() for k in range(5)]
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(counts, [(labels == k).sum() for k in range(5)])


@given(labels_of_12)
def test_sums_by_class_add_to_the_total_of_the_labelled(labels):
    sums, counts = sum_by_class(VALUES, labels, 5)
    labelled = (labels >= 0) & (labels < 5)
    np.testing.assert_allclose(sums.sum(), VALUES[labelled].sum(), rtol=1e-5, atol=1e-6)
    assert counts.sum() == labelled.sum()
    assert counts.dtype == jnp.int32


@pytest.mark.parametrize("label", [-1, -5, 5, 1000])
def test_labels_out_of_range_are_left_out(label):
    sums, counts = sum_by_class(jnp.ones(3), jnp.array([0, label, 4]), 5)
    np.testing.assert_array_equal(sums, [1, 0, 0, 0, 1])
    np.testing.assert_array_equal(counts, [1, 0, 0, 0, 1])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_values_accumulate_in_float32(dtype):
    values = jnp.full(10_000, 0.01, dtype)
    sums, _ = sum_by_class(values, jnp.zeros(10_000, jnp.int32), 2)
    assert sums.dtype == jnp.float32
    np.testing.assert_allclose(sums, [10_000 * float(values[0]), 0], rtol=1e-4)


@pytest.mark.parametrize("value", [np.log(10), 3.9, np.log(10_250), np.log(50_608)])
@pytest.mark.parametrize("classes", [10, 2000])
def test_sums_of_many_equal_values_do_not_drift(value, classes):
    labels = np.random.default_rng(0).zipf(1.5, 400_000) - 1
    labels = np.minimum(labels, classes - 1).astype(np.int32)
    values = np.full(len(labels), value, np.float32)
    sums, counts = sum_by_class(values, labels, classes)
    expected = np.bincount(labels, minlength=classes)
    np.testing.assert_allclose(sums, expected * np.float64(values[0]), rtol=5e-5)  # naive: 6e-4
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize(("number", "piece"), [(1, 1), (7, 3), (12, 4), (13, 4)])
def test_pieces_change_nothing(number, piece, monkeypatch):
    rng = np.random.default_rng(number)
    monkeypatch.setattr("optexp_jax.per_class._PIECE", piece)
    monkeypatch.setattr("optexp_jax.per_class._PER_CLASS", 0)
    values = rng.normal(size=number).astype(np.float32)
    labels = rng.integers(-1, 5, number)
    sums, counts = sum_by_class(values, labels, 4)
    expected = [values[labels == k].sum() for k in range(4)]
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(counts, [(labels == k).sum() for k in range(4)])


def test_values_may_have_any_shape_but_that_of_the_labels():
    labels = np.arange(12) % 3
    flat = sum_by_class(VALUES, labels, 3)
    square = sum_by_class(VALUES.reshape(3, 4), labels.reshape(3, 4), 3)
    np.testing.assert_array_equal(flat[0], square[0])
    with pytest.raises(ValueError, match=r"\(12,\).*\(3,\)"):
        sum_by_class(VALUES, labels[:3], 3)


def test_sums_by_class_work_under_jit_and_vmap():
    values, labels = VALUES.reshape(3, 4), jnp.array([[0, 1, 1, -1]] * 3)
    sums, counts = jax.jit(jax.vmap(lambda v, y: sum_by_class(v, y, 2)))(values, labels)
    for i in range(3):
        alone = sum_by_class(values[i], labels[i], 2)
        np.testing.assert_allclose(sums[i], alone[0], rtol=1e-6)
        np.testing.assert_array_equal(counts[i], alone[1])


@pytest.mark.parametrize("n_groups", [7, 11])
def test_groups_of_the_synthetic_problem_are_its_powers_of_two(n_groups):
    counts = np.concatenate([np.full(2**g, 2 ** (n_groups - g)) for g in range(n_groups)])
    groups = frequency_groups(counts, n_groups)
    assert [len(group) for group in groups] == [2**g for g in range(n_groups)]
    np.testing.assert_array_equal(np.concatenate(groups), np.arange(2**n_groups - 1))


@given(class_counts, group_numbers)
def test_groups_partition_the_classes_that_have_examples(counts, n_groups):
    groups = frequency_groups(counts, n_groups)
    assert len(groups) == n_groups
    assert sorted(np.concatenate(groups)) == list(np.flatnonzero(counts))


@given(class_counts, group_numbers)
def test_groups_descend_in_count_and_then_ascend_in_index(counts, n_groups):
    order = np.concatenate(frequency_groups(counts, n_groups)).tolist()
    assert order == sorted(order, key=lambda k: (-counts[k], k))


@given(class_counts, group_numbers)
def test_groups_end_where_their_share_of_the_examples_is_reached(counts, n_groups):
    seen = 0
    for i, group in enumerate(frequency_groups(counts, n_groups)[:-1], start=1):
        for k in group[:-1]:
            seen += counts[k]
            assert seen * n_groups < i * sum(counts)
        seen += sum(counts[k] for k in group[-1:])
        assert seen * n_groups >= i * sum(counts)


@given(class_counts, group_numbers)
def test_counts_that_are_floats_give_the_same_groups(counts, n_groups):
    of_floats = frequency_groups(np.array(counts, np.float64), n_groups)
    for found, expected in zip(of_floats, frequency_groups(counts, n_groups), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_class_of_nine_tenths_leaves_empty_groups():
    groups = frequency_groups([1, 90, 2, 7], 10)
    assert [group.tolist() for group in groups] == [[1], *[[]] * 8, [3, 2, 0]]


def test_huge_counts_are_exact():
    huge = 10**17
    groups = frequency_groups([huge, huge + 1, huge - 1], 3)
    assert [group.tolist() for group in groups] == [[1], [0], [2]]
    groups = frequency_groups([2**53, 2**53, 1, 1], 2)
    assert [group.tolist() for group in groups] == [[0, 1], [2, 3]]


def test_more_groups_than_classes_and_no_examples_at_all():
    assert [len(group) for group in frequency_groups([1, 1], 4)] == [1, 0, 1, 0]
    assert [len(group) for group in frequency_groups([0, 0], 3)] == [0, 0, 0]


@pytest.mark.parametrize("dtype", [*"bBhHiIlL", "float16", "float32", "float64"])
def test_counts_may_be_of_any_type(dtype):
    counts = np.array([100, 3, 0, 90], dtype)
    found = frequency_groups(counts, np.uint8(2))
    assert [group.tolist() for group in found] == [[0], [3, 1]]
    assert mean_by_group(np.array([1, 2, 3, 4], "uint8"), counts, found)[1] == 366 / 93


@pytest.mark.parametrize(
    "counts",
    [
        *([1, -1], [0.5, 1], [[1, 2]], 3, [1.0, float("nan")], [1.0, float("inf")]),
        *([True, False], ["1", "2"], [None, 1], [1j], [2**70, 1], [1e30]),
        *(1, [True], [[1], [1]]),  # equal to a list of whole numbers
        np.array([2**63, 1], np.uint64),
        [2**62, 2**62],  # their sum would wrap
    ],
)
def test_counts_that_are_no_whole_numbers_are_refused(counts):
    with pytest.raises(ValueError):
        frequency_groups(counts, 2)


@pytest.mark.parametrize("n_groups", [0, -1, True, 2.0, 1.5, "2", None, float("nan")])
def test_there_is_at_least_one_group(n_groups):
    with pytest.raises(ValueError, match=f"n_groups.*{n_groups!r}"):
        frequency_groups([1, 2], n_groups)


def test_group_means_are_means_over_examples():
    groups = (np.array([0]), np.array([1, 2]))
    rows = np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(mean_by_group(rows, [5, 3, 1], groups), [[1.0, 2.5], [0.0, 0.75]])


def test_an_empty_group_has_mean_nan_without_a_warning():
    means = mean_by_group(np.array([1.0, 2.0]), [9, 1], frequency_groups([9, 1], 3))
    np.testing.assert_array_equal(means, [1.0, np.nan, 2.0])


@given(class_counts, group_numbers)
def test_group_means_add_up_to_the_mean_over_examples(counts, n_groups):
    counts, per_class = np.array(counts), np.sin(np.arange(len(counts)))
    groups = frequency_groups(counts, n_groups)
    sizes = np.array([counts[group].sum() for group in groups])
    total = np.nansum(sizes * mean_by_group(per_class, counts, groups))
    np.testing.assert_allclose(total, counts @ per_class, rtol=1e-9, atol=1e-9)


def test_classes_that_were_not_measured_count_for_nothing():
    values = np.array([1.0, np.nan, 5.0, np.nan])
    groups = [np.array([0, 1]), np.array([1, 2]), np.array([3])]
    means = mean_by_group(values, [2, 0, 1, 0], groups)
    np.testing.assert_array_equal(means, [1.0, 5.0, np.nan])


@pytest.mark.parametrize(("means", "counts"), [((3,), 2), ((2,), 3), ((2, 3), 2), ((), 1)])
def test_means_and_counts_are_of_the_same_classes(means, counts):
    with pytest.raises(ValueError, match=re.escape(str(means))):
        mean_by_group(np.ones(means), np.ones(counts, int), [np.array([0])])


@pytest.mark.parametrize(
    "group", [[3], [-1], [0, 99], [0.0], [True, False, True], [[0, 1]], 1, ["0"], [None]]
)
def test_groups_hold_indices_of_classes(group):
    with pytest.raises(ValueError, match=r"\b1\b.*\b0\b.*\b2\b"):
        mean_by_group(np.ones(3), [1, 1, 1], [np.array([0]), group])


def test_groups_may_be_lists_and_empty():
    groups = [[2, 0], [], np.array([1], np.uint8)]
    np.testing.assert_array_equal(
        mean_by_group(np.array([1.0, 2.0, 4.0]), [1, 1, 2], groups), [3.0, np.nan, 2.0]
    )
