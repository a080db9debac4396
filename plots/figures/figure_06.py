"""Figure 6: the weighted quadratic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam, Optimizer, SignDescent
from optexp_jax.plotting import style
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from plots import effect_sizes as e
from plots.claim import THEOREM, Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_MODULE = "toy_models.weighted_quadratic"


def _draw(runs: Runs) -> Figure:
    """Distance of every weight from its optimum, of each group that of its most frequent class."""
    chosen = runs.chosen(_MODULE)
    panels = []
    for kind in (SGD, Adam, SignDescent):
        run = chosen.worst(kind, momentum=False)
        weights = _weights(run)
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


def _weights(run: Results) -> np.ndarray:
    """Of every class, over time: the loss of class k is w_k² / 2."""
    return np.sqrt(2 * run.per_class["tr_SquaredLossPerClass"])


def _titled(run: Results, optimizer: Optimizer) -> str:
    return style.title(style.label(optimizer, run.experiment.problem.batching), optimizer)


def _distance_from_gd(runs: Runs) -> float:
    run = runs.chosen(_MODULE).worst(*e.GD_PLAIN)
    shares = run.class_counts / run.class_counts.sum()
    rate = float(run.experiment.optimizer.learning_rate)
    exact = np.abs((1 - rate * shares) ** run.per_class_steps[:, None])
    return float(np.abs(_weights(run) - exact).max())


def _spread(kind: type) -> Callable[[Runs], float]:
    def measure(runs: Runs) -> float:
        run = runs.chosen(_MODULE).worst(kind, False)
        return float(np.ptp(_weights(run), axis=1).max())

    return measure


FIGURE = PaperFigure("6", "the weighted quadratic", (_MODULE,), _draw)

CLAIMS = [
    Claim("6", "GD follows (1 - η π_k)^t (largest error)", _distance_from_gd,
          at_most=1e-6, origin=THEOREM),
    Claim("6", "sign descent treats all classes alike (spread)", _spread(SignDescent),
          at_most=1e-3, origin=THEOREM),
    Claim("6", "Adam treats all classes alike (spread)", _spread(Adam),
          at_most=1e-3, origin=THEOREM),
]  # fmt: skip
