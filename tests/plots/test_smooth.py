"""Figures whose curves are at the best learning rates without spikes, as far as there are any."""

from pathlib import Path

import pytest
from errors import refuses
from fabricated import fabricate

from optexp_jax.grid import method_name
from optexp_jax.optim import SGD, Adam
from plots.figures import FIGURES
from plots.modules import BELOW_EDGE, LINEAR
from plots.runs import Runs
from plots.smooth import TITLE, smooth

NUMBERED = {figure.number: figure for figure in FIGURES}
EVERY = "with spikes at every learning rate"


@pytest.fixture
def runs(tmp_path):
    """Runs of figure 4, of which those of GD with momentum have spikes."""
    found = Runs(tmp_path, "small")
    for experiment in found.experiments(LINEAR):
        spiky = method_name(experiment.optimizer) == "SGD + momentum"
        fabricate(tmp_path, experiment, spike=0.5 * spiky)
    return found


def rate(chosen, kind=SGD):
    return str(chosen.worst(kind, True).experiment.optimizer.learning_rate)


def best_of(runs, experiment):
    """The rate of a method in the figure's own runs."""
    name = method_name(experiment.optimizer)
    own = [e.optimizer for e in runs.experiments(LINEAR)]
    return next((o.learning_rate for o in own if method_name(o) == name), None)


def of(runs):
    return smooth(runs, LINEAR, slower=BELOW_EDGE, kinds=(SGD, Adam))


def test_a_smaller_rate_stands_for_one_with_spikes_in_the_figure_alone(runs):
    standing = rate(runs.chosen(LINEAR))
    for experiment in runs.experiments(BELOW_EDGE):
        best = best_of(runs, experiment)
        if best is not None and experiment.optimizer.learning_rate < best:
            fabricate(runs.workspace, experiment)
    chosen = of(runs)
    slower = chosen.worst(SGD, True).experiment.optimizer.learning_rate
    assert slower < runs.chosen(LINEAR).worst(SGD, True).experiment.optimizer.learning_rate
    assert rate(runs.chosen(LINEAR)) == standing
    assert "without spikes" in chosen.note
    assert EVERY not in chosen.note


def test_without_smaller_rates_the_standing_rule_holds_and_a_note_says_so(runs):
    chosen = of(runs)
    assert rate(chosen) == rate(runs.chosen(LINEAR))
    said = f"{EVERY}: GD + momentum (run python -m experiments.beyond.edge --local --scale small)"
    assert said in chosen.note


def test_methods_that_a_figure_does_not_show_are_not_named(runs):
    assert EVERY not in smooth(runs, LINEAR, slower=BELOW_EDGE, kinds=(Adam,)).note


def test_smaller_rates_alone_are_no_figure(tmp_path):
    runs = Runs(tmp_path, "small")
    fabricate(tmp_path, runs.experiments(BELOW_EDGE)[0])
    with refuses("runs-missing", modules=(LINEAR,)):
        of(runs)


def test_two_figures_name_the_rule_in_their_titles():
    assert [n for n, figure in NUMBERED.items() if TITLE in figure.title] == ["4", "22"]
    assert [n for n, figure in NUMBERED.items() if figure.slower == BELOW_EDGE] == ["4", "22"]
    assert Runs(Path(), "medium").have(*NUMBERED["4"].modules)


def made(tmp_path, number):
    runs = Runs(tmp_path, "small")
    for module in NUMBERED[number].modules:
        for experiment in runs.experiments(module):
            fabricate(tmp_path, experiment, spike=5.0 * (number == "3"))
    return NUMBERED[number].draw(runs)


def test_figure_16_has_no_legend_of_groups_that_are_alike(tmp_path):
    drawn = made(tmp_path, "16")
    assert not [text for legend in drawn.legends for text in legend.get_texts()]
    assert len(drawn.axes[0].get_lines()) == 1


def test_early_losses_of_figure_3_are_on_the_axes(tmp_path):
    for axes in made(tmp_path, "3").axes:
        lines = [line.get_ydata() for line in axes.get_lines() if len(line.get_xdata()) > 2]
        assert axes.get_yscale() == "log"
        assert axes.get_ylim()[1] >= max(values.max() for values in lines)
