"""Figures say what the results say: checked on linear regression, whose losses are known."""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from matplotlib import colormaps, pyplot, rcParams
from matplotlib.colors import to_rgb

from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.experiment import Experiment
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    LearningRate,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
    lr_grid,
)
from optexp_jax.plotting import (
    best_over_time,
    final_against_rate,
    missing_note,
    per_class,
    save,
    style,
)
from optexp_jax.plotting.by_class import group_label
from optexp_jax.plotting.curves import thin
from optexp_jax.problem import MiniBatch, Problem
from optexp_jax.results.load import Results

DATASET = HeavyTailedOneHot(100)
PROBLEM = Problem(Linear(111, 111), DATASET, SquaredLoss())
COUNTS = DATASET.class_counts()
STEPS = 300


def closed_form(optimizer, steps):
    """Loss of every class, `[rows, classes]`: ½ (1 - η π_k)^2t for GD, ½ max(1 - η t, 0)² else."""
    rate, t = float(optimizer.learning_rate), steps[:, None]
    if isinstance(optimizer, SGD):
        with np.errstate(over="ignore"):
            return np.minimum(0.5 * (1 - rate * COUNTS / COUNTS.sum()) ** (2.0 * t), 1e9)
    return 0.5 * np.maximum(1 - rate * t, 0.0) ** 2 * np.ones(len(COUNTS))


def a_run(optimizer, seed=0, until=STEPS, status="done", shift=0.0):
    """Results with the closed form plus `shift`, diverged where it exceeds a million."""
    experiment = Experiment(PROBLEM, optimizer, "linreg", seed=seed, steps=STEPS, per_class=True)
    if status == "missing":
        return Results(experiment, status, pd.DataFrame(), {}, np.empty(0), np.empty(0), {})
    steps = np.arange(until + 1)
    by_class = closed_form(optimizer, steps) + shift
    overall = by_class @ COUNTS / COUNTS.sum()
    if (lost := np.flatnonzero(overall > 1e6)).size:
        steps, status = steps[: lost[0] + 1], "diverged"
        by_class, overall = by_class[: len(steps)], overall[: len(steps)]
        overall[-1] = math.inf
    kept = steps[::3]
    table = {"step": steps, "epoch": steps / 10, "tr_SquaredLoss": overall}
    table["tr_Accuracy"] = 1 - np.minimum(overall, 1.0)
    arrays = {"tr_SquaredLossPerClass": by_class[kept]}
    return Results(experiment, status, pd.DataFrame(table), arrays, kept, COUNTS, {})


def a_grid(seeds=(0,)):
    """GD from too small a rate to a diverging one, and sign descent."""
    optimizers = [SGD(rate) for rate in lr_grid(-2, 2)]
    optimizers += [SignDescent(rate) for rate in lr_grid(-4, -1)]
    return [a_run(o, seed, shift=0.01 * seed) for o in optimizers for seed in seeds]


def lines_of(axes):
    """The curves of a panel, without the lines that underline titles."""
    return [line for line in axes.get_lines() if line.get_transform() == axes.transData]


def texts_of(figure):
    """Everything a figure says below its panels."""
    legend = figure.legends[0]
    return [t.get_text() for t in (*legend.get_texts(), legend.get_title(), *figure.texts)]


# --- the grid plot ---------------------------------------------------------------------------


def test_grid_plot_has_one_line_per_method_through_the_final_losses():
    figure = final_against_rate(a_grid())
    lines = [line for line in figure.axes[-1].get_lines() if line.get_linestyle() != "None"]
    gd, sign, _ = lines  # the last one is the start
    np.testing.assert_allclose(gd.get_xdata(), [10.0**e for e in range(-2, 3)])
    expected = closed_form(SGD(LearningRate(0)), np.array([STEPS])) @ COUNTS / COUNTS.sum()
    assert gd.get_ydata()[2] == pytest.approx(expected[0])
    assert len(sign.get_xdata()) == 4


