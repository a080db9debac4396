"""Statistics along a run, from the parameters it kept, against autodiff, and their figures."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from streamed_images import digits

from optexp_jax import Experiment, MiniBatch, Problem, register, run
from optexp_jax.analysis import row_statistics
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import Adam, LearningRate
from optexp_jax.per_class import frequency_groups
from plots import effect_sizes, hessian_figures, trajectory
from plots.runs import MissingRunsError, Runs
from plots.trajectory import Trajectory

DATASET = RandomHeavyTailedLabels(3)
PROBLEM = Problem(Linear(DATASET.num_inputs, DATASET.num_classes), DATASET, CrossEntropy())
RUN = Experiment(PROBLEM, Adam(LearningRate(-2)), "kept", seed=1, steps=5, keep_steps=(0, 5, 50))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("kept")
    return run(RUN, workspace), workspace


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [2**22, 4 * 32 * 5])
def test_statistics_are_those_of_the_parameters_that_were_kept(kept, monkeypatch, numbers):
    monkeypatch.setattr(trajectory, "_NUMBERS", numbers)  # one micro-batch, and five of five
    result, workspace = kept
    path = Trajectory(result, workspace)
    assert path.steps == [0, 5]
    data = PROBLEM.with_data_seed(1).dataset.load(workspace).train
    layer, _ = path.layer_at(5)

    def loss(kernel):
        log_p = jax.nn.log_softmax(data.inputs @ kernel + layer.bias)
        return -jnp.mean(log_p[jnp.arange(len(data)), data.labels])

    gradient = jax.grad(loss)(jnp.asarray(layer.kernel))
    rows = path.rows_at(5)
    np.testing.assert_allclose(rows.gradient_norm, jnp.linalg.norm(gradient, axis=0), rtol=1e-4)
    np.testing.assert_array_equal(rows.examples, result.class_counts)
    first = path.rows_at(0)
    assert (np.abs(first.hessian_trace / rows.hessian_trace - 1) > 1e-3).any()
    flipped = path.rows_at(5, flipped=True)
    assert (np.abs(flipped.hessian_trace / rows.hessian_trace - 1) > 1e-3).any()


def test_figures_of_a_run_have_a_panel_for_each_step(kept):
    path = Trajectory(*kept)
    figure = hessian_figures.gradient_against_hessian([path])
    assert [axes.get_title() for axes in figure.axes] == ["(a) t = 0", "(b) t = 5"]
    assert len(hessian_figures.gradient_against_hessian([path] * 2).axes) == 4
    (axes,) = hessian_figures.probabilities([path]).axes
    assert len(axes.get_lines()) == 3
    assert len(hessian_figures.blocks(path, [0, 5]).axes) == 4  # with their scales
    assert len(hessian_figures.entries(path, [5]).axes) == 2


def test_a_run_that_kept_nothing_is_named(tmp_path):
    plain = Experiment(
        Problem(PROBLEM.model, DATASET, CrossEntropy(), MiniBatch(8)),
        Adam(LearningRate(-2)), "plain", steps=1,
    )  # fmt: skip
    with refuses("parameters-not-kept", MissingRunsError):
        _ = Trajectory(run(plain, tmp_path), tmp_path).steps


def test_parameters_of_an_earlier_step_do_not_stand_for_those_of_a_later(kept, monkeypatch):
    """A claim on step 50 of a run that ended before has no data."""
    path = Trajectory(*kept)
    monkeypatch.setattr(effect_sizes, "along", lambda *args: path)
    runs = Runs(kept[1], "paper")
    assert effect_sizes.hessian_correlation(runs, "any", effect_sizes.ADAM, 5) is not None
    for measure in (effect_sizes.hessian_correlation, effect_sizes.diagonal_over_rest):
        with refuses("parameters-not-kept", MissingRunsError, step=50):
            measure(runs, "any", effect_sizes.ADAM, 50)


@register("test-streamed-digits")
@dataclasses.dataclass(frozen=True)
class StreamedDigits:
    num_classes = 10
    num_groups = 2

    def load(self, workspace):
        return digits()

    def groups(self, class_counts, n_groups=None):
        return frequency_groups(class_counts, n_groups or self.num_groups)


@pytest.mark.slow
def test_images_that_are_streamed_are_measured_without_augmentation(tmp_path, monkeypatch):
    monkeypatch.setattr(trajectory, "_NUMBERS", 4 * 64 * 8)  # micro-batches of eight
    problem = Problem(Linear(64, 10), StreamedDigits(), CrossEntropy(), MiniBatch(10))
    one = Experiment(problem, Adam(LearningRate(-2)), "streamed", steps=2, keep_steps=(0,))
    path = Trajectory(run(one, tmp_path), tmp_path)
    layer, batches = path.layer_at(0)
    assert [len(labels) for _, labels in batches] == [8] * 7
    images = digits(noisy=True).train
    whole = images.to_inputs(jnp.asarray(images.images)), jnp.asarray(images.labels)
    wanted, found = row_statistics(layer, [whole]), path.rows_at(0)
    np.testing.assert_allclose(found.gradient_norm, wanted.gradient_norm, rtol=1e-5)
    np.testing.assert_array_equal(found.examples, wanted.examples)
