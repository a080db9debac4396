"""Training: closed forms, packs, chunks, micro-batches, divergence, norms, modes, schedules."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from training_rows import alone, assert_close, assert_same, load, train

import optexp_jax
from optexp_jax import Experiment, FullBatch, MiniBatch, Problem
from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy, SquaredLoss, Weighted
from optexp_jax.models import Linear, Zeros
from optexp_jax.models.functional import functional
from optexp_jax.optim import SGD, Adam, LearningRate, LineSearchGD, SignDescent
from optexp_jax.training import metrics, program
from optexp_jax.training.batches import epoch_order, named_key, take_batch, to_batch
from optexp_jax.training.pack import Pack
from optexp_jax.training.resident import ResidentProgram
from optexp_jax.training.run import run
from optexp_jax.training.schedule import Schedule, thinned

ONE_HOT = HeavyTailedOneHot(start_examples=8, base=2)
RANDOM = RandomHeavyTailedLabels(size=3, seed=0)
RATES = tuple(LearningRate(e) for e in (-2, -1, 0))


@optexp_jax.register("test-training-dropout")
class DropoutNet(nn.Module):
    num_classes: int
    rate: float = 0.5

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.relu(nn.Dense(8)(inputs))
        return nn.Dense(self.num_classes)(nn.Dropout(self.rate)(hidden, deterministic=not train))


@optexp_jax.register("test-training-batchnorm")
class BatchNormNet(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, inputs, train: bool = False):
        hidden = nn.BatchNorm(use_running_average=not train, momentum=0.5)(nn.Dense(8)(inputs))
        return nn.Dense(self.num_classes)(hidden)


@optexp_jax.register("test-training-frozen")
class HalfFrozen(nn.Module):
    num_classes: int

    def trainable(self, path):
        return not path.startswith("first/")

    @nn.compact
    def __call__(self, inputs):
        hidden = nn.relu(nn.Dense(8, name="first")(inputs))
        return nn.Dense(self.num_classes, name="second")(hidden)


def one_hot_problem(dataset=ONE_HOT, **changes):
    model = Linear(dataset.num_inputs, dataset.num_classes, use_bias=False, init_values=Zeros())
    return Problem(model, dataset, changes.pop("loss", SquaredLoss()), **changes)


def random_problem(model=None, loss=None, **changes):
    model = model or Linear(RANDOM.num_inputs, RANDOM.num_classes)
    return Problem(model, RANDOM, loss or CrossEntropy(), **changes)


def experiment(problem, optimizer=None, steps=7, **changes):
    optimizer = optimizer or SGD(LearningRate(-1))
    return Experiment(problem, optimizer, "test", steps=steps, per_class=True, **changes)


def sweep(one, rates=RATES):
    """The experiment at several learning rates."""
    replaced = (dataclasses.replace(one.optimizer, learning_rate=rate) for rate in rates)
    return tuple(dataclasses.replace(one, optimizer=optimizer) for optimizer in replaced)


# -- closed forms -----------------------------------------------------------------------------


def gd_residual(dataset, rate, steps):
    """(1 - η π_k)^t, `[rows, classes]`."""
    counts = dataset.class_counts()
    return (1 - rate * counts / counts.sum()) ** np.asarray(steps)[:, None]


def check_gd(workspace, dataset, steps, precision):
    one = experiment(
        one_hot_problem(dataset, precision=precision), SGD(LearningRate(0)), steps=steps
    )
    results = optexp_jax.run(one, workspace)
    assert results.status == "done"
    assert results.table["step"].tolist() == list(range(steps + 1))
    assert results.table["tr_SquaredLoss"][0] == 0.5
    expected = 0.5 * gd_residual(dataset, 1.0, results.per_class_steps) ** 2
    found = results.per_class["tr_SquaredLossPerClass"]
    counts = dataset.class_counts()
    overall = 0.5 * gd_residual(dataset, 1.0, results.table["step"]) ** 2 @ counts / counts.sum()
    if precision == "float32":
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-5)
        np.testing.assert_allclose(results.table["tr_SquaredLoss"], overall, rtol=0, atol=3e-5)
        return
    assert found.dtype == np.float64
    large = expected > 1e-6
    np.testing.assert_allclose(found[large], expected[large], rtol=1e-10)
    np.testing.assert_allclose(results.table["tr_SquaredLoss"], overall, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_gradient_descent_follows_its_closed_form(tmp_path, precision):
    check_gd(tmp_path, ONE_HOT, 200, precision)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_gradient_descent_follows_its_closed_form_at_full_size(tmp_path, precision):
    check_gd(tmp_path, HeavyTailedOneHot(start_examples=1000), 2000, precision)


@pytest.mark.parametrize(("precision", "rtol"), [("float32", 3e-4), ("float64", 1e-10)])
def test_sign_descent_follows_its_closed_form(tmp_path, precision, rtol):
    rate, steps = 10**-1.5, 31  # just below 1 / rate steps
    optimizer = SignDescent(LearningRate.parse("10^-3/2"))
    one = experiment(one_hot_problem(precision=precision), optimizer, steps=steps)
    results = optexp_jax.run(one, tmp_path)
    assert len(results.table) == steps + 1
    # Off the diagonal gradients are zero, so nothing else moves, and all classes are equal.
    diagonal = 0.5 * (1 - rate * results.per_class_steps[:, None]) ** 2
    found = results.per_class["tr_SquaredLossPerClass"]
    atol = 3e-5 if precision == "float32" else 1e-15
    expected = np.broadcast_to(diagonal, found.shape)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


# -- packs and chunks -------------------------------------------------------------------------

BITWISE = {
    "full batch": experiment(random_problem(), Adam(LearningRate(-2)), steps=9),
    "mini-batch": experiment(
        random_problem(batching=MiniBatch(7)), SGD(LearningRate(-1), momentum=0.9), steps=9
    ),
    "dropout": experiment(
        random_problem(DropoutNet(RANDOM.num_classes), batching=MiniBatch(7)),
        Adam(LearningRate(-2)),
        steps=9,
    ),
}


@pytest.mark.parametrize(
    "kind", ["full batch", pytest.param("mini-batch", marks=pytest.mark.slow), "dropout"]
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


@pytest.mark.parametrize("kind", [pytest.param("full batch", marks=pytest.mark.slow), "dropout"])
def test_vmap_equals_map(kind):
    # Rates at which training is stable: at 10^0 Adam amplifies the last bit.
    pack = sweep(BITWISE[kind], [LearningRate(e) for e in (-3, -2, -1)])
    by_map, by_vmap = train(*pack), train(*pack, mode="vmap")
    for one in pack:
        assert_close(by_map[one.id], by_vmap[one.id], rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("all_devices")
def test_packs_use_all_devices_and_single_runs_agree():
    assert jax.local_device_count() == 4
    pack = sweep(BITWISE["full batch"], [LearningRate(e) for e in (-3, -2, -1, 0)])
    used = ResidentProgram(Pack(pack), load(pack[0]))
    assert used.mesh.size == 4
    assert len(used.initial().step.sharding.device_set) == 4
    together = train(*pack)
    for one in pack[:3]:
        assert_same(together[one.id], alone(one))


def test_line_search_runs():
    rows = alone(experiment(random_problem(), LineSearchGD(), steps=20))
    losses = rows.table["tr_CrossEntropyLoss"]
    assert (np.diff(losses) < 0).all()


# -- micro-batches and mini-batches -----------------------------------------------------------


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


# -- divergence -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "batching"),
    [
        pytest.param(1, FullBatch(), id="full-1", marks=pytest.mark.slow),
        pytest.param(5, MiniBatch(7), id="mini-5"),
    ],
)
def test_divergence_ends_one_run_and_leaves_the_others_alone(every, batching):
    one = experiment(one_hot_problem(batching=batching), steps=60, eval_every=every)
    pack = sweep(one, [LearningRate(e) for e in (-1, 6, -2)])
    together = train(*pack)
    good, bad, other = (together[e.id] for e in pack)
    assert (good.status, bad.status, other.status) == ("done", "diverged", "done")
    losses = bad.table["tr_SquaredLoss"]
    assert not np.isfinite(losses[-1])
    if isinstance(batching, FullBatch):  # else the loss of the batch decides
        assert np.isfinite(losses[:-1]).all()
    assert bad.table["step"][-1] < 60
    for run_, rows in zip(pack, (good, bad, other), strict=True):
        assert_same(rows, alone(run_, chunk_seconds=0.0))


@pytest.mark.parametrize("batching", [FullBatch(), MiniBatch(7)], ids=["full", "mini"])
def test_a_divergence_between_recorded_rows_is_recorded_where_it_happens(batching):
    one = experiment(one_hot_problem(batching=batching), SGD(LearningRate(6)), steps=60)
    every_step = alone(one)
    sparse = alone(dataclasses.replace(one, eval_every=50))
    assert sparse.table["step"].tolist() == [0, every_step.table["step"][-1]]
    assert sparse.steps.tolist() == [0, every_step.table["step"][-1]]
    for name in ("tr_SquaredLoss", "tr_Accuracy", "param_norm"):
        assert np.array_equal(sparse.table[name][-1], every_step.table[name][-1], equal_nan=True)


def test_a_run_whose_last_row_is_not_finite_diverged():
    one = experiment(one_hot_problem(), SGD(LearningRate(6)), steps=60)
    end = int(alone(one).table["step"][-1])
    rows = alone(dataclasses.replace(one, steps=end))
    assert rows.table["step"].tolist() == list(range(end + 1))
    assert not np.isfinite(rows.table["tr_SquaredLoss"][-1])
    assert rows.status == "diverged"


# -- what is recorded -------------------------------------------------------------------------


def softmax(logits):
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def initial_parameters(one):
    data = load(one)
    model = functional(one.problem.model)
    params, state = model.init(named_key(one.seed, "params"), jnp.asarray(data.train.inputs[:1]))
    return params, state


@pytest.mark.parametrize("l2", [0.0, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_first_row_equals_numpy(l2, weighted):
    loss = Weighted(CrossEntropy()) if weighted else CrossEntropy()
    one = experiment(random_problem(loss=loss, l2=l2), steps=2)
    data, (params, _) = load(one), initial_parameters(one)
    inputs, labels = np.asarray(data.train.inputs, np.float64), data.train.labels
    kernel, bias = (np.asarray(params[name], np.float64) for name in ("kernel", "bias"))
    probabilities = softmax(inputs @ kernel + bias)
    values = -np.log(probabilities[np.arange(len(labels)), labels])
    logits, one_hot = inputs @ kernel + bias, np.eye(RANDOM.num_classes)[labels]
    weights = np.ones(len(labels))
    if weighted:  # taken from the loss, one example at a time
        built = loss.build(data.class_counts)
        weights = np.array(
            [
                float(built(jnp.asarray(z[None], jnp.float32), jnp.array([y]))[1])
                for z, y in zip(logits, labels, strict=True)
            ]
        )
        assert weights.std() > 0
    d_logits = weights[:, None] * (probabilities - one_hot) / weights.sum()
    gradients = {"kernel": inputs.T @ d_logits + l2 * kernel, "bias": d_logits.sum(0) + l2 * bias}
    rows = alone(one)
    row = {name: values_[0] for name, values_ in rows.table.items()}
    for kind, tree in (("grad", gradients), ("param", {"kernel": kernel, "bias": bias})):
        norms = {name: np.linalg.norm(leaf) for name, leaf in tree.items()}
        for name, norm in norms.items():
            np.testing.assert_allclose(row[f"{kind}_norm/{name}"], norm, rtol=1e-5)
        np.testing.assert_allclose(row[f"{kind}_norm"], np.hypot(*norms.values()), rtol=1e-5)
        every_row = [rows.table[f"{kind}_norm/{name}"] for name in norms]
        np.testing.assert_allclose(
            rows.table[f"{kind}_norm"], np.sqrt(sum(n**2 for n in every_row)), rtol=1e-12
        )
    assert np.isfinite(rows.table["grad_norm"][:-1]).all()
    np.testing.assert_allclose(row["tr_CrossEntropyLoss"], values.mean(), rtol=1e-5)
    np.testing.assert_allclose(row["tr_Accuracy"], (logits.argmax(1) == labels).mean(), rtol=1e-6)
    assert ("tr_Objective" in row) == (weighted or l2 > 0)
    if "tr_Objective" in row:
        penalty = l2 / 2 * ((kernel**2).sum() + (bias**2).sum())
        objective = (weights * values).sum() / weights.sum() + penalty
        np.testing.assert_allclose(row["tr_Objective"], objective, rtol=1e-5)
    by_class = [values[labels == c].mean() for c in range(RANDOM.num_classes)]
    np.testing.assert_allclose(rows.per_class["tr_CrossEntropyLossPerClass"][0], by_class, 1e-5)


# -- models with modes ------------------------------------------------------------------------


def test_dropout_trains_with_masks_and_evaluates_without():
    one = experiment(random_problem(DropoutNet(RANDOM.num_classes)), SGD(LearningRate(-1)), steps=4)
    data, (params, state) = load(one), initial_parameters(one)
    logits = one.problem.model.apply({"params": params, **state}, data.train.inputs, train=False)
    expected = CrossEntropy().per_example(logits, jnp.asarray(data.train.labels)).mean()
    rows = alone(one)
    np.testing.assert_allclose(rows.table["tr_CrossEntropyLoss"][0], expected, rtol=1e-5)
    assert_same(rows, alone(one))
    other = alone(dataclasses.replace(one, seed=1))
    assert rows.table["param_norm"][0] != other.table["param_norm"][0]


def test_dropout_masks_differ_from_step_to_step():
    still = dataclasses.replace(BITWISE["dropout"].problem, batching=FullBatch())
    # So small a rate that the parameters stay: gradients differ by their masks only.
    norms = alone(experiment(still, SGD(LearningRate(-12)), steps=6)).table["grad_norm"][:-1]
    assert len(set(norms)) == 6


def test_batch_norm_evaluates_with_running_statistics():
    one = experiment(random_problem(BatchNormNet(RANDOM.num_classes)), SGD(LearningRate(-12)))
    data, (params, state) = load(one), initial_parameters(one)
    rows, losses = alone(one), []
    for _ in range(8):  # the parameters hardly move, the statistics do
        variables = {"params": params, **state}
        logits = one.problem.model.apply(variables, data.train.inputs, train=False)
        losses.append(CrossEntropy().per_example(logits, jnp.asarray(data.train.labels)).mean())
        _, state = one.problem.model.apply(
            variables, data.train.inputs, train=True, mutable=["batch_stats"]
        )
    np.testing.assert_allclose(rows.table["tr_CrossEntropyLoss"], losses, rtol=1e-5)
    assert len(set(rows.table["tr_CrossEntropyLoss"])) == 8


def test_frozen_parameters_stay_and_have_no_norms():
    one = experiment(
        random_problem(HalfFrozen(RANDOM.num_classes), l2=0.1), Adam(LearningRate(-1)), steps=3
    )
    (params, _) = initial_parameters(one)
    chunk = None
    for chunk in run(Pack((one,)), load(one)):
        states = chunk.snapshot()
    table = alone(one).table
    assert {name for name in table if name.startswith("param_norm")} == {
        "param_norm",
        "param_norm/second/kernel",
        "param_norm/second/bias",
    }
    assert not any("first" in name for name in table)
    for leaf in ("kernel", "bias"):
        np.testing.assert_array_equal(states[f".frozen['first/{leaf}']"][0], params["first"][leaf])
        assert (states[f".params['second/{leaf}']"][0] != params["second"][leaf]).any()
    penalty = 0.05 * sum(float((leaf**2).sum()) for leaf in params["second"].values())
    difference = table["tr_Objective"][0] - table["tr_CrossEntropyLoss"][0]
    np.testing.assert_allclose(difference, penalty, rtol=1e-4)


# -- sums and schedules -----------------------------------------------------------------------


def test_sums_are_compensated():
    new = {"x": jnp.float32(0.1), "n": jnp.int32(1)}

    @jax.jit
    def total():
        def body(carry, _):
            return metrics.add(carry, new), None

        return jax.lax.scan(body, metrics.zeros(new), None, length=10**5)[0][0]

    sums = total()
    assert int(sums["n"]) == 10**5
    assert abs(float(sums["x"]) / (10**5 * float(np.float32(0.1))) - 1) < 1e-7


@pytest.mark.parametrize(("total", "every"), [(1, 1), (10, 3), (199, 1), (5000, 1), (5000, 7)])
def test_schedule(total, every):
    schedule = Schedule(total, every, 1)
    recorded = schedule.recorded(0, total + 1)
    assert recorded[0] == 0
    assert recorded[-1] == total
    assert sorted(set(recorded)) == recorded.tolist()
    assert set(recorded[:-1] % every) <= {0}
    pieces = [schedule.recorded(s, min(s + 13, total + 1)) for s in range(0, total + 1, 13)]
    np.testing.assert_array_equal(np.concatenate(pieces), recorded)
    by_class = schedule.by_class(recorded)
    assert len(by_class) <= 201
    assert by_class[0] == 0
    assert by_class[-1] == total
    assert set(by_class) <= set(recorded)
    np.testing.assert_array_equal(np.concatenate([schedule.by_class(p) for p in pieces]), by_class)
    assert len(thinned(total)) <= 200


def test_chunks_end_where_parameters_are_kept():
    schedule = Schedule(10, 1, 1, keep=(0, 4, 7, 10, 99))
    assert [schedule.chunk_end(s, 100) for s in (0, 4, 7)] == [4, 7, 10]
    assert schedule.chunk_end(4, 2) == 6


def test_kept_parameters_equal_those_of_a_shorter_run(tmp_path):
    one = experiment(random_problem(), Adam(LearningRate(-2)), steps=9, keep_steps=(0, 4, 9, 50))
    optexp_jax.run(one, tmp_path)
    stored = tmp_path / "experiments" / "test" / one.id / "parameters"
    names = sorted(p.name for p in stored.iterdir())
    assert names == [f"step-{step:010d}.npz" for step in (0, 4, 9)]
    for step, name in zip((0, 4, 9), names, strict=True):
        with np.load(stored / name, allow_pickle=False) as archive:
            found = dict(archive)
        if step == 0:
            expected = initial_parameters(one)[0]
        else:
            shorter = dataclasses.replace(one, steps=step, keep_steps=(step,))
            expected = alone(shorter).kept[step]
        assert set(found) == {"kernel", "bias"}
        for path, leaf in found.items():
            np.testing.assert_array_equal(leaf, expected[path])
    plain = dataclasses.replace(one, keep_steps=())
    assert plain == one
    assert_same(alone(plain), dataclasses.replace(alone(one), kept={}))


def test_epochs_are_steps_of_mini_batches():
    problem = random_problem(batching=MiniBatch(7))
    by_epochs = Experiment(problem, SGD(LearningRate(-1)), "test", epochs=3, eval_every=2)
    rows = functools.reduce(lambda _, r: r, train(by_epochs).values())
    assert rows.table["step"].tolist() == [0, 8, 12]
    assert rows.table["epoch"].tolist() == [0, 2, 3]
    assert rows.per_class == {}
