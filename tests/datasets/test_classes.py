"""Counts of classes, of labels that may be anything."""

import numpy as np

from optexp_jax.datasets import counts_of


def test_labels_of_no_class_are_not_counted():
    """Whoever counts them in `load` is told by the checks which label is outside."""
    assert counts_of(np.array([0, 5, -1, -3, 2]), 3).tolist() == [1, 0, 1]
    assert counts_of(np.array([0, 255], np.uint8), 2).tolist() == [1, 0]
