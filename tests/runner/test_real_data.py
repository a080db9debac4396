"""Real data serve every batching, in one order on any devices, before and after a stop."""

import dataclasses

import flax.linen as nn
import jax
import numpy as np
import pytest
from PIL import Image
from training_rows import alone, assert_close

import optexp_jax
from optexp_jax import Experiment, FullBatch, LearningRate, MiniBatch, Problem, load_results, run
from optexp_jax.cli.tables import first_and_last
from optexp_jax.datasets import (
    BarcodedMNIST,
    Digits,
    FashionMNIST,
    HeavyTailedImageNet,
    Sequences,
    Shakespeare,
    Streams,
    Words,
)
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.models import Linear
from optexp_jax.optim import SGD
from optexp_jax.training import loop
from optexp_jax.training.pack import Pack


@optexp_jax.register("test-real-flat")
class Flat(nn.Module):
    """A linear model of images."""

    num_classes: int

    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(self.num_classes)(inputs.reshape(len(inputs), -1))


WORDS = Shakespeare(Words(50), Streams(1000, 20), evaluated=2000)
PROBLEMS = {
    "digits": (Linear(64, 10), Digits(flatten=True), 300),
    "barcodes": (Flat(90), BarcodedMNIST(Digits(), bits=3, seed=0), 300),
    "words": (Linear(50, 50), WORDS, 6000),
    "images": (Flat(6), HeavyTailedImageNet(30, num_classes=6, size=8), 20),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Real JPEG files, and what the tests prepare."""
    path, rng = tmp_path_factory.mktemp("workspace"), np.random.default_rng(0)
    for part, number in [("train", 30), ("val", 3)]:
        for k in range(6):
            folder = path / "datasets" / "ImageNet" / part / f"n{k}"
            folder.mkdir(parents=True)
            for i in range(number):
                coarse = rng.integers(10 * k, 10 * k + 200, (4, 4, 3), dtype=np.uint8)
                image = Image.fromarray(coarse).resize((48, 40), Image.Resampling.BICUBIC)
                image.save(folder / f"{i}.JPEG")
    return path


def experiment(name, batching, **fields):
    model, dataset, _ = PROBLEMS[name]
    problem = Problem(model, dataset, Weighted(CrossEntropy(), 0.5), batching)
    fields = {"steps": 4, "per_class": True} | fields
    return Experiment(problem, SGD(LearningRate(-2), 0.9), "real", **fields)


@pytest.fixture(scope="module")
def loaded(workspace):
    return {name: dataset.load(workspace) for name, (_, dataset, _) in PROBLEMS.items()}


# The others are compiled for as long, and have less that is their own.
SOME = [pytest.param(name, marks=[] if name == "images" else pytest.mark.slow) for name in PROBLEMS]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_full_batches_are_the_same_in_parts(name, loaded):
    one, size = experiment(name, FullBatch()), PROBLEMS[name][2]
    whole, parts = (alone(one, data=loaded[name], micro_batch=m) for m in (None, size - 1))
    assert_close(parts, whole, rtol=2e-4, atol=2e-5)
    assert whole.table["tr_CrossEntropyLoss"][-1] < whole.table["tr_CrossEntropyLoss"][0]


@pytest.mark.slow
@pytest.mark.usefixtures("all_devices")
@pytest.mark.parametrize("name", PROBLEMS)
def test_one_device_and_four_take_the_same_batches(name, loaded, monkeypatch):
    batching = MiniBatch(PROBLEMS[name][2], shuffle=name != "words")
    one = experiment(name, batching)
    on_four = alone(one, data=loaded[name])
    monkeypatch.setattr("optexp_jax.training.devices.used", lambda: jax.devices()[:1])
    assert_close(on_four, alone(one, data=loaded[name]), rtol=2e-4, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_a_stop_changes_no_row(name, loaded):
    one = experiment(name, MiniBatch(PROBLEMS[name][2]))
    whole = alone(one, data=loaded[name])
    chunks = loop.train_pack(Pack((one,)), loaded[name], chunk_seconds=0)
    next(chunks)
    chunk = next(chunks)
    states, step = chunk.snapshot(), chunk.step
    chunks.close()
    rest = alone(one, data=loaded[name], states=states, step=step)
    for column, values in rest.table.items():
        np.testing.assert_array_equal(values, whole.table[column][step:], err_msg=column)


@pytest.mark.slow
def test_text_is_stored_small_and_counted_by_class(loaded):
    data = loaded["words"]
    assert data.train.inputs.dtype == np.uint8
    one = experiment("words", FullBatch(), steps=1)
    rows = alone(one, data=data, micro_batch=20_000)
    labels = np.asarray(data.train.labels)
    counts = np.bincount(labels[labels >= 0], minlength=50)
    assert np.array_equal(counts, data.class_counts)
    mean = rows.per_class["tr_CrossEntropyLossPerClass"][0] @ counts / counts.sum()
    assert mean == pytest.approx(rows.table["tr_CrossEntropyLoss"][0], rel=1e-5)


@pytest.mark.slow
def test_groups_average_to_the_whole_though_few_rows_are_measured(workspace):
    dataset = Shakespeare(Words(300), Sequences(8), evaluated=5)
    problem = Problem(Linear(300, 300), dataset, CrossEntropy(), MiniBatch(64))
    one = Experiment(problem, SGD(LearningRate(0)), "real", steps=2, per_class=True)
    results = run(one, workspace)
    groups = dataset.groups(results.class_counts)
    for split, number in (("tr", 40), ("va", 106_424)):
        metric = f"{split}_CrossEntropyLoss"
        counts = results.measured_counts[split]
        assert counts.sum() == number
        means = results.group_means(f"{metric}PerClass", groups)
        sizes = np.array([counts[group].sum() for group in groups])
        assert np.isfinite(means[:, sizes > 0]).all()
        assert np.isnan(means[:, sizes == 0]).all()
        overall = np.nansum(means * sizes, axis=1) / sizes.sum()
        np.testing.assert_allclose(overall, results.table[metric], rtol=1e-5)
    assert (results.measured_counts["tr"] == 0).any()
    table = first_and_last(results)
    assert "diverged" not in {cell for column in table.columns for cell in column.cells}


@pytest.mark.slow
def test_images_are_trained_on_by_the_public_call(workspace):
    one = experiment("images", MiniBatch(32), steps=30, eval_every=10)
    results = run(one, workspace)
    assert results.status == "done"
    losses = results.table["tr_CrossEntropyLoss"]
    assert losses.iloc[-1] < 0.8 * losses.iloc[0]
    assert results.class_counts.tolist() == [30, 15, 10, 8, 6, 5]
    assert results.table["va_CrossEntropyLoss"].notna().all()
    again = load_results(one, workspace)
    assert again.table.equals(results.table)


@pytest.mark.slow
@pytest.mark.skipif(
    FashionMNIST().missing("nowhere") is not None, reason="dataset-fashion-mnist is not installed"
)
def test_fashion_mnist_is_trained_on(workspace):
    dataset = FashionMNIST(flatten=True)
    problem = Problem(Linear(784, 10), dataset, CrossEntropy(), MiniBatch(1000))
    one = Experiment(problem, SGD(LearningRate(-2), 0.9), "real", steps=60, eval_every=60)
    results = run(one, workspace)
    assert results.table["va_Accuracy"].iloc[-1] > 0.78  # a linear model reaches 0.84


@pytest.mark.slow
def test_a_data_set_of_the_run_follows_its_seed(workspace):
    dataset = dataclasses.replace(PROBLEMS["barcodes"][1], seed=None)
    problem = Problem(Flat(90), dataset, CrossEntropy())
    losses = [
        run(Experiment(problem, SGD(LearningRate(-2)), "real", seed=s, steps=1), workspace)
        .table["tr_CrossEntropyLoss"]
        .iloc[0]
        for s in (0, 1)
    ]
    assert losses[0] != losses[1]
