"""Blocks that are computed again in the backward pass: the same rows, in less memory."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from small_problems import experiment, random_problem
from training_rows import alone, assert_close

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.datasets import Sequences, ShakespeareExcerpt
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import GPT, SimpleViT, Transformer
from optexp_jax.models.functional import functional, rematerialised
from optexp_jax.optim import SGD
from optexp_jax.training.compiler import compiler_options
from optexp_jax.training.memory import estimate
from optexp_jax.training.pack import Pack

WORDS, TIME = 50, 64
TOKENS = jax.ShapeDtypeStruct((8, TIME), jnp.int32)
SIZES = {"vocabulary": WORDS, "num_classes": WORDS, "num_heads": 2, "width": 16}
GPT4 = GPT(**SIZES, depth=4, dropout=0.2)


def gradient_of(model, inputs, train=True):
    """The gradient of a sum of the outputs, compiled, and its arguments as shapes."""
    functions = functional(model)
    params, state = jax.eval_shape(functions.init, jax.random.key(0), inputs)

    def loss(params, inputs):
        rngs = {"dropout": jax.random.key(3)}
        return jnp.sum(functions.apply(params, state, inputs, rngs, train)[0] ** 2)

    return jax.jit(jax.grad(loss)), (params, inputs)


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
@pytest.mark.parametrize(
    "model",
    [GPT4.clone(depth=1), Transformer(**SIZES, depth=2, width_mlp=32, dropout=0.2)],
    ids=["GPT", "Transformer"],
)
def test_gradients_are_the_same_with_the_same_dropout(model):
    tokens = jax.random.randint(jax.random.key(1), (2, 5), 0, WORDS)
    assert_same_gradient(model, tokens)


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
def test_gradients_of_a_vision_transformer_are_the_same():
    model = SimpleViT(3, patch=4, depth=2, num_heads=2, width=8, width_mlp=16, head_width=4)
    assert_same_gradient(model, jax.random.normal(jax.random.key(1), (2, 8, 8, 3)))


def assert_same_gradient(model, inputs):
    params, _ = functional(model).init(jax.random.key(0), inputs)
    found = [gradient_of(m, inputs)[0](params, inputs) for m in (model, rematerialised(model))]
    assert jax.tree.structure(found[0]) == jax.tree.structure(found[1])
    for a, b in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_compiler_needs_less_memory():
    def temporary(model):
        function, shapes = gradient_of(model, TOKENS)
        compiled = function.lower(*shapes).compile(compiler_options=compiler_options())
        return compiled.memory_analysis().temp_size_in_bytes

    # Of four blocks, the inside of one is left, and the inputs of all.
    assert temporary(rematerialised(GPT4)) < 0.5 * temporary(GPT4)


def test_the_estimate_holds_the_inside_of_one_block_only():
    """Block by block: it falls with --remat, and then grows by the input of a block only."""
    steps = {}
    for depth in (1, 3):
        one = text(GPT4.clone(depth=depth, dropout=0.0))
        for remat in (False, True):
            pack = Pack((one,), remat=remat)
            steps[depth, remat] = estimate(pack, one.problem.dataset.shapes_for(10_000, 1_000)).step
    assert steps[3, True] < steps[3, False]
    assert steps[3, True] - steps[1, True] < 0.3 * (steps[3, False] - steps[1, False])


def test_the_bits_for_dropout_of_all_blocks_are_counted():
    """The compiler keeps them: a micro-batch of GPT-2 took three times the estimate."""

    def grown(dropout):
        def step(depth):
            one = text(GPT4.clone(depth=depth, dropout=dropout))
            data = one.problem.dataset.shapes_for(10_000, 1_000)
            return estimate(Pack((one,), remat=True), data).step

        return step(3) - step(2)

    bits = 4 * 4 * (2 * TIME * TIME + 2 * TIME * 16)  # attention weights, and what is added twice
    assert grown(0.2) - grown(0.0) == 2 * bits


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
def test_rows_of_a_run_are_the_same(tmp_path):
    one = text(GPT4.clone(depth=1), steps=4)
    data = one.problem.dataset.load(tmp_path)
    rows = [alone(one, data=data, remat=remat, micro_batch=2) for remat in (False, True)]
    assert_close(*rows, rtol=1e-5, atol=1e-6)


def text(model, **changes):
    dataset = ShakespeareExcerpt(layout=Sequences(TIME))
    model = model.clone(vocabulary=dataset.vocabulary, num_classes=dataset.num_classes)
    problem = Problem(model, dataset, CrossEntropy(), MiniBatch(4))
    return Experiment(problem, SGD("10^-2"), "again", **{"steps": 2} | changes)


def test_it_is_no_part_of_an_identity():
    one = text(GPT4)
    assert one.problem.model == one.problem.model.clone(remat=True)
    problem = dataclasses.replace(one.problem, model=rematerialised(one.problem.model))
    again = dataclasses.replace(one, problem=problem)
    assert again.id == one.id
    assert "remat" not in one.to_json()


def test_a_model_without_blocks_is_refused():
    one = experiment(random_problem())
    with refuses("no-remat-field", model="Linear"):
        alone(one, remat=True)
