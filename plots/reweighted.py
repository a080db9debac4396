"""Figure 25: SGD on losses whose classes are weighted, by the unweighted loss."""

from __future__ import annotations

from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam
from optexp_jax.plotting import style
from optexp_jax.plotting.curves import column, thin
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric, worst_seed
from plots.runs import Runs

_TOP = 1.3  # times the start
# Plain runs, weights 1/π, weights 1/√π: (module, group).
_IMAGES = "vision.imagenet.resnet18_reweighted"
PROBLEMS = {
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
MODULES = tuple(dict.fromkeys(module for parts in PROBLEMS.values() for module, _ in parts))


def compared(runs: Runs, problem: str) -> list[Results]:
    """Of a problem SGD, Adam, and SGD on losses weighted by 1/π and by 1/√π, with momentum."""
    plain, inverse, root = (runs.chosen(m, group=g) for m, g in PROBLEMS[problem])
    found = [plain.of(SGD, True), plain.of(Adam, True), inverse.of(SGD, True), root.of(SGD, True)]
    return [worst_seed(seeds) for seeds in found]


def draw(runs: Runs) -> Figure:
    """One panel for each problem."""
    return sheet([[_panel(runs, problem) for problem in PROBLEMS]], height=1.7, named=True)


def _panel(runs: Runs, problem: str) -> Lines:
    lines, start = [], 0.0
    for run, look in zip(compared(runs, problem), style.REWEIGHTED, strict=True):
        series = column(run, main_metric(run.experiment))
        series = series.iloc[thin(len(series))]
        start = max(start, float(series.iloc[0]))
        lines.append((series.index.to_numpy(), series.to_numpy(), look))
    labels = (problem, "Step", style.metric_label("tr_CrossEntropyLoss"))
    return Lines(lines, labels, ylim=(0, _TOP * start), kind=problem)
