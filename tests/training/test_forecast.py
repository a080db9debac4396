"""What a run takes, from shapes alone: parameters, FLOPs and memory are counted."""

import jax
import pytest
from errors import refuses

from experiments.bigger_models.gpt2small_wt103 import gpt2small_wt103
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.backend import use_form
from optexp_jax.datasets import (
    HeavyTailedOneHot,
    PatternImages,
    RandomHeavyTailedLabels,
    Sequences,
    Shakespeare,
)
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import CNN, GPT, Linear
from optexp_jax.optim import SGD, Adam
from optexp_jax.training.flops import counted_by_xla, forward_flops, product_flops
from optexp_jax.training.forecast import _one_of, forecast
from optexp_jax.training.gpus import gpu_named, gpu_of_device
from optexp_jax.training.memory import estimate, shapes_of, started
from optexp_jax.training.pack import Pack

H100 = gpu_named("H100")
DEPTH, WIDTH, WORDS, TIME = 2, 64, 500, 32


def text(**changes):
    dataset = Shakespeare(layout=Sequences(TIME), evaluated=8)
    model = GPT(WORDS, WORDS, DEPTH, 2, WIDTH)
    changes = {"steps": 100, "eval_every": 50} | changes
    model = model.clone(vocabulary=dataset.vocabulary, num_classes=dataset.num_classes)
    problem = Problem(model, dataset, CrossEntropy(), MiniBatch(16))
    return Experiment(problem, Adam("10^-3"), "t", **changes)


def formula(model, tokens, time):
    """6 FLOPs for each weight and token, and 12 · depth · time · width for the attention."""
    block = 4 * model.width**2 + 2 * model.width * 4 * model.width
    weights = model.depth * block + model.width * model.num_classes
    return tokens * (6.0 * weights + 12.0 * model.depth * time * model.width)


def test_model_flops_are_those_of_the_formula():
    one = text()
    found = forecast(one, shapes_of(one), H100)
    assert found.model_flops == formula(one.problem.model, 16 * TIME, TIME)


def test_xla_counts_as_much_and_what_is_no_product():
    one = text()
    stepper, state, block = started(Pack((one,)), shapes_of(one))
    products = 3 * forward_flops(stepper, state, _one_of(block))
    # Inputs have no gradient, and activations cost: a little more or less than the products.
    assert products == pytest.approx(counted_by_xla(stepper, state, _one_of(block)), rel=0.15)


def test_a_loop_counts_as_often_as_it_runs():
    def looped(x):
        return jax.lax.scan(lambda c, _: (c @ c, None), x, length=5)[0]

    square = jax.ShapeDtypeStruct((4, 4), "float32")
    assert product_flops(jax.make_jaxpr(looped)(square)) == 5 * 2 * 4**3


def test_parameters_are_counted():
    dataset = RandomHeavyTailedLabels(size=5)
    model = Linear(dataset.num_inputs, dataset.num_classes)
    one = Experiment(Problem(model, dataset, CrossEntropy()), SGD("10^-2"), "t", steps=10)
    found = forecast(one, shapes_of(one), H100)
    assert found.parameters == found.trained == (dataset.num_inputs + 1) * dataset.num_classes
    assert found.evaluations == 0  # they come with the gradient
    assert found.model_flops == 6 * dataset.num_inputs * dataset.num_classes * found.batch


@pytest.mark.slow
def test_devices_share_time_and_a_larger_peak_takes_less():
    one = text()
    alone, four = (forecast(one, shapes_of(one), H100, devices=n) for n in (1, 4))
    assert alone.step_seconds(H100, "float32") == alone.model_flops / (0.4 * 67e12)
    assert 4 * four.run_seconds(H100, "bfloat16") == alone.run_seconds(H100, "bfloat16")
    assert alone.run_seconds(H100, "float32") > alone.run_seconds(H100, "tf32")
    assert four.memory.step < alone.memory.step


@pytest.mark.slow
def test_rows_of_metrics_take_their_share():
    rare, often = text(eval_every=50), text(eval_every=1)
    shares = [forecast(e, shapes_of(e), H100).evaluation_share for e in (rare, often)]
    assert 0 < shares[0] < shares[1] < 1


@pytest.mark.slow
def test_gpt2_small_spends_less_than_a_twentieth_on_rows_of_metrics():
    run = gpt2small_wt103.experiments[0]
    dataset = run.problem.dataset
    found = forecast(run, dataset.shapes_for(*dataset.assumed_tokens), H100)
    assert found.parameters == pytest.approx(162.8e6, rel=1e-3)
    assert 0 < found.evaluation_share < 0.05


def test_a_forecast_on_any_machine_is_of_the_form_for_a_gpu():
    """On a CPU, the windows of a convolution are copied side by side, which a GPU does not do."""
    dataset = PatternImages(num_classes=1000, power=0.0, least=2, size=28)
    problem = Problem(CNN(1000), dataset, CrossEntropy())
    one = Experiment(problem, Adam("10^-3"), "t", steps=1)
    found = forecast(one, shapes_of(one), H100)
    assert found.memory != estimate(Pack((one,)), shapes_of(one))
    with use_form("gpu"):
        assert found.memory == estimate(Pack((one,)), shapes_of(one))


def test_double_precision_is_forecast_where_jax_computes_in_single_precision():
    """Newer versions of JAX refuse shapes of 64 bits outside of the precision of the run."""
    dataset = PatternImages(num_classes=10, power=0.0, least=10, size=28)
    single, double = (
        Experiment(
            Problem(CNN(10), dataset, CrossEntropy(), precision=precision),
            Adam("10^-3"),
            "t",
            steps=1,
        )
        for precision in ("float32", "float64")
    )
    ours, twice = (forecast(e, shapes_of(e), H100) for e in (single, double))
    assert twice.model_flops == ours.model_flops
    assert twice.memory.runs == pytest.approx(2 * ours.memory.runs, rel=1e-3)
    with use_form("gpu"):
        assert twice.memory == estimate(Pack((double,)), shapes_of(double))


def test_gpus_have_names():
    assert gpu_of_device("NVIDIA A100-SXM4-80GB").name == "A100"
    assert gpu_of_device("NVIDIA GeForce RTX 4090").name == "RTX4090"
    assert gpu_of_device("cpu") is None
    with refuses("unknown-gpu", name="abacus"):
        gpu_named("abacus")


def test_a_model_of_lookups_has_the_flops_that_xla_counts():
    dataset = HeavyTailedOneHot(10)
    problem = Problem(Linear(dataset.num_inputs, dataset.num_classes), dataset, SquaredLoss())
    one = Experiment(problem, SGD("10^-1"), "lookups", steps=10)
    found = forecast(one, shapes_of(one), H100)
    assert found.model_flops == found.xla_flops > 0
    assert found.run_seconds(H100, "float32") > 0
