"""Figures of grids over several fields, of several problems, and on anyone's axes."""

import gc
import io
import math
import weakref

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import optexp_jax
from optexp_jax import Experiment, LearningRate, Problem, lr_grid
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.grid import grid
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import MLP
from optexp_jax.optim import SGD, AdamW
from optexp_jax.plotting import (
    plot_best_runs,
    plot_final_loss,
    plot_heat_map,
    plot_per_class,
    tuned_pairs,
)
from optexp_jax.plotting.facets import facets
from optexp_jax.problem import MiniBatch
from optexp_jax.results.load import Results

DATASET = HeavyTailedOneHot(4, 2)
COUNTS = DATASET.class_counts()
STEPS = 6
EVERY = [plot_final_loss, plot_best_runs, plot_per_class]


def problem(size=8, width=4):
    return Problem(MLP(7, (width,)), DATASET, SquaredLoss(), MiniBatch(size))


def a_run(optimizer, of=None, seed=0):
    """A run whose loss falls most at 10^-1 and a decay of 0.1, and diverges from 10^1."""
    experiment = Experiment(
        of or problem(), optimizer, "own", seed=seed, steps=STEPS, per_class=True
    )
    rate = float(optimizer.learning_rate)
    speed = 3 - abs(math.log10(rate) + 1) - abs(optimizer.weight_decay - 0.1)
    steps = np.arange(STEPS + 1)
    losses = np.exp(-speed * steps / STEPS) + 0.01 * seed
    status = "diverged" if rate >= 10 else "done"
    if status == "diverged":
        losses[-1] = math.inf
    table = {"step": steps, "epoch": steps / 2, "tr_SquaredLoss": losses}
    table["tr_Accuracy"] = 1 - np.minimum(losses, 1)
    arrays = {"tr_SquaredLossPerClass": losses[:, None] * np.ones(len(COUNTS))}
    return Results(experiment, status, pd.DataFrame(table), arrays, steps, COUNTS, {})


def decays(of=None, seeds=(0,)):
    optimizers = grid(AdamW, learning_rate=lr_grid(-3, 1), weight_decay=(0.0, 0.1, 1.0))
    optimizers += grid(SGD, learning_rate=lr_grid(-2, 0))
    return [a_run(o, of, seed) for o in optimizers for seed in seeds]


def several():
    return [r for size in (8, 2, 4) for r in decays(problem(size))]


