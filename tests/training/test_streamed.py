"""Data that are decoded while runs go on: the rows are those of data that lie on the devices."""

import dataclasses
import threading

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from flax.traverse_util import unflatten_dict
from streamed_images import FromMemory, digits
from training_rows import alone, assert_close, assert_same, train

import optexp_jax
from optexp_jax import Experiment, FullBatch, MiniBatch, Problem
from optexp_jax.backend import use_form
from optexp_jax.datasets import Data, decoding
from optexp_jax.datasets.decoding import Wanted, decoded, in_order
from optexp_jax.datasets.images import Digits
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.runner.signals import Stopped
from optexp_jax.training.batches import epoch_order, named_key
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack
from optexp_jax.training.run_control import NeverStop
from optexp_jax.training.streamed import StreamedProgram

RATES = tuple(LearningRate(e) for e in (-3, -2, -1))


def resident(data):
    """The same data on the devices."""
    parts = (data.train, data.validation, data.evaluation)
    train_part, validation, evaluation = (part and part.resident() for part in parts)
    return Data(train_part, data.class_counts, validation, evaluation)


@optexp_jax.register("test-streamed-hidden")
class Hidden(nn.Module):
    """A model whose norms are sums of many numbers."""

    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(10)(nn.relu(nn.Dense(300)(inputs)))


@optexp_jax.register("test-streamed-batchnorm")
class BatchNormNet(nn.Module):
    """A model that sees the other examples of a batch."""

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.BatchNorm(use_running_average=not train, momentum=0.5)(nn.Dense(8)(inputs))
        return nn.Dense(10)(hidden)


def problem(batching, loss=None, model=None):
    dataset = Digits(flatten=True)
    return Problem(model or Linear(64, 10), dataset, loss or CrossEntropy(), batching)


def pack(batching, optimizer=SGD, steps=9, **fields):
    value = problem(batching, fields.pop("loss", None), fields.pop("model", None))
    fields = {"per_class": True, "steps": steps} | fields
    return [Experiment(value, optimizer(rate), "streamed", **fields) for rate in RATES]


@pytest.mark.parametrize(
    ("batching", "micro_batch"),
    [
        pytest.param(MiniBatch(16), None, marks=pytest.mark.slow),
        pytest.param(MiniBatch(16, shuffle=False), 5, marks=pytest.mark.slow),
        pytest.param(FullBatch(), 16, marks=pytest.mark.slow),
    ],
)
def test_rows_are_those_of_data_on_the_devices(batching, micro_batch):
    experiments = pack(batching, loss=Weighted(CrossEntropy()))
    data = digits()
    found = train(*experiments, data=data, micro_batch=micro_batch)
    expected = train(*experiments, data=resident(data), micro_batch=micro_batch)
    for one in experiments:
        assert_close(found[one.id], expected[one.id], rtol=1e-4, atol=1e-5)
        assert found[one.id].table["step"].tolist() == list(range(10))


@pytest.mark.slow
@pytest.mark.parametrize("micro_batch", [None, 2])
def test_batch_statistics_see_no_padding(micro_batch):
    (one, *_) = pack(MiniBatch(16), model=BatchNormNet(), steps=4)
    data = digits()  # 50 examples: the fourth batch has two
    found = alone(one, data=data, micro_batch=micro_batch)
    on_devices = alone(one, data=resident(data), micro_batch=micro_batch)
    assert_close(found, on_devices, rtol=1e-4, atol=1e-5)
    # Batches of 16, 16, 16 and 2 by hand: the first 48 examples of the order, then the others.
    order = np.asarray(epoch_order(named_key(0, "order"), 0, 50, True))
    short = FromMemory(data.train.images[order[48:]], data.train.labels[order[48:]])
    kept = {}
    for chunk in train_pack(
        Pack((dataclasses.replace(one, keep_steps=(3,)),), "map", micro_batch), data
    ):
        kept |= {r.step: r.parameters for r in chunk.records if r.parameters is not None}
    params = unflatten_dict(kept[3], sep="/")
    params.pop("batch_stats")  # running statistics: a training step reads none of them

    def loss(params):
        inputs = short.to_inputs(jnp.asarray(short.images))
        running = {"BatchNorm_0": {"mean": jnp.zeros(8), "var": jnp.ones(8)}}
        variables = {"params": params, "batch_stats": running}
        logits, _ = BatchNormNet().apply(variables, inputs, train=True, mutable=["batch_stats"])
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(2), short.labels])

    norm = jnp.linalg.norm(jax.grad(loss)(params)["Dense_0"]["kernel"])
    # Of two examples the variance is small: processors differ by a thousandth, padding by far more.
    np.testing.assert_allclose(found.table["grad_norm/Dense_0/kernel"][3], norm, rtol=1e-2)


