"""Figures 1 to 9, of the paper's main text.

Command: python -m plots.paper_figures [--figure N] [--scale paper|small] [--format pdf,png]
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam, NormalizedGD, Optimizer, SignDescent
from optexp_jax.plotting import style
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from plots.command import main
from plots.diagnostics import along, blocks, gradient_against_hessian
from plots.figure import PaperFigure, beside, main_figure, optimizers_figure
from plots.runs import Runs

GPT = "bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats_long"
MNIST = "vision.mnist_only"
BARCODED = "vision.barcoded.mnist_and_barcoded_perclass"
UNIFORM_IMAGES = "vision.imagenet.resnet18_small"
RARE_IMAGES = "vision.imagenet.resnet18_heavy_tailed"
LINEAR = "toy_models.balanced_x_perclass"
LAST_LAYER = "simpler_transformers.train_only_last_layer_perclass"
QUADRATIC = "toy_models.weighted_quadratic"
FOUR_KINDS = (SGD, Adam, NormalizedGD, SignDescent)


def _barcoded(runs: Runs) -> Figure:
    return beside("MNIST", runs.chosen(MNIST), "MNIST + barcodes", runs.chosen(BARCODED))


def _images(runs: Runs) -> Figure:
    uniform, rare = runs.chosen(UNIFORM_IMAGES), runs.chosen(RARE_IMAGES)
    return beside("Uniform classes", uniform, "Heavy tail", rare)


def _quadratic(runs: Runs) -> Figure:
    """Distance of every weight from its optimum: the loss of class k is w_k² / 2."""
    chosen = runs.chosen(QUADRATIC)
    panels = []
    for kind in (SGD, Adam, SignDescent):
        run = chosen.worst(kind, momentum=False)
        weights = np.sqrt(2 * run.per_class["tr_SquaredLossPerClass"])
        groups = run.experiment.problem.dataset.groups(run.class_counts)
        lines = [
            (run.per_class_steps, weights[:, group[0]], {"color": color, "linewidth": 1.0})
            for group, color in zip(groups, style.group_colors(len(groups)), strict=True)
            if len(group)
        ]
        title = _titled(run, run.experiment.optimizer)
        labels = (title, "Step", "Distance $|w_k|$ from the optimum")
        panels.append(Lines(lines, labels, ylim=(0, 1.05), kind="weights"))
    return sheet([panels], chosen.any, note="Of each group its most frequent class is drawn.")


def _titled(run: Results, optimizer: Optimizer) -> str:
    return style.title(style.label(optimizer, run.experiment.problem.batching), optimizer)


def _along(module: str):
    def draw(runs: Runs) -> Figure:
        return gradient_against_hessian([along(runs, module, (Adam, True))])

    return draw


def _blocks(runs: Runs) -> Figure:
    trajectory = along(runs, LINEAR, (Adam, True))
    return blocks(trajectory, [t for t in (0, 10, 50, 100) if t in trajectory.steps])


FIGURES = [
    main_figure("1", "GPT-2 on text: SGD leaves rare words behind", GPT),
    PaperFigure("2", "a CNN on MNIST, and with many rare classes", (MNIST, BARCODED), _barcoded),
    PaperFigure(
        "3", "ResNet-18 on images, uniform classes and a heavy tail",
        (UNIFORM_IMAGES, RARE_IMAGES), _images,
    ),
    main_figure("4", "a linear model on random inputs", LINEAR),
    optimizers_figure(
        "5", "the last layer of a transformer, eight optimizers", LAST_LAYER, kinds=FOUR_KINDS
    ),
    PaperFigure("6", "the weighted quadratic", (QUADRATIC,), _quadratic),
    PaperFigure("7", "gradient and Hessian by class of a linear model", (LINEAR,), _along(LINEAR)),
    PaperFigure("8", "gradient and Hessian by class of GPT-2's last layer", (GPT,), _along(GPT)),
    PaperFigure("9", "blocks of the Hessian of a linear model", (LINEAR,), _blocks),
]  # fmt: skip

if __name__ == "__main__":
    main("paper_figures", FIGURES)
