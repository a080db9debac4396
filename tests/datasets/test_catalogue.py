"""The data sets of the command line by name."""

import numpy as np
import pytest

from optexp_jax.datasets import (
    Split,
)  # fmt: skip
from optexp_jax.datasets.catalogue import CATALOGUE
from optexp_jax.datasets.data import InFiles

OFFLINE = ["HeavyTailedOneHot", "RandomHeavyTailedLabels-8", "RandomHeavyTailedLabels-7",
           "RandomHeavyTailedLabels-7-normal", "RandomHeavyTailedLabels-7-bias",
           "RandomHeavyTailedLabels-7-dim400", "GaussianMixture", "ZipfMandelbrot", "Digits",
           "BarcodedDigits", "Shakespeare", "FrozenFeatures-Shakespeare"]  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("shelf")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if "Shakespeare" in n else n for n in OFFLINE],
)
def test_what_is_loaded_is_what_is_promised(shelf, name):
    dataset = CATALOGUE[name]
    if isinstance(dataset, InFiles):
        assert dataset.missing(shelf) is None
    data = dataset.load(shelf)
    assert isinstance(data.train, Split)
    parts = [data.train] if data.validation is None else [data.train, data.validation]
    for part in parts:
        assert part.inputs.shape[1:] == dataset.input_shape
        assert len(part.inputs) == len(part.labels)
    targets = [int((np.asarray(part.labels) >= 0).sum()) for part in parts] + [0]
    assert (dataset.facts.train, dataset.facts.validation) == tuple(targets[:2])
    counts = data.class_counts
    assert counts.dtype == np.int64
    assert counts.shape == (dataset.num_classes,)
    assert counts.sum() == targets[0]
    present = counts[counts > 0]
    if dataset.facts.ratio is not None:
        assert dataset.facts.ratio == present.max() / present.min()
    groups_of = dataset.groups(counts)
    assert len(groups_of) == dataset.num_groups
    assert sorted(np.concatenate(groups_of)) == np.flatnonzero(counts).tolist()


def test_names_differ_in_more_than_capitals():
    assert len({name.lower() for name in CATALOGUE}) == len(CATALOGUE)


def test_data_sets_that_are_drawn_have_a_seed_here():
    assert all(getattr(dataset, "seed", 0) is not None for dataset in CATALOGUE.values())
