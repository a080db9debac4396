"""Training: closed forms, divergence, what is recorded, models with modes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_problems import (
    BITWISE,
    ONE_HOT,
    RANDOM,
    BatchNormNet,
    DropoutNet,
    HalfFrozen,
    experiment,
    initial_parameters,
    one_hot_problem,
    random_problem,
    sweep,
)
from training_rows import alone, assert_same, load, train

import optexp_jax
from optexp_jax import FullBatch, MiniBatch
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.optim import SGD, Adam, LearningRate, LineSearchGD, SignDescent
from optexp_jax.training import metrics
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack


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
    check_gd(tmp_path, HeavyTailedOneHot(start_examples=1000), 400, precision)


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


@pytest.mark.slow
def test_line_search_runs():
    rows = alone(experiment(random_problem(), LineSearchGD(), steps=20))
    losses = rows.table["tr_CrossEntropyLoss"]
    assert (np.diff(losses) < 0).all()


@pytest.mark.parametrize(
    ("every", "batching"),
    [
        pytest.param(1, FullBatch(), id="full-1", marks=pytest.mark.slow),
        pytest.param(5, MiniBatch(7), id="mini-5", marks=pytest.mark.slow),
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


def softmax(logits):
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_frozen_parameters_stay_and_have_no_norms():
    one = experiment(
        random_problem(HalfFrozen(RANDOM.num_classes), l2=0.1), Adam(LearningRate(-1)), steps=3
    )
    (params, _) = initial_parameters(one)
    chunk = None
    for chunk in train_pack(Pack((one,)), load(one)):
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