def test_grid_plot_marks_what_diverged_and_what_was_chosen():
    figure = final_against_rate(a_grid())
    strip, axes = figure.axes
    (crosses,) = strip.get_lines()
    assert crosses.get_marker() == "x"
    assert list(crosses.get_xdata()) == [10.0, 100.0]
    assert "diverged" in strip.get_ylabel()
    stars = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "*"]
    assert stars == [1.0, 0.01]
    assert len(final_against_rate(a_grid()[:3]).axes) == 1  # nothing diverged: no strip


def test_unstable_rates_are_hollow():
    runs = a_grid()[:3]
    runs[2].table.loc[1, "tr_SquaredLoss"] = 5.1
    axes = final_against_rate(runs).axes[0]
    (hollow,) = [line for line in axes.get_lines() if line.get_markerfacecolor() == "white"]
    assert list(hollow.get_xdata()) == [1.0]
    assert "hollow: unstable" in axes.get_xlabel()
    assert "hollow" not in final_against_rate(a_grid()).axes[-1].get_xlabel()


def test_losses_of_zero_do_not_break_a_logarithmic_axis():
    figure = final_against_rate(a_grid())  # sign descent reaches 0
    axes = figure.axes[-1]
    assert axes.get_yscale() == "log"
    bottom, top = axes.get_ylim()
    assert 0 < bottom < 0.5e-6 < 0.5 < top
    for line in lines_of(axes):
        drawn = np.asarray(line.get_ydata(), float)
        assert (drawn[~np.isnan(drawn)] > bottom).all()
    assert any("smaller losses are drawn" in text for text in texts_of(figure))


def test_losses_within_two_decades_have_a_linear_axis_from_zero():
    axes = final_against_rate(a_grid()[:3]).axes[0]
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0


def test_a_line_search_is_a_level_line_of_the_grid_plot():
    search = Experiment(PROBLEM, LineSearchGD(), "linreg", steps=STEPS)
    run = a_run(SGD(LearningRate(0)))
    axes = final_against_rate([Results(search, *list(vars(run).values())[1:])]).axes[0]
    assert all(len(set(line.get_ydata())) == 1 for line in axes.get_lines())
    assert not [line for line in axes.get_lines() if line.get_marker() == "*"]


# --- the best runs over time -----------------------------------------------------------------


def test_best_runs_are_drawn_with_their_rates_and_the_worst_seed():
    figure = best_over_time(a_grid(seeds=(0, 1)))
    gd, sign = figure.axes[0].get_lines()
    assert [gd.get_label(), sign.get_label()] == ["GD, $10^{0}$", "Sign descent, $10^{-2}$"]
    assert gd.get_ydata()[0] == pytest.approx(0.51)  # seed 1 is worse by 0.01
    assert len(figure.axes[0].collections) == 2  # a band for each
    assert len(gd.get_xdata()) < 210


def test_the_axis_ends_at_the_step_and_counts_epochs_on_request():
    for x, end in (("step", 100), ("epoch", 10)):
        axes = best_over_time(a_grid(), step=100, x=x).axes[0]
        assert axes.get_xlim() == (0, end)
        assert axes.get_lines()[0].get_xdata()[-1] == end
        assert axes.get_xlabel() == x.capitalize()
    with refuses("unknown-axis", axis="hour"):
        best_over_time(a_grid(), x="hour")


def test_accuracies_have_their_own_worst_seed_and_label():
    axes = best_over_time(a_grid(seeds=(0, 1)), metric="tr_Accuracy").axes[0]
    assert axes.get_ylabel() == "Training accuracy"
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx(0.49)
    with refuses("not-recorded", metric="va_SquaredLoss", known=re.compile("tr_SquaredLoss")):
        best_over_time(a_grid(), metric="va_SquaredLoss")


def test_a_spike_leaves_the_axis_instead_of_flattening_everything():
    spiky = a_run(SGD(LearningRate(0)))
    spiky.table.loc[5, "tr_SquaredLoss"] = 4.9
    assert best_over_time([spiky]).axes[0].get_ylim()[1] < 1.1


# --- frequency groups ------------------------------------------------------------------------