def test_parts_that_batch_statistics_would_see_twice_are_refused():
    (one, *_) = pack(MiniBatch(16), model=BatchNormNet())
    with refuses("batch-statistics-unequal-parts", micro_batch=5, batch=16):
        alone(one, data=digits(), micro_batch=5)


@pytest.mark.usefixtures("all_devices")
def test_devices_that_would_share_batch_statistics_are_refused():
    (one, *_) = pack(MiniBatch(16), model=BatchNormNet())
    with refuses("batch-statistics-many-devices"):
        alone(one, data=digits(), devices=2)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices")
def test_devices_share_what_is_read_from_files():
    (one, *_), data = pack(MiniBatch(16), steps=4), digits(noisy=True)
    shared = alone(one, data=data, devices=2)
    assert_close(shared, alone(one, data=data), rtol=1e-4, atol=1e-5)


def test_a_signal_is_looked_at_after_every_batch_of_an_evaluation():
    (one, *_), data, calls = pack(MiniBatch(16), steps=4), digits(), []

    class ThirdTime(NeverStop):
        def check(self):
            calls.append(None)
            if len(calls) == 3:
                raise Stopped

    with pytest.raises(Stopped):
        alone(one, data=data, control=ThirdTime())
    assert len(calls) == 3


@pytest.mark.slow
def test_runs_side_by_side_agree():
    experiments, data = pack(MiniBatch(16), eval_every=3), digits(noisy=True)
    by_map, by_vmap = (train(*experiments, data=data, mode=mode) for mode in ("map", "vmap"))
    for one in experiments:
        assert_close(by_map[one.id], by_vmap[one.id], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_blocks_that_are_measured_fit_where_training_does():
    seen = []

    class Watching(nn.Module):
        @nn.compact
        def __call__(self, inputs):
            seen.append(len(inputs))
            return nn.Dense(10)(inputs)

    optexp_jax.register("test-streamed-watching")(Watching)
    (one, *_) = pack(MiniBatch(40), model=Watching(), steps=1)
    for data in (digits(), resident(digits())):
        alone(one, data=data, micro_batch=5)
    assert set(seen) == {1, 5}  # one to make the parameters


def test_parts_of_data_are_of_one_kind():
    data = digits()
    with pytest.raises(ValueError):
        Data(data.train, data.class_counts, data.validation.resident())


@pytest.mark.slow
def test_a_fixed_part_of_the_training_data_is_measured():
    data = digits()
    part = FromMemory(data.train.images[:20], data.train.labels[:20])
    data = dataclasses.replace(data, evaluation=part)
    for batching in (FullBatch(), MiniBatch(16)):
        one = pack(batching)[1]
        found, expected = alone(one, data=data), alone(one, data=resident(data))
        assert_close(found, expected, rtol=1e-4, atol=1e-5)
    whole = alone(one, data=digits())
    assert not np.allclose(found.table["tr_CrossEntropyLoss"], whole.table["tr_CrossEntropyLoss"])
    np.testing.assert_array_equal(
        found.table["va_CrossEntropyLoss"], whole.table["va_CrossEntropyLoss"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_rows_depend_neither_on_the_pack_nor_on_chunks(optimizer):
    experiments = pack(MiniBatch(16), optimizer, eval_every=2, model=Hidden())
    data = digits(noisy=True)
    together = train(*experiments, data=data)
    for one in experiments:
        assert_same(alone(one, data=data), together[one.id])
        assert_same(alone(one, data=data, chunk_seconds=0), together[one.id])
    assert together[experiments[0].id].table["step"].tolist() == [0, 2, 4, 6, 8, 9]


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 3, 6])
def test_a_run_that_goes_on_sees_what_it_would_have_seen(stop):
    (one, *_) = pack(MiniBatch(16), Adam)
    data = digits(noisy=True)
    whole = alone(one, data=data)
    chunks = train_pack(Pack((one,)), data, chunk_seconds=0)
    chunk = next(chunk for chunk in chunks if chunk.step >= stop)
    states, step = chunk.snapshot(), chunk.step
    chunks.close()
    rest = alone(one, data=data, states=states, step=step)
    for name, column in rest.table.items():
        np.testing.assert_array_equal(column, whole.table[name][step:], err_msg=name)


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices")
def test_four_devices_see_the_batches_that_one_sees(monkeypatch):
    experiments, data = pack(MiniBatch(16)), digits(noisy=True)
    on_four = train(*experiments, data=data)
    monkeypatch.setattr("optexp_jax.training.devices.used", lambda: jax.devices()[:1])
    on_one = train(*experiments, data=data)
    for one in experiments:
        assert_close(on_four[one.id], on_one[one.id], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_augmentation_changes_with_the_epoch_and_the_seed_and_is_not_measured():
    data, plain = digits(noisy=True), digits()
    steps = 8  # two epochs of four batches
    runs = {
        seed: alone(pack(MiniBatch(16), seed=seed, steps=steps)[1], data=data) for seed in (0, 1)
    }
    assert_same(runs[0], alone(pack(MiniBatch(16), steps=steps)[1], data=data))
    without = alone(pack(MiniBatch(16), steps=steps)[1], data=plain)
    metric = "tr_CrossEntropyLoss"
    assert runs[0].table[metric][0] == without.table[metric][0]
    assert (runs[0].table[metric][1:] != without.table[metric][1:]).all()
    one_image = dataclasses.replace(data.train, images=data.train.images[:1], labels=np.zeros(1))
    draws = [(0, 0), (0, 1), (1, 0), (0, 0)]
    wanted = [Wanted(np.zeros(1, int), draw) for draw in draws]
    seen = [inputs for inputs, _ in decoded(one_image, wanted, 1)]
    assert np.array_equal(seen[0], seen[3])
    assert not any(np.array_equal(seen[i], seen[j]) for i, j in [(0, 1), (0, 2), (1, 2)])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["cpu", "gpu"])
def test_divergence_ends_one_run_and_leaves_the_others_alone(form):
    class Exploding(nn.Module):
        @nn.compact
        def __call__(self, inputs):
            return jnp.exp(50 * nn.Dense(10)(inputs))

    optexp_jax.register("test-streamed-exploding")(Exploding)
    experiments = pack(MiniBatch(16), model=Exploding())
    data = digits()
    with use_form(form):
        together = train(*experiments, data=data)
    statuses = [together[one.id].status for one in experiments]
    assert "diverged" in statuses
    for one in experiments:
        expected = alone(one, data=resident(data))
        assert together[one.id].status == expected.status
        assert together[one.id].table["step"].tolist() == expected.table["step"].tolist()


def test_a_gpu_decides_nothing_in_a_step():
    with use_form("gpu"):
        program = StreamedProgram(Pack(tuple(pack(MiniBatch(16)))), digits())
        inputs, labels = np.zeros((16, 64), np.uint8), np.zeros(16, np.int32)
        batch = program._to_devices(inputs, labels, 16)
        where = (program.initial(), program._spread(program._seeds), program._runs, batch)
        text = program._advance.trace(*where).lower(lowering_platforms=("cuda",)).as_text()
    assert "stablehlo.case" not in text


@pytest.mark.slow
def test_parameters_are_kept_and_few_arrays_by_class_recorded():
    (one, *_) = pack(FullBatch(), steps=300, eval_every=1, keep_steps=(0, 2))
    data = digits(n_train=12, n_validation=10)
    found = alone(one, data=data)
    assert sorted(found.kept) == [0, 2]
    assert len(found.table["step"]) == 301
    assert len(found.steps) < 201
    expected = alone(one, data=resident(data))
    np.testing.assert_array_equal(found.steps, expected.steps)
    assert_close(found, expected, rtol=1e-3, atol=1e-4)


# ---------------------------------------------------------------------------- decoding


def test_batches_come_in_order_and_padded():
    split = digits().train
    batches = list(decoded(split, in_order(len(split), 16), 16))
    assert [len(inputs) for inputs, _ in batches] == [16] * 4
    labels = np.concatenate([labels for _, labels in batches])
    assert labels[:50].tolist() == split.labels.tolist()
    assert labels[50:].tolist() == [-1] * 14
    inputs = np.concatenate([inputs for inputs, _ in batches])
    assert np.array_equal(inputs[:50], split.images)
    assert (inputs[50:] == 0).all()


def test_few_batches_are_decoded_ahead_and_threads_end():
    split, asked = digits().train, []

    def wanted():
        for i in range(1000):
            asked.append(i)
            yield Wanted(np.array([i % 50]), (0, 0))

    before = threading.active_count()
    batches = decoded(split, wanted(), 1)
    next(batches)
    assert len(asked) == 1 + decoding.AHEAD
    batches.close()
    assert threading.active_count() == before
    assert not list(decoded(split, [], 1))


def test_a_broken_example_is_named():
    data = digits(broken=7)
    with refuses("image-broken", index=7):
        alone(pack(MiniBatch(16))[0], data=data)
    assert not [t for t in threading.enumerate() if t.name.startswith("decoding")]


def test_a_full_batch_of_too_many_images_is_refused():
    class Large(FromMemory):
        def __len__(self):
            return 1_281_167

        @property
        def example_shape(self):
            return (224, 224, 3)

    data = Data(Large(np.zeros((1, 1)), np.zeros(1)), np.ones(10, np.int64))
    with refuses("batches-too-large", size=1_281_167) as caught:
        alone(pack(FullBatch())[0], data=data)
    assert caught.value.values["needed"] / 2**30 == pytest.approx(718, abs=0.5)
