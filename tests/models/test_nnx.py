"""NNX modules by a builder: the numbers of their Linen twins, in every mode."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from flax import linen, nnx
from small_problems import RANDOM, BatchNormNet, experiment, random_problem
from training_rows import alone, assert_close, assert_same, train

import optexp_jax
from optexp_jax import Experiment, LearningRate, MiniBatch, identity
from optexp_jax.errors import OptexpError
from optexp_jax.models import Nnx
from optexp_jax.models.functional import functional, split_trainable
from optexp_jax.optim import SGD

pytestmark = pytest.mark.usefixtures("quickly_compiled")

INPUTS = jax.random.normal(jax.random.key(1), (6, RANDOM.num_inputs))


class Perceptron(nnx.Module):
    def __init__(self, inputs: int, outputs: int, width: int = 4, *, rngs, dtype=None):
        first = nnx.Linear(inputs, width, rngs=rngs, dtype=dtype)
        self.layers = nnx.List([first, nnx.Linear(width, outputs, rngs=rngs, dtype=dtype)])

    def __call__(self, inputs):
        return self.layers[1](nnx.relu(self.layers[0](inputs)))

    def trainable(self, path):
        return path != "layers/0/bias"


class Normed(nnx.Module):
    def __init__(self, inputs: int, outputs: int, *, rngs, drop: float = 0.0):
        self.first = nnx.Linear(inputs, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, momentum=0.5, epsilon=1e-5, rngs=rngs)
        self.drop = nnx.Dropout(drop, rngs=rngs)
        self.last = nnx.Linear(8, outputs, rngs=rngs)

    def __call__(self, inputs):
        return self.last(self.drop(self.norm(self.first(inputs))))


def perceptron(inputs: int, *, rngs):
    """A builder that is a function."""
    return Perceptron(inputs, 3, rngs=rngs)


def no_module(*, rngs):
    return rngs


SIZES = {"inputs": RANDOM.num_inputs, "outputs": RANDOM.num_classes}


def draw(model, seed=0):
    functions = functional(model)
    return functions, *functions.init(jax.random.key(seed), INPUTS)


def test_parameters_are_plain_arrays_and_numbers_those_of_linen():
    functions, params, state = draw(Nnx(Perceptron, SIZES))
    assert state == {}
    assert functions.modes_coincide
    assert params["layers"]["0"]["kernel"].shape == (RANDOM.num_inputs, 4)
    twin = linen.Sequential([linen.Dense(4), linen.relu, linen.Dense(RANDOM.num_classes)])
    same = {"layers_0": params["layers"]["0"], "layers_2": params["layers"]["1"]}
    logits, _ = functions.apply(params, state, INPUTS, {}, True)
    np.testing.assert_array_equal(logits, twin.apply({"params": same}, INPUTS))
    trained, frozen = split_trainable(params, functions.trainable)
    assert set(frozen) == {"layers/0/bias"}
    assert len(trained) == 3


def test_statistics_are_those_of_linen_in_both_modes():
    functions, params, state = draw(Nnx(Normed, SIZES))
    assert not functions.modes_coincide
    twin = functional(BatchNormNet(RANDOM.num_classes))
    same = {"Dense_0": params["first"], "BatchNorm_0": params["norm"], "Dense_1": params["last"]}
    twin_state = {"batch_stats": {"BatchNorm_0": state["state"]["norm"]}}
    for mode in (True, False, True):
        logits, state = functions.apply(params, state, INPUTS, {"dropout": jax.random.key(0)}, mode)
        wanted, twin_state = twin.apply(same, twin_state, INPUTS, {}, mode)
        np.testing.assert_allclose(logits, wanted, rtol=1e-5, atol=1e-6)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
            state["state"]["norm"], twin_state["batch_stats"]["BatchNorm_0"],
        )  # fmt: skip


@pytest.mark.slow
def test_dropout_is_drawn_from_the_key_and_off_in_evaluation():
    functions, params, state = draw(Nnx(Normed, SIZES | {"drop": 0.5}))

    def logits(seed, mode):
        rngs = {"dropout": jax.random.key(seed)}
        return functions.apply(params, state, INPUTS, rngs, mode)[0]

    np.testing.assert_array_equal(logits(0, True), logits(0, True))
    assert not np.array_equal(logits(0, True), logits(1, True))
    np.testing.assert_array_equal(logits(0, False), logits(1, False))


def test_initial_values_follow_the_seed():
    model = Nnx(Perceptron, SIZES)
    same, other = draw(model, 0)[1], draw(model, 1)[1]
    jax.tree.map(np.testing.assert_array_equal, draw(model, 0)[1], same)
    first = same["layers"]["0"]["kernel"]
    assert not np.array_equal(first, other["layers"]["0"]["kernel"])
    assert not np.array_equal(first[:4, :4], same["layers"]["1"]["kernel"][:4, :4])


@pytest.mark.slow
def test_a_pack_with_dropout_and_statistics_is_the_same_alone():
    model = Nnx(Normed, SIZES | {"drop": 0.5})
    one = experiment(random_problem(model, batching=MiniBatch(8)), steps=9)
    other = dataclasses.replace(one, optimizer=SGD(LearningRate(-2)))
    rows = alone(one)
    assert np.isfinite(rows.table["tr_CrossEntropyLoss"]).all()
    assert_same(train(other, one)[one.id], rows)
    full = experiment(random_problem(Nnx(Perceptron, SIZES)))
    assert_close(alone(full, micro_batch=5), alone(full), rtol=1e-4, atol=1e-6)


def test_identity_is_the_name_and_the_arguments():
    one = Nnx(Perceptron, SIZES)
    assert one == Nnx(one.builder, tuple(reversed(one.arguments)))
    assert one.builder.endswith(":Perceptron")
    assert identity.decode(identity.encode(one)) == one
    assert one != Nnx(Perceptron, SIZES | {"width": 5})
    assert one != Nnx(Normed, SIZES)
    run = experiment(random_problem(one))
    assert Experiment.from_json(run.to_json()) == run
    assert hash(one) == hash(Nnx(Perceptron, SIZES))


def test_what_cannot_be_built_is_refused_in_one_line():
    def local(*, rngs):
        return Perceptron(2, 2, rngs=rngs)

    for builder in (local, lambda rngs: None, "nowhere:Net", "flax.nnx:nothing", "flax", 3):
        with refuses("builder-not-importable"):
            Nnx(builder)
    with refuses("not-an-nnx-module", found="Rngs"):
        functional(Nnx(no_module))
    with refuses("no-dtype-field"):
        functional(Nnx(Normed, SIZES), "bfloat16")
    with pytest.raises(OptexpError) as caught:
        _ = experiment(random_problem(Perceptron(2, 7, rngs=nnx.Rngs(0)))).id
    assert caught.value.code == "not-encodable"
    assert "\n" not in str(caught.value)
    functions = functional(Nnx(Perceptron, SIZES), "bfloat16")
    params, state = functions.init(jax.random.key(0), INPUTS)
    assert params["layers"]["0"]["kernel"].dtype == jnp.float32
    assert functions.apply(params, state, INPUTS, {}, False)[0].dtype == jnp.bfloat16


@pytest.mark.slow
def test_a_script_that_is_run_and_one_that_is_imported_have_one_model(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from flax import nnx\nfrom optexp_jax.models import Nnx\n"
        "class Net(nnx.Module):\n    def __init__(self, rngs): pass\n"
        "model = Nnx(Net)\nprint(model.builder, Nnx(model.builder) == model)\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path(optexp_jax.__file__).parents[1])}
    for command in (["mine.py"], ["-m", "mine"], ["-c", "import mine"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.stdout == "mine:Net True\n", done.stderr
