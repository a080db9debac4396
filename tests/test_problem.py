"""What a problem refuses, in which words, and how batches are counted."""

import dataclasses

import pytest
from errors import refuses
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax import Experiment
from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD
from optexp_jax.problem import PRECISIONS, FullBatch, MiniBatch, Problem

ONE_HOT = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
RANDOM = Problem(Linear(32, 7), RandomHeavyTailedLabels(3), CrossEntropy())


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("l2", -1e-3, "not-a-number"),
        ("l2", float("inf"), "not-a-number"),
        ("l2", float("nan"), "not-a-number"),
        ("precision", "float16", "not-a-choice"),
        ("batching", 32, "wrong-kind"),
        ("batching", FullBatch, "wrong-kind"),
    ],
)
def test_impossible_problems_are_refused(field, value, code):
    with refuses(code, field=field, value=value):
        dataclasses.replace(ONE_HOT, **{field: value})


@pytest.mark.parametrize(
    ("model", "field"), [(Linear(7, 6), "num_classes"), (Linear(6, 7), "num_inputs")]
)
def test_models_of_other_sizes_are_refused(model, field):
    values = {"field": field, "of_model": 6, "of_data": 7}
    with refuses("model-and-data-disagree", model="Linear", dataset="HeavyTailedOneHot", **values):
        dataclasses.replace(ONE_HOT, model=model)


def test_the_bias_column_counts_as_an_input():
    dataset = RandomHeavyTailedLabels(3, bias_column=True)
    with refuses("model-and-data-disagree", field="num_inputs", of_model=32, of_data=33):
        dataclasses.replace(RANDOM, dataset=dataset)
    assert dataclasses.replace(RANDOM, dataset=dataset, model=Linear(33, 7)).dataset == dataset


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16", "float64"])
def test_known_precisions_are_taken(precision):
    assert dataclasses.replace(ONE_HOT, precision=precision).precision == precision


def test_each_precision_is_another_experiment():
    problems = [dataclasses.replace(ONE_HOT, precision=precision) for precision in PRECISIONS]
    assert len({Experiment(p, SGD("10^-2"), "t", steps=1).id for p in problems}) == 4


def test_sizes_that_a_model_or_data_set_does_not_tell_are_not_checked():
    class Silent:
        num_classes = None

    assert dataclasses.replace(ONE_HOT, model=Silent()).dataset == ONE_HOT.dataset


@pytest.mark.parametrize("size", [0, -1, 1.0, True, None, "8"])
def test_sizes_of_mini_batches(size):
    with refuses("not-an-integer", field="size", kind="MiniBatch", value=size, least=1):
        MiniBatch(size)


@given(st.integers(1, 200), st.integers(1, 2000))
def test_an_epoch_has_as_few_mini_batches_as_hold_every_example(size, examples):
    steps = MiniBatch(size).steps_per_epoch(examples)
    assert (steps - 1) * size < examples <= steps * size


def test_an_epoch_of_full_batches_is_one_step():
    assert FullBatch().steps_per_epoch(22_528) == 1


def test_the_paper_counts_its_steps_so():
    assert MiniBatch(512).steps_per_epoch(52 * 512) == 52  # PTB: 52 chunks of 512 streams
    assert MiniBatch(512).steps_per_epoch(107_262) == 210  # WikiText-103


def test_problems_are_values():
    same = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss(), l2=0)
    assert same == ONE_HOT
    assert hash(same) == hash(ONE_HOT)
    assert type(same.l2) is float
    with pytest.raises(dataclasses.FrozenInstanceError):
        same.l2 = 1.0


def test_the_data_seed_is_filled_in_only_where_it_is_open():
    assert RANDOM.with_data_seed(3).dataset == RandomHeavyTailedLabels(3, seed=3)
    assert RANDOM.with_data_seed(3).with_data_seed(4) == RANDOM.with_data_seed(3)
    assert ONE_HOT.with_data_seed(3) is ONE_HOT
    assert RANDOM.dataset.seed is None