def test_per_class_plot_has_a_panel_per_method_and_a_line_per_group():
    figure = per_class(a_grid())
    overall, gd, sign = figure.axes
    assert [len(lines_of(axes)) for axes in figure.axes] == [2, 3, 3]
    assert overall.get_title() == "All classes"
    assert [axes.get_title().split("\n")[0] for axes in (gd, sign)] == ["GD", "Sign descent"]
    frequent, _, rare = (line.get_ydata() for line in lines_of(gd))
    expected = closed_form(SGD(LearningRate(0)), np.array([STEPS]))[0]
    assert frequent[-1] == pytest.approx(expected[0])
    assert rare[-1] == pytest.approx(expected[-1])
    np.testing.assert_allclose(*(lines_of(sign)[i].get_ydata() for i in (0, 2)), atol=1e-12)


def test_per_class_plot_shows_the_run_of_the_worst_seed():
    overall, gd, _ = per_class(a_grid(seeds=(1, 0))).axes
    assert lines_of(overall)[0].get_ydata()[0] == pytest.approx(0.51)
    assert lines_of(gd)[2].get_ydata()[0] == pytest.approx(0.51)


def test_panels_share_the_vertical_axis_and_rows_have_at_most_four():
    many = [a_run(SGD(LearningRate(-1), i / 100)) for i in range(8)]
    figure = per_class(many, over=("learning_rate",))
    assert len(figure.axes) == 9
    shared = figure.axes[0].get_shared_y_axes()
    assert all(shared.joined(figure.axes[0], axes) for axes in figure.axes)
    assert figure.axes[0].get_subplotspec().get_gridspec().ncols == 3
    assert [bool(axes.get_xlabel()) for axes in figure.axes] == [False] * 6 + [True] * 3


def test_empty_groups_are_not_drawn_and_colours_keep_their_place():
    # The most frequent class has a third of the examples, so with ten groups three are empty.
    figure = per_class(a_grid(), n_groups=10)
    sizes = [len(group) for group in DATASET.groups(COUNTS, 10)]
    shown = [color for color, size in zip(style.group_colors(10), sizes, strict=True) if size]
    assert 0 in sizes
    assert [line.get_color() for line in lines_of(figure.axes[1])] == shown
    assert len(figure.legends[0].get_texts()) == len(shown)


def test_the_legend_explains_the_groups():
    texts = texts_of(per_class(a_grid()))
    times = style.TIMES
    assert texts[:3] == [f"1 class {times} 100", f"10 classes {times} 10", f"100 classes {times} 1"]
    assert f"classes {times} examples of each" in texts[3]
    assert group_label(np.array([1, 7, 1200])) == f"3 classes {times} 1{style.TO}1,200"


def test_classes_without_validation_examples_do_not_empty_their_group():
    run = a_run(SGD(LearningRate(0)))
    run.table["va_SquaredLoss"] = run.table["tr_SquaredLoss"]
    run.per_class["va_SquaredLossPerClass"] = run.per_class["tr_SquaredLossPerClass"].copy()
    run.per_class["va_SquaredLossPerClass"][:, 50] = np.nan
    figure = per_class([run], metric="va_SquaredLoss")
    assert [len(lines_of(axes)) for axes in figure.axes] == [1, 3]


def test_runs_without_classes_are_refused_with_the_remedy():
    run = a_run(SGD(LearningRate(0)))
    run.per_class.clear()
    with refuses("not-recorded-by-class", known=()):
        per_class([run])


# --- partial results -------------------------------------------------------------------------


def test_missing_runs_are_named():
    runs = a_grid()
    assert missing_note(runs) == ""
    runs[0] = a_run(SGD(LearningRate(-2)), status="missing")
    runs[1] = a_run(SGD(LearningRate(-1)), status="running", until=50)
    note = "missing: 2 of 9 runs (GD 10^-2; GD 10^-1, running)"
    assert missing_note(runs) == note
    assert missing_note(runs, step=50) == "missing: 1 of 9 runs (GD 10^-2)"
    for draw in (final_against_rate, best_over_time, per_class):
        assert any(text.startswith(note) for text in texts_of(draw(runs)))


def test_an_optimizer_that_always_diverged_is_named():
    runs = [a_run(SGD(LearningRate(2))), a_run(SignDescent(LearningRate(-2)))]
    assert missing_note(runs) == "diverged at every learning rate: GD"
    assert len(best_over_time(runs).axes[0].get_lines()) == 1
    with refuses("all-diverged"):
        best_over_time(runs[:1])