def labels_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def titles_of(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


# --- several fields --------------------------------------------------------------------------


def test_three_decays_are_three_lines_and_the_best_run_has_a_mark():
    figure = plot_final_loss(decays())
    assert labels_of(figure)[:3] == [f"AdamW (decay = {d})" for d in ("0", "0.1", "1")]
    stars = [line for line in figure.axes[-1].get_lines() if line.get_marker() == "*"]
    (best,) = [star for star in stars if star.get_markeredgecolor() == "black"]
    assert len(stars) == 4
    assert best.get_xdata()[0] == pytest.approx(0.1)


def test_best_runs_are_over_all_fields_and_sorted_by_rate():
    runs = [*decays(), a_run(SGD(LearningRate(-3), momentum=0.9))]
    assert labels_of(plot_best_runs(runs)) == [
        r"SGD + momentum, $10^{-3}$",
        r"AdamW, $10^{-1}$, decay = 0.1 $\bigstar$",
        r"SGD, $10^{-1}$",
    ]
    apart = labels_of(plot_best_runs(decays(), over=("learning_rate",)))
    assert sum("AdamW" in text for text in apart) == 3


def test_a_heat_map_has_a_cell_for_each_pair_and_a_star_at_the_best():
    figure = plot_heat_map(decays(seeds=(0, 1)))
    axes = figure.axes[0]
    (mesh,) = axes.collections
    values = mesh.get_array()
    assert values.shape == (3, 5)
    assert values[1, 2] == pytest.approx(math.exp(-3) + 0.01)  # the worst seed
    (star,) = axes.get_lines()
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (2, 1)
    crossed = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(crossed) == 3
    assert all(patch.get_hatch() for patch in crossed)
    assert np.ma.getmaskarray(values)[:, 4].all()
    assert isinstance(mesh.norm, LogNorm)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["0", "0.1", "1"]
    linear = plot_heat_map(decays(), log="none", metric="Accuracy").axes[0].collections[0]
    assert not isinstance(linear.norm, LogNorm)


def test_any_two_fields_have_a_heat_map():
    figure = plot_heat_map(several(), x="batching.size", y="weight_decay")
    assert titles_of(figure) == ["AdamW"]  # GD has one decay
    assert figure.axes[0].collections[0].get_array().shape == (3, 3)
    assert figure.axes[0].get_xlabel() == "Batch size"
    assert tuned_pairs(decays()) == [("learning_rate", "weight_decay")]
    assert tuned_pairs(several())[-1] == ("learning_rate", "batching.size")
    with refuses("unknown-field", field="decay"):
        plot_heat_map(decays(), y="decay")
    with refuses("fields-not-varied", x="learning_rate", y="beta2"):
        plot_heat_map(decays(), y="beta2")
    with refuses("one-field-only", field="learning_rate"):
        plot_heat_map(decays()[-3:])


# --- several problems ------------------------------------------------------------------------


@pytest.mark.parametrize("draw", EVERY)
def test_problems_have_panels_whose_titles_say_what_differs(draw):
    figure = draw(several())
    found = [t for t in titles_of(figure) if "batch size" in t]
    assert [t.split("\n")[0] for t in found] == [f"batch size = {n}" for n in (8, 2, 4)]
    limits = {axes.get_ylim() for axes in figure.axes}
    assert len(limits) == 1


@pytest.mark.parametrize("draw", EVERY)
def test_panels_over_a_field_are_in_its_order(draw):
    runs = [r for width in (16, 4) for r in decays(problem(width=width))]
    wide = [t for t in titles_of(draw(runs, facet="model.hidden")) if "hidden" in t]
    assert [t.split("\n")[0] for t in wide] == ["hidden = (16)", "hidden = (4)"]
    sizes = [t for t in titles_of(draw(several(), facet="batching.size")) if "batch" in t]
    assert [t.split("\n")[0] for t in sizes] == [f"batch size = {n}" for n in (2, 4, 8)]
    figure = plot_final_loss(decays(), facet="weight_decay")
    assert titles_of(figure) == ["decay = 0", "decay = 0.1", "decay = 1"]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    with refuses("unknown-field", field="depth"):
        draw(decays(), facet="depth")


@pytest.mark.parametrize("draw", [plot_best_runs, plot_per_class])
def test_a_method_looks_the_same_in_all_panels_whatever_its_best_values(draw):
    better = [a_run(AdamW("10^-1", weight_decay=d), problem(2)) for d in (1.0, 0.3)]
    figure = draw([*decays(problem(8)), *better])
    colors = {
        line.get_color()
        for axes in figure.axes
        for line in axes.get_lines()
        if "AdamW" in str(line.get_label())
    }
    assert colors == {AdamW.appearance.color}
    if draw is plot_best_runs:
        assert labels_of(figure) == ["AdamW", "SGD"]


def test_problems_that_differ_in_data_and_model_are_named_by_the_data():
    data = HeavyTailedOneHot(8, 2)
    bigger = Problem(MLP(data.num_classes, (4,)), data, SquaredLoss(), MiniBatch(8))
    names = [
        title
        for title, _ in facets([a_run(SGD(LearningRate(0)), of) for of in (problem(), bigger)])
    ]
    assert names == ["start examples = 4", "start examples = 8"]


# --- as a program and a notebook want them ---------------------------------------------------


@pytest.mark.parametrize("draw", [*EVERY, plot_heat_map])
def test_figures_are_objects_that_leave_nothing_behind(draw):
    figure = draw(decays())
    assert isinstance(figure, Figure)
    data, shown = figure._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert shown["width"] > 300
    assert pyplot.get_fignums() == []
    gone = weakref.ref(figure)
    del figure
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("draw", [plot_final_loss, plot_best_runs, plot_heat_map])
def test_figures_are_drawn_on_axes_of_someone_else(draw):
    figure = Figure()
    mine, other = figure.subplots(1, 2)
    assert draw(decays(), ax=mine) is mine
    assert mine.get_xlabel()
    assert not other.has_data()
    figure.savefig(io.BytesIO(), format="png")
    with refuses("several-panels", panels=("batch size = 8", "batch size = 2", "batch size = 4")):
        plot_final_loss(several(), ax=mine)


def test_groups_of_one_method_are_drawn_on_axes_of_someone_else():
    mine = Figure().subplots()
    assert isinstance(plot_per_class(decays()[:15], ax=mine), Axes)
    assert len(mine.get_lines()) == 3
    with refuses("several-panels"):
        plot_per_class(decays(), ax=mine)


@pytest.mark.parametrize("draw", [*EVERY, plot_heat_map])
def test_a_size_is_kept_and_names_are_taken(draw):
    figure = draw(decays(), figsize=(7, 5), labels={"AdamW": "Ours"})
    assert tuple(figure.get_size_inches()) == (7, 5)
    said = [*titles_of(figure), *labels_of(figure)]
    assert any(text.startswith("Ours") for text in said)
    assert not any("AdamW" in text for text in said)


@pytest.mark.parametrize("draw", EVERY)
def test_colours_and_metrics_are_taken(draw):
    metric = "SquaredLoss" if draw is plot_per_class else "Accuracy"
    figure = draw(decays(), colors={"AdamW": "red"}, metric=metric)
    assert any(line.get_color() == "red" for axes in figure.axes for line in axes.get_lines())
    words = "loss" if draw is plot_per_class else "accuracy"
    assert any(f"Training {words}" in axes.get_ylabel() for axes in figure.axes)


@pytest.mark.parametrize(
    ("log", "scales"),
    [("x", (False, True)), ("y", (True, False)), ("both", (False, False)), ("none", (True, True))],
)
@pytest.mark.parametrize("draw", EVERY)
def test_axes_are_logarithmic_as_asked(draw, log, scales):
    axes = draw(decays(), log=log).axes[-1]
    assert (axes.get_xscale() == "linear", axes.get_yscale() == "linear") == scales
    with refuses("unknown-log", log="z"):
        draw(decays(), log="z")


def test_they_are_found_at_the_root_of_the_package():
    assert optexp_jax.plot_final_loss is plot_final_loss
    assert {"plot_best_runs", "plot_heat_map", "plot_per_class"} <= set(dir(optexp_jax))
