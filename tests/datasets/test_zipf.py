"""Words under Zipf's law: distributions, pairs that are drawn, and examples that are shared."""

import numpy as np
import pytest
from errors import refuses

from optexp_jax.datasets import ZipfBigram, ZipfMandelbrot, ZipfUnigram
from optexp_jax.datasets.loading import checked
from optexp_jax.experiment import Experiment
from optexp_jax.frequency import zipf_law
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD
from optexp_jax.problem import Problem


def test_every_word_has_the_law_around_itself_as_often_as_it_occurs(tmp_path):
    dataset = ZipfBigram(num_classes=5, power=1.0, least=12, seed=0)
    data = checked(dataset, dataset.load(tmp_path))
    assert data.class_counts.tolist() == [60, 30, 20, 15, 12]
    law = zipf_law(5, 1.0)
    for word in range(5):
        rows = data.train.labels[data.train.inputs == word]
        np.testing.assert_allclose(rows, np.tile(np.roll(law, word), (len(rows), 1)), rtol=1e-6)


def test_pairs_have_the_frequencies_of_the_distributions(tmp_path):
    dataset = ZipfBigram(num_classes=4, power=1.0, pairs=20_000, seed=3)
    data = checked(dataset, dataset.load(tmp_path))
    law = zipf_law(4, 1.0)
    words = np.bincount(data.train.inputs, minlength=4) / 20_000
    np.testing.assert_allclose(words, law, atol=0.015)
    for word in range(4):
        after = data.train.labels[data.train.inputs == word].mean(0)
        np.testing.assert_allclose(after, np.roll(law, word), atol=0.03)
    np.testing.assert_allclose(data.validation.labels[0], law, rtol=1e-6)
    assert len(data.train) == dataset.facts.train
    assert len(data.validation) == dataset.facts.validation


def test_pairs_are_those_of_the_seed(tmp_path):
    first, same, other = (
        ZipfBigram(num_classes=9, pairs=50, seed=s).load(tmp_path).train for s in (1, 1, 2)
    )
    assert (first.labels == same.labels).all()
    assert (first.inputs == same.inputs).all()
    assert (first.labels != other.labels).any()
    with refuses("seed-not-given", dataset="ZipfBigram"):
        ZipfBigram(pairs=5).load(tmp_path)


def test_a_unigram_is_one_example_with_the_whole_distribution(tmp_path):
    dataset = ZipfUnigram(num_classes=50, power=1.5)
    data = checked(dataset, dataset.load(tmp_path))
    assert data.train.labels.shape == (1, 50)
    np.testing.assert_allclose(data.train.labels[0], zipf_law(50, 1.5), rtol=1e-6)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.5])
def test_examples_are_shared_by_the_law_and_none_is_without(power):
    dataset = ZipfMandelbrot(num_classes=100, power=power, shift=0.0, examples=1000, seed=0)
    counts = dataset.class_counts()
    assert counts.sum() == 1000 == dataset.num_inputs
    assert counts.min() >= 1
    assert (np.diff(counts) <= 0).all()
    np.testing.assert_allclose(counts, 1 + 900 * zipf_law(100, power), atol=1)


def test_too_few_examples_are_refused():
    with refuses("not-an-integer", field="examples", least=100):
        ZipfMandelbrot(num_classes=100, examples=99)


def test_a_field_that_is_not_used_is_no_part_of_an_id():
    def definition(**fields):
        dataset = ZipfMandelbrot(num_classes=4, least=2, **fields)
        problem = Problem(Linear(dataset.num_inputs, 4), dataset, CrossEntropy())
        return Experiment(problem, SGD("10^-1"), "g", steps=1)

    assert '"examples"' not in definition().to_json()
    assert definition(examples=30).id != definition().id
    assert Experiment.from_json(definition(examples=30).to_json()) == definition(examples=30)
