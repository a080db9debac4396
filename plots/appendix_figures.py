"""Figures 10 to 33, of the paper's appendix.

Command: python -m plots.appendix_figures [--figure N] [--scale paper|small] [--format pdf,png]
"""

from __future__ import annotations

import math
from collections.abc import Callable

from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.plotting.panels import ByGroup, Counts, Overall
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from plots import reweighted, tokens
from plots.command import main
from plots.diagnostics import Trajectory, along, entries, gradient_against_hessian, probabilities
from plots.figure import (
    HORIZON,
    WITH_MOMENTUM,
    Method,
    PaperFigure,
    beside,
    main_figure,
    optimizers_figure,
    until,
)
from plots.paper_figures import BARCODED, FOUR_KINDS, GPT, LAST_LAYER, LINEAR, MNIST, RARE_IMAGES
from plots.runs import Chosen, Runs

PTB = "imbalance.PTB_with_class_stats"
ONE_LAYER = "simpler_transformers.basic_one_layer_perclass"
LAYER_NORM = "vision.imagenet.resnet18_layer_norm"
VIT, VIT_FULL = "vision.imagenet.vit", "vision.imagenet.vit_full"
BARCODED_ONLY = "vision.barcoded.mnist_barcoded_only_long"
NONZERO_MEAN = "toy_models.smaller.changing_input.nnz_mean"
ZERO_MEAN = "toy_models.smaller.changing_input.zero_mean"
LONG = "toy_models.smaller.balanced_x_smaller_longer_perclass"
LONGEST_CNN = "vision.barcoded.mnist_and_barcoded_longest_perclass"
PENALISED = "toy_models.balanced_x_l2"
MORE_LINEAR = "toy_models.balanced_x_perclass_alt_opt"
CNN_OPTIMIZERS = "vision.barcoded.mnist_and_barcoded_long_perclass"
PLAIN: tuple[Method, ...] = ((SGD, False), (Adam, False))
# Mean of the inputs -> module, exponents of GD and Adam.
MEANS = {1: (NONZERO_MEAN, ("-2", "-3")), 0: (ZERO_MEAN, ("2", "-3/2"))}
MEANS_STEPS = 25  # of figure 19
HORIZONS = (100, 10, 1)  # parts of the whole run that figure 20 shows
# The same distance in all, as runs at small scale are a third as long.
_SLOW_RATES = {"paper": "-2", "small": "-3/2"}


def _uniform_and_rare(number: str, title: str, module: str, uniform: str, rare: str) -> PaperFigure:
    def draw(runs: Runs) -> Figure:
        even, heavy = runs.chosen(module, group=uniform), runs.chosen(module, group=rare)
        return beside("Uniform classes", even, "Heavy tail", heavy)

    return PaperFigure(number, title, (module,), draw)


def _three_data_sets(runs: Runs) -> Figure:
    names = {"MNIST": MNIST, "Barcodes only": BARCODED_ONLY, "MNIST + barcodes": BARCODED}
    panels = []
    for name, module in names.items():
        chosen = runs.chosen(module, step=HORIZON).only(*WITH_MOMENTUM)
        panels.append(Overall(chosen, name, step=HORIZON, kind=name))
    return sheet([panels], note=until(HORIZON), named=True)


def _means(runs: Runs) -> Figure:
    rows, both = [], [(means(runs, mean), mean) for mean in MEANS]
    for chosen, mean in both:
        by_group = [ByGroup(chosen.worst(*method), step=MEANS_STEPS) for method in PLAIN]
        title = f"Inputs of mean {mean}"
        overall = Overall(chosen.only(*PLAIN), title, step=MEANS_STEPS)
        rows.append([Counts.of(chosen.any), overall, *by_group])
    return sheet(rows, both[0][0].any)


def means(runs: Runs, mean: int) -> Chosen:
    """The runs of figure 19, at the step sizes of the paper."""
    module, rates = MEANS[mean]
    optimizers = (SGD(LearningRate(rates[0])), Adam(LearningRate(rates[1]), beta1=0.0))
    return runs.at(module, *optimizers, step=MEANS_STEPS)


