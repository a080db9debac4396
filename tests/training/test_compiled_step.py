"""A step that is compiled from shapes: its memory, by device, sharded and computed again."""

import jax
import pytest

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.datasets import Sequences, Shakespeare
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import GPT
from optexp_jax.optim import Adam
from optexp_jax.training.compiled_step import compiled_step
from optexp_jax.training.memory import shapes_of, started
from optexp_jax.training.pack import Pack

pytestmark = pytest.mark.usefixtures("all_devices", "quickly_compiled")


def text(depth=1, width=128):
    dataset = Shakespeare(layout=Sequences(16))
    model = GPT(dataset.vocabulary, dataset.num_classes, depth, 2, width)
    problem = Problem(model, dataset, CrossEntropy(), MiniBatch(8))
    return Experiment(problem, Adam("10^-3"), "compiled", steps=10)


@pytest.mark.slow
def test_a_step_takes_the_bytes_of_its_state_and_updates_it_in_place():
    one = text(width=16)
    pack, data = Pack((one,), micro_batch=4), shapes_of(one)
    found = compiled_step(pack, data)
    state = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(started(pack, data)[1]))
    examples = 2 * 8 * 16 * 4
    assert found.arguments == pytest.approx(state + examples, rel=0.01)
    assert found.results < 0.01 * found.arguments
    assert found.temporary > 0


@pytest.mark.slow
def test_devices_that_share_states_hold_a_part_each():
    whole, parts = (
        compiled_step(Pack((text(),), devices=4, shard=shard), shapes_of(text()))
        for shard in ("data", "fsdp")
    )
    assert parts.arguments < 0.3 * whole.arguments
    assert parts.total < whole.total


@pytest.mark.slow
def test_blocks_that_are_computed_again_take_less():
    one = text(depth=3, width=32)
    rest, again = (
        compiled_step(Pack((one,), remat=remat), shapes_of(one)).temporary
        for remat in (False, True)
    )
    assert again < rest
