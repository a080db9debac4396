"""Figure 25: SGD on losses whose classes are weighted, by the unweighted loss."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam
from optexp_jax.plotting import style
from optexp_jax.plotting.curves import column, thin
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric, worst_seed
from plots import effect_sizes as e
from plots.claim import PAPER, Claim
from plots.figure import PaperFigure, there
from plots.runs import Runs

_TOP = 1.3  # times the start
# Plain runs, weights 1/π, weights 1/√π: (module, group).
_IMAGES = "vision.imagenet.resnet18_reweighted"
_PROBLEMS = {
    "Transformer, text": (
        ("imbalance.PTB_with_class_stats", None),
        ("imbalance.PTB_class_weighted_inverse", None),
        ("imbalance.PTB_class_weighted_per_class", None),
    ),
    "Linear model": (
        ("toy_models.balanced_x_perclass", None),
        ("toy_models.balanced_x_class_weighted_perclass", None),
        ("toy_models.balanced_x_class_weighted_sqrt_perclass", None),
    ),
    "CNN, barcodes": (
        ("vision.barcoded.mnist_and_barcoded_long_perclass", None),
        ("vision.barcoded.mnist_and_barcoded_reweighted_long_perclass", None),
        ("vision.barcoded.mnist_and_barcoded_reweighted_sqrt", None),
    ),
    "ResNet, images": (
        ("vision.imagenet.resnet18_heavy_tailed", None),
        (_IMAGES, "ResNet18_HeavyTailedImageNet_reweighted_inverse"),
        (_IMAGES, "ResNet18_HeavyTailedImageNet_reweighted_sqrt"),
    ),
}
_MODULES_OF = {name: tuple(module for module, _ in parts) for name, parts in _PROBLEMS.items()}
_MODULES = tuple(dict.fromkeys(module for parts in _MODULES_OF.values() for module in parts))


# The place of runs in `_PROBLEMS`, by their weights.
_PLAIN, _INVERSE, _ROOT = range(3)


def _run(runs: Runs, problem: str, weights: int, kind: type = SGD) -> Results:
    """Return the run with momentum of a problem on one kind of weights."""
    module, group = _PROBLEMS[problem][weights]
    return worst_seed(runs.chosen(module, group=group).of(kind, True))


def _draw(runs: Runs) -> Figure:
    """One panel for each problem."""
    return sheet(
        [[_panel(runs, problem) for problem in there(_MODULES_OF, runs)]], height=1.7, named=True
    )


def _panel(runs: Runs, problem: str) -> Lines:
    lines, start = [], 0.0
    shown = ((_PLAIN, SGD), (_PLAIN, Adam), (_INVERSE, SGD), (_ROOT, SGD))
    found = [_run(runs, problem, weights, kind) for weights, kind in shown]
    for run, look in zip(found, style.REWEIGHTED, strict=True):
        series = column(run, main_metric(run.experiment))
        series = series.iloc[thin(len(series))]
        start = max(start, float(series.iloc[0]))
        lines.append((series.index.to_numpy(), series.to_numpy(), look))
    labels = (problem, "Step", style.metric_label("tr_CrossEntropyLoss"))
    return Lines(lines, labels, ylim=(0, _TOP * start), kind=problem)


def _weighted_less_plain(problem: str, weights: int) -> Callable[[Runs], float]:
    """Return the measure of the loss of SGD on weighted classes less that of SGD."""

    def measure(runs: Runs) -> float:
        plain, weighted = (_run(runs, problem, kind) for kind in (_PLAIN, weights))
        step = min(e.last(plain), e.last(weighted))
        return e.overall(weighted, step) - e.overall(plain, step)

    return measure


FIGURE = PaperFigure("25", "SGD on a reweighted loss", _MODULES, _draw, parts=True)

CLAIMS = [
    *(
        Claim("25", f"{problem}: SGD on weights 1/√π ends no higher than SGD (nats more)",
              _weighted_less_plain(problem, _ROOT), at_most=0.0, origin=PAPER)
        for problem in _PROBLEMS
    ),
    *(
        Claim("25", f"{problem}: so does SGD on weights 1/π (nats more than SGD)",
              _weighted_less_plain(problem, _INVERSE), at_most=0.0, origin=PAPER)
        for problem in ("Linear model", "CNN, barcodes")
    ),
]  # fmt: skip