def _horizons(runs: Runs) -> Figure:
    rows = []
    for name, run_of in HORIZON_RUNS.items():
        run = run_of(runs)
        last = int(run.table["step"].iloc[-1])
        titles = (f"{name}, {last // part:,} steps" for part in HORIZONS)
        rows.append(
            [ByGroup(run, t, step=last // p) for t, p in zip(titles, HORIZONS, strict=True)]
        )
    return sheet(rows, note="From the most frequent classes (dark) to the rarest (light).")


def _slow(runs: Runs) -> Results:
    return runs.at(LONG, SGD(LearningRate(_SLOW_RATES[runs.scale]))).worst(SGD, False)


def _best_cnn(runs: Runs) -> Results:
    return runs.chosen(LONGEST_CNN).worst(SGD, False)


# The runs of figure 20: the linear model at one slow step size, the CNN at its best.
HORIZON_RUNS = {"Linear": _slow, "CNN": _best_cnn}


def _penalised(runs: Runs) -> Figure:
    panels = []
    for group in runs.groups(PENALISED):
        chosen = runs.chosen(PENALISED, group=group)
        title = f"$\\lambda = 10^{{{math.log10(chosen.any.experiment.problem.l2):g}}}$"
        panels.append(Overall(chosen.only(*WITH_MOMENTUM), title))
    return sheet([panels], named=True)


Draw = Callable[[Runs], Figure]


def _both(module: str) -> Draw:
    """Gradient against Hessian along GD above, along Adam below."""

    def draw(runs: Runs) -> Figure:
        return gradient_against_hessian(_trajectories(runs, module))

    return draw


def _trajectories(runs: Runs, module: str) -> list[Trajectory]:
    return [along(runs, module, method) for method in WITH_MOMENTUM]


def _probabilities(runs: Runs) -> Figure:
    return probabilities(_trajectories(runs, LINEAR))


def _flipped(runs: Runs) -> Figure:
    return gradient_against_hessian([along(runs, LINEAR, (Adam, True))], flipped=True)


def _entries(runs: Runs) -> Figure:
    trajectory = along(runs, LINEAR, (Adam, True))
    return entries(trajectory, [t for t in (0, 100) if t in trajectory.steps])


def _vit_full(runs: Runs) -> Figure:
    chosen = runs.chosen(VIT_FULL)
    panels = [Counts.of(chosen.any), Overall(chosen.only(*WITH_MOMENTUM), legend=True)]
    return sheet([panels], chosen.any)


FIGURES = [
    PaperFigure("10", "how often tokens appear", (), tokens.draw),
    main_figure("11", "validation loss of GPT-2", GPT, metric="va_CrossEntropyLoss"),
    main_figure("12", "a transformer on the Penn Treebank", PTB),
    main_figure("13", "a transformer of one layer in full batches", ONE_LAYER),
    main_figure("14", "the last layer of a transformer in full batches", LAST_LAYER),
    _uniform_and_rare(
        "15", "ResNet-18 with LayerNorm", LAYER_NORM,
        "ResNet18LayerNorm_SmallImageNet", "ResNet18LayerNorm_HeavyTailedImageNet",
    ),
    PaperFigure("16", "a vision transformer on balanced classes", (VIT_FULL,), _vit_full),
    _uniform_and_rare(
        "17", "a vision transformer, uniform classes and a heavy tail", VIT,
        "SimpleViT_SmallImageNet", "SimpleViT_HeavyTailedImageNet",
    ),
    PaperFigure(
        "18", "many classes alone are learned by both",
        (MNIST, BARCODED_ONLY, BARCODED), _three_data_sets,
    ),
    PaperFigure("19", "inputs of mean one and zero", (NONZERO_MEAN, ZERO_MEAN), _means),
    PaperFigure("20", "one step size, ever longer", (LONG, LONGEST_CNN), _horizons),
    PaperFigure("21", "a penalty on the weights", (PENALISED,), _penalised),
    optimizers_figure(
        "22", "a linear model, eight optimizers", LINEAR, MORE_LINEAR, kinds=FOUR_KINDS
    ),
    optimizers_figure(
        "23", "a transformer of one layer, eight optimizers", ONE_LAYER, kinds=FOUR_KINDS
    ),
    optimizers_figure(
        "24", "a CNN, eight optimizers", CNN_OPTIMIZERS, kinds=FOUR_KINDS, horizon=HORIZON
    ),
    PaperFigure("25", "SGD on a reweighted loss", reweighted.MODULES, reweighted.draw),
    PaperFigure("26", "gradient and Hessian along GD and Adam", (LINEAR,), _both(LINEAR)),
    PaperFigure("27", "predicted probability of the correct class", (LINEAR,), _probabilities),
    PaperFigure("28", "gradient and Hessian by class, GPT-2", (GPT,), _both(GPT)),
    PaperFigure("29", "gradient and Hessian by class, CNN", (BARCODED,), _both(BARCODED)),
    PaperFigure("30", "gradient and Hessian by class, ResNet", (RARE_IMAGES,), _both(RARE_IMAGES)),
    PaperFigure("31", "gradient and Hessian by class, transformer", (PTB,), _both(PTB)),
    PaperFigure("32", "gradient and Hessian on the other side of zero", (LINEAR,), _flipped),
    PaperFigure("33", "entries of the Hessian of a linear model", (LINEAR,), _entries),
]  # fmt: skip

if __name__ == "__main__":
    main("appendix_figures", FIGURES)
