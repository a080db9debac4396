"""The legend of lines and colours in all figures."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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
)
from optexp_jax.plotting import page, style
from plots.figure import PaperFigure
from plots.runs import Runs

_RATE = LearningRate(0)
_MOMENTUM = (SGD, NormalizedGD, SignDescent, ScaledSignDescent)
_METHODS = [
    *(kind(_RATE, momentum) for kind in _MOMENTUM for momentum in (0.9, 0.0)),
    Adam(_RATE),
    Adam(_RATE, beta1=0.0),
    AdamW(_RATE),
    Adagrad(_RATE),
    LineSearchGD(),
]
_GROUPS = 10


def _draw(runs: Runs) -> Figure:
    """The legend of lines and colours in all figures."""
    del runs
    with style.context():
        figure = Figure(figsize=(page.WIDTH, 0.6), layout="constrained")
        axes = figure.subplots()
        axes.bar(range(_GROUPS), 1, width=1, color=style.group_colors(_GROUPS))
        axes.set_axis_off()
        axes.set_title("Groups of classes, most frequent to least frequent")
        looks = style.looks(_METHODS).values()
        lines = [Line2D([], [], **look.line()) for look in looks]
        labels = [look.label for look in looks]
        page.add_below(figure, lines, labels, title="Optimizers", columns=3)
    return figure


FIGURE = PaperFigure("legends", "what lines and colours stand for", (), _draw)
