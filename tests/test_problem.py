"""What a problem refuses, in which words, and how batches are counted."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels
from optexp_jax.errors import OptexpError
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.problem import FullBatch, MiniBatch, Problem

ONE_HOT = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
RANDOM = Problem(Linear(32, 7), RandomHeavyTailedLabels(3), CrossEntropy())


def refuses(message: str):
    return pytest.raises(OptexpError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"l2": -1e-3}, "l2 is a finite number from 0, not -0.001."),
        ({"l2": float("inf")}, "l2 is a finite number from 0, not inf."),
        ({"l2": float("nan")}, "l2 is a finite number from 0, not nan."),
        (
            {"precision": "float16"},
            "Precision 'float16' is unknown: take float32, tf32, bfloat16, float64.",
        ),
        ({"batching": 32}, "batching is FullBatch() or MiniBatch(size), not 32."),
        (
            {"batching": FullBatch},
            f"batching is FullBatch() or MiniBatch(size), not {FullBatch!r}.",
        ),
        (
            {"model": Linear(7, 6)},
            "Linear has num_classes=6, but HeavyTailedOneHot has 7: set num_classes=7.",
        ),
        (
            {"model": Linear(6, 7)},
            "Linear has num_inputs=6, but HeavyTailedOneHot has 7: set num_inputs=7.",
        ),
    ],
)
def test_impossible_problems_are_refused(fields, message):
    with refuses(message):
        dataclasses.replace(ONE_HOT, **fields)


def test_the_bias_column_counts_as_an_input():
    dataset = RandomHeavyTailedLabels(3, bias_column=True)
    message = "Linear has num_inputs=32, but RandomHeavyTailedLabels has 33: set num_inputs=33."
    with refuses(message):
        dataclasses.replace(RANDOM, dataset=dataset)
    assert dataclasses.replace(RANDOM, dataset=dataset, model=Linear(33, 7)).dataset == dataset


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16", "float64"])
def test_known_precisions_are_taken(precision):
    assert dataclasses.replace(ONE_HOT, precision=precision).precision == precision


def test_sizes_that_a_model_or_data_set_does_not_tell_are_not_checked():
    class Silent:
        num_classes = None

    assert dataclasses.replace(ONE_HOT, model=Silent()).dataset == ONE_HOT.dataset


@pytest.mark.parametrize("size", [0, -1, 1.0, True, None, "8"])
def test_sizes_of_mini_batches(size):
    with refuses(f"The size of a mini-batch is an integer from 1, not {size!r}."):
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
