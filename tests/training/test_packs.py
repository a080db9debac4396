"""Packs, chunks, micro-batches and mini-batches: what changes no row."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from small_problems import (
    BITWISE,
    ONE_HOT,
    RANDOM,
    experiment,
    one_hot_problem,
    random_problem,
    sweep,
)
from training_rows import alone, assert_close, assert_same, load, train

import optexp_jax
from optexp_jax import FullBatch, MiniBatch
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.training import program
from optexp_jax.training.batches import epoch_order, named_key, take_batch, to_batch
from optexp_jax.training.pack import Pack, by_seed, group_into_packs
from optexp_jax.training.resident import ResidentProgram


@pytest.mark.parametrize(
    "kind",
    [
        "full batch",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("mini-batch", "dropout", "schedule")),
    ],
)
def test_rows_depend_neither_on_the_pack_nor_on_chunks(kind):
    pack = sweep(BITWISE[kind])
    together = train(*pack)
    # Other order, and chunks of one step.
    single_steps = train(*reversed(pack), chunk_seconds=0.0)
    assert set(single_steps[pack[0].id].lengths) == {1}
    for one in pack:
        assert_same(together[one.id], single_steps[one.id])
    assert_same(together[pack[0].id], alone(pack[0]))
    a, b = (together[e.id].table["tr_CrossEntropyLoss"] for e in pack[:2])
    assert not np.array_equal(a, b)


@pytest.mark.slow
def test_seeds_share_a_pack_and_change_no_row():
    first = BITWISE["mini-batch"]
    seeds = [dataclasses.replace(first, seed=seed) for seed in (0, 1)]
    (pack,) = group_into_packs(seeds)
    together = train(*pack.experiments)
    for one in seeds:
        assert_same(together[one.id], alone(one))
    a, b = (together[e.id].table["tr_CrossEntropyLoss"] for e in seeds)
    assert not np.array_equal(a, b)


def test_packs_are_split_where_data_or_their_order_would_differ():
    seeds = [dataclasses.replace(BITWISE["mini-batch"], seed=seed) for seed in (0, 1)]
    assert len(group_into_packs(seeds, "vmap")) == 2
    assert [p.experiments for p in by_seed(Pack(tuple(seeds)))] == [(seeds[0],), (seeds[1],)]
    problem = random_problem()
    problem = dataclasses.replace(problem, dataset=dataclasses.replace(RANDOM, seed=None))
    drawn = [dataclasses.replace(experiment(problem), seed=seed) for seed in (0, 1)]
    assert len(group_into_packs(drawn)) == 2
    with refuses("not-one-pack"):
        Pack(tuple(seeds), "vmap")


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [(-2,), (-1, 0), (0, -1, -2)])
def test_row_buffers_that_are_short_change_nothing(monkeypatch, chosen):
    pack = sweep(BITWISE["full batch"], [LearningRate(e) for e in chosen])
    wanted = train(*pack)
    monkeypatch.setattr(program, "_MOST_ROWS", 3)
    monkeypatch.setattr(program, "_ROW_BYTES", 1)  # one row of per-class arrays in a chunk
    found = train(*pack)
    for one in pack:
        assert max(found[one.id].lengths) == 1
        assert_same(wanted[one.id], found[one.id])


@pytest.mark.parametrize("kind", ["full batch", pytest.param("dropout", marks=pytest.mark.slow)])
def test_vmap_equals_map(kind):
    # Rates at which training is stable: at 10^0 Adam amplifies the last bit.
    pack = sweep(BITWISE[kind], [LearningRate(e) for e in (-3, -2, -1)])
    by_map, by_vmap = train(*pack), train(*pack, mode="vmap")
    for one in pack:
        assert_close(by_map[one.id], by_vmap[one.id], rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("all_devices")
@pytest.mark.slow
def test_packs_use_all_devices_and_single_runs_agree():
    assert jax.local_device_count() == 4
    pack = sweep(BITWISE["full batch"], [LearningRate(e) for e in (-3, -2, -1, 0)])
    used = ResidentProgram(Pack(pack), load(pack[0]))
    assert used.mesh.size == 4
    assert len(used.initial().step.sharding.device_set) == 4
    together = train(*pack)
    for one in pack[:3]:
        assert_same(together[one.id], alone(one))


@pytest.mark.usefixtures("all_devices")
@pytest.mark.parametrize(
    ("batching", "micro_batch", "devices"),
    [
        pytest.param(MiniBatch(10), None, 2, id="mini"),
        pytest.param(FullBatch(), 3, 4, id="micro"),
        pytest.param(MiniBatch(3), None, 4, id="fewer examples than devices"),
    ],
)
@pytest.mark.slow
def test_devices_share_the_batches_of_a_run(batching, micro_batch, devices):
    problem = random_problem(loss=Weighted(CrossEntropy()), batching=batching, l2=0.01)
    pack = sweep(experiment(problem, steps=6), [LearningRate(e) for e in (-2, -1, 0)])
    used = ResidentProgram(Pack(pack, devices=devices), load(pack[0]))
    assert dict(used.mesh.shape) == {"run": 4 // devices, "data": devices}
    shared = train(*pack, micro_batch=micro_batch, devices=devices)
    for one in pack:
        assert_close(alone(one), shared[one.id], rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("all_devices")
@pytest.mark.parametrize(
    ("micro_batch", "devices"),
    [
        (3, 1),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((None, 2), (1, 4), (2, 2))),
    ],
)
@pytest.mark.slow
def test_an_example_is_dropped_alike_however_its_batch_is_cut(micro_batch, devices):
    one = experiment(BITWISE["dropout"].problem, steps=6)
    cut = train(one, micro_batch=micro_batch, devices=devices)
    assert_close(alone(one), cut[one.id], rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("all_devices")
def test_devices_that_cannot_share_a_run_are_refused():
    one = experiment(random_problem())
    with refuses("devices-not-shareable", devices=4, per_run=3):
        alone(one, devices=3)
    with refuses("devices-below-one", devices=0):
        Pack((one,), devices=0)


@pytest.mark.parametrize(
    ("loss", "batching"),
    [
        pytest.param(Weighted(CrossEntropy()), FullBatch(), id="weighted full"),
        pytest.param(CrossEntropy(), FullBatch(), id="full", marks=pytest.mark.slow),
        pytest.param(
            Weighted(CrossEntropy()), MiniBatch(10), id="weighted mini", marks=pytest.mark.slow
        ),
        pytest.param(CrossEntropy(), MiniBatch(10), id="mini", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "micro_batch", [7, *(pytest.param(b, marks=pytest.mark.slow) for b in (1, 3, 24))]
)
def test_micro_batches_change_nothing(loss, batching, micro_batch):
    one = experiment(random_problem(loss=loss, batching=batching, l2=0.01), steps=6)
    whole, found = alone(one), alone(one, micro_batch=micro_batch)
    assert_close(whole, found, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        found.table["tr_CrossEntropyLoss"], whole.table["tr_CrossEntropyLoss"], rtol=1e-6
    )


def labels_of_epoch(key, epoch, n, size, shuffle, micro=None):
    split = optexp_jax.datasets.data.Split(np.arange(n, dtype=np.int32), np.arange(n))
    examples = to_batch(split, size, np.float32)
    order = epoch_order(key, jnp.int32(epoch), n, shuffle)
    number = MiniBatch(size).steps_per_epoch(n)
    batches = [take_batch(examples, order, jnp.int32(i), size, micro) for i in range(number)]
    return [labels_in_blocks(batch, micro or size) for batch in batches]


def labels_in_blocks(batch, size):
    """The labels of a batch that are no padding, block after block."""
    found = []
    for number in range(batch.num_blocks):
        block = batch.block(number)
        assert block.labels.dtype == jnp.int32
        assert len(block.labels) == min(size, len(batch.labels))
        inside = np.asarray(block.labels) >= 0
        np.testing.assert_array_equal(block.inputs[inside], block.labels[inside])
        found.append(np.asarray(block.labels)[inside])
    return np.concatenate(found)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 7, 20])
def test_blocks_hold_every_example_once(size):
    labels = np.arange(1, 8, dtype=np.uint8)  # a type that has no -1
    split = optexp_jax.datasets.data.Split(labels.astype(np.uint16), labels)
    batch = to_batch(split, size, np.float32)
    assert (batch.inputs.dtype, batch.labels.dtype) == (np.uint16, np.uint8)
    assert labels_in_blocks(batch, size).tolist() == labels.tolist()


@pytest.mark.parametrize(("n", "size", "micro"), [(10, 3, None), (10, 5, 2), (7, 7, 3), (5, 4, 1)])
def test_an_epoch_visits_every_example_once(n, size, micro):
    key = named_key(0, "order")
    first, second = (labels_of_epoch(key, e, n, size, True, micro) for e in (0, 1))
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == list(range(n))
    assert [len(b) for b in first[:-1]] == [size] * (len(first) - 1)
    assert len(first[-1]) == (n % size or size)
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))


def test_the_order_is_a_function_of_seed_and_epoch():
    orders = {
        (seed, epoch): tuple(
            np.asarray(epoch_order(named_key(seed, "order"), jnp.int32(epoch), 20, True))
        )
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(set(orders.values())) == 9
    again = epoch_order(named_key(2, "order"), jnp.int32(1), 20, True)
    assert tuple(np.asarray(again)) == orders[2, 1]
    in_order = np.concatenate(labels_of_epoch(named_key(0, "order"), 3, 10, 4, False))
    np.testing.assert_array_equal(in_order, np.arange(10))


def test_mini_batch_steps_equal_a_loop_in_numpy():
    """Two epochs of SGD on the squared loss, the last batch of each partial."""
    one = experiment(one_hot_problem(batching=MiniBatch(10)), SGD(LearningRate(0)), steps=8)
    labels = load(one).train.labels
    n, k = len(labels), ONE_HOT.num_classes
    per_epoch = MiniBatch(10).steps_per_epoch(n)
    weights, losses = np.zeros((k, k)), []
    for step in range(8):
        losses.append(0.5 * ((weights[labels] - np.eye(k)[labels]) ** 2).sum(1).mean())
        order = epoch_order(named_key(0, "order"), jnp.int32(step // per_epoch), n, True)
        batch = labels[np.asarray(order)[(step % per_epoch) * 10 :][:10]]
        gradient = np.zeros((k, k))
        np.add.at(gradient, batch, weights[batch] - np.eye(k)[batch])
        weights -= gradient / len(batch)
    found = alone(one).table
    np.testing.assert_allclose(found["tr_SquaredLoss"][:8], losses, rtol=1e-5)
    np.testing.assert_array_equal(found["epoch"], np.arange(9) / per_epoch)
