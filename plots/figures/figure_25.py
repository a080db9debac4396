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
from plots.figure import PaperFigure
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
_MODULES = tuple(dict.fromkeys(module for parts in _PROBLEMS.values() for module, _ in parts))


def _compared(runs: Runs, problem: str) -> list[Results]:
    """Of a problem SGD, Adam, and SGD on losses weighted by 1/π and by 1/√π, with momentum."""
    plain, inverse, root = (runs.chosen(m, group=g) for m, g in _PROBLEMS[problem])
    found = [plain.of(SGD, True), plain.of(Adam, True), inverse.of(SGD, True), root.of(SGD, True)]
    return [worst_seed(seeds) for seeds in found]


def _draw(runs: Runs) -> Figure:
    """One panel for each problem."""
    return sheet([[_panel(runs, problem) for problem in _PROBLEMS]], height=1.7, named=True)


def _panel(runs: Runs, problem: str) -> Lines:
    lines, start = [], 0.0
    for run, look in zip(_compared(runs, problem), style.REWEIGHTED, strict=True):
        series = column(run, main_metric(run.experiment))
        series = series.iloc[thin(len(series))]
        start = max(start, float(series.iloc[0]))
        lines.append((series.index.to_numpy(), series.to_numpy(), look))
    labels = (problem, "Step", style.metric_label("tr_CrossEntropyLoss"))
    return Lines(lines, labels, ylim=(0, _TOP * start), kind=problem)


def _weighted_less_plain(problem: str, which: int) -> Callable[[Runs], float]:
    """Loss of SGD on weights 1/π (2) or 1/√π (3), of `_compared`, less that of SGD."""

    def measure(runs: Runs) -> float:
        found = _compared(runs, problem)
        step = min(e.last(found[0]), e.last(found[which]))
        return e.overall(found[which], step) - e.overall(found[0], step)

    return measure


FIGURE = PaperFigure("25", "SGD on a reweighted loss", _MODULES, _draw)

CLAIMS = [
    *(
        Claim("25", f"{problem}: SGD on weights 1/√π ends no higher than SGD (nats more)",
              _weighted_less_plain(problem, 3), at_most=0.0, origin=PAPER)
        for problem in _PROBLEMS
    ),
    *(
        Claim("25", f"{problem}: so does SGD on weights 1/π (nats more than SGD)",
              _weighted_less_plain(problem, 2), at_most=0.0, origin=PAPER)
        for problem in ("Linear model", "CNN, barcodes")
    ),
]  # fmt: skip