@pytest.mark.parametrize("draw", [final_against_rate, best_over_time, per_class])
def test_a_figure_of_nothing_names_the_command(draw):
    with refuses("nothing-recorded", group="linreg"):
        draw([a_run(SGD(LearningRate(0)), status="missing")])
    with refuses("nothing-recorded", group=None):
        draw([])
    with refuses("none-finished", furthest=40):
        draw([a_run(SGD(LearningRate(0)), status="running", until=40)])
    assert draw([a_run(SGD(LearningRate(0)), status="running", until=40)], step=40)


# --- style and files -------------------------------------------------------------------------

EVERY = [SGD, Adam, AdamW, SignDescent, NormalizedGD, ScaledSignDescent, Adagrad]


def test_optimizers_have_distinct_labels_and_colours_that_show_on_white():
    looks = style.looks([*(make(LearningRate(0)) for make in EVERY), LineSearchGD()])
    assert len({look.label for look in looks.values()}) == 8
    colors = [np.array(to_rgb(look.color)) for look in looks.values()]
    pairs = itertools.combinations([*colors, np.ones(3)], 2)
    assert min(np.abs(a - b).max() for a, b in pairs) > 0.2


def test_momentum_shows_in_the_line_and_details_only_where_needed():
    rate = LearningRate(0)
    plain, heavy, heavier = style.looks([SGD(rate, m) for m in (0.0, 0.9, 0.99)]).values()
    assert heavy.linestyle == "-"
    assert len({str(look.linestyle) for look in (plain, heavy, heavier)}) == 3
    both = style.looks([AdamW(rate), AdamW(rate, weight_decay=0.1)]).values()
    assert [look.label for look in both] == ["AdamW (decay = 0.01)", "AdamW (decay = 0.1)"]
    assert style.label(SGD(rate), MiniBatch(2)) == "SGD"


@pytest.mark.parametrize("count", [1, 2, 11])
def test_group_colours_are_distinct_and_not_pale(count):
    colors = style.group_colors(count)
    assert len(set(colors)) == count
    assert colors[0] == colormaps["viridis"](0.0)
    assert max(np.dot(color[:3], [0.3, 0.6, 0.1]) for color in colors) < 0.8


def test_thinning_keeps_both_ends_and_about_200_points():
    assert list(thin(150)) == list(range(150))
    rows = thin(10_001)
    assert (rows[0], rows[-1]) == (0, 10_000)
    assert 150 < len(rows) <= 200


@pytest.mark.parametrize("draw", [final_against_rate, best_over_time, per_class])
def test_figures_are_saved_whole_and_leave_nothing_behind(draw, tmp_path):
    before = dict(rcParams)
    figure = draw(a_grid(seeds=(0, 1)))
    files = save(figure, tmp_path / "new", "figure")
    assert [file.name for file in files] == ["figure.pdf", "figure.png"]
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [f.name for f in files]
    assert files[0].stat().st_size < 300_000
    assert b"/Type3" not in files[0].read_bytes()
    assert pyplot.get_fignums() == []
    assert dict(rcParams) == before


@pytest.mark.parametrize("draw", [final_against_rate, best_over_time, per_class])
def test_nothing_overlaps_and_nothing_is_cut_off(draw):
    runs = [*a_grid(), a_run(SGD(LearningRate(-3)), status="missing")]
    figure = draw(runs)
    with style.context():
        figure.draw_without_rendering()  # lays out
    legend, (note,) = figure.legends[0].get_window_extent(), figure.texts
    panels = [axes.get_tightbbox() for axes in figure.axes]
    assert note.get_window_extent().y1 <= legend.y0 + 1
    assert all(legend.y1 <= box.y0 + 1 for box in panels)
    width, height = figure.get_size_inches() * figure.dpi
    for box in (*panels, legend, note.get_window_extent()):
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1
    assert not any(a.overlaps(b) for a, b in itertools.combinations(panels, 2))


def test_a_figure_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with refuses("figure-unwritable", name="figure", folder=tmp_path / "file"):
        save(best_over_time(a_grid()), tmp_path / "file", "figure")
