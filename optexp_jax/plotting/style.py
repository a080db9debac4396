"""Define colours, fonts and metric names of figures, here and nowhere else."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
from tueplots import bundles

from optexp_jax.optim import SGD, Adam
from optexp_jax.plotting.looks import DASHES, Look, looks
from optexp_jax.plotting.names import appearance, label, plain, rate_label, title, with_rate

__all__ = [
    "DIVERGING",
    "GREY",
    "HEAT",
    "REWEIGHTED",
    "SMALL",
    "SMALLEST",
    "TIMES",
    "TO",
    "TOKENS",
    "ZIPF",
    "Look",
    "appearance",
    "context",
    "group_colors",
    "label",
    "looks",
    "metric_label",
    "plain",
    "rate_label",
    "title",
    "with_rate",
]

GREY = "0.45"
HEAT = "magma"  # of matrices; classes are in viridis
DIVERGING = "RdBu_r"  # of differences: red above zero, blue below
SMALL = 7  # points
SMALLEST = 1e-6  # times the start: where logarithmic axes of losses end
TIMES, TO = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"

# Lines of a problem whose loss has weights, and of a text that is cut in several ways.
REWEIGHTED: tuple[dict[str, Any], ...] = (
    {"label": "(S)GD", "color": SGD.appearance.color},
    {"label": "Adam", "color": Adam.appearance.color},
    {"label": r"(S)GD, weights $1/\pi$", "color": "#CC79A7", "linestyle": DASHES[2]},
    {"label": r"(S)GD, weights $1/\sqrt{\pi}$", "color": "#000000", "linestyle": DASHES[1]},
)
TOKENS: dict[str, dict[str, Any]] = {
    "words": {"color": "#000000"},
    "unigram pieces": {"color": "#0072B2", "linestyle": DASHES[1]},
    "byte-pair pieces": {"color": "#D55E00", "linestyle": DASHES[2]},
}
ZIPF: dict[str, Any] = {"label": "1 / rank", "color": GREY, "linewidth": 0.7}
_SPLITS = {"tr": "Training", "va": "Validation"}
_METRICS = {"CrossEntropyLoss": "loss", "SquaredLoss": "loss", "Accuracy": "accuracy"}


def context() -> AbstractContextManager[None]:
    """Apply the settings of a NeurIPS figure inside a `with` block.

    Fonts come with matplotlib and are embedded as TrueType, so a figure is the same everywhere.
    """
    fonts = {"font.family": ["STIXGeneral", "DejaVu Serif"], "mathtext.fontset": "stix"}
    lines = {"axes.linewidth": 0.6, "lines.linewidth": 1.2, "grid.linewidth": 0.4}
    ticks = {f"{axis}tick.{which}.width": 0.5 for axis in "xy" for which in ("major", "minor")}
    spines = {"axes.spines.top": False, "axes.spines.right": False}
    sizes = {"axes.titlesize": 8, "axes.labelsize": 8}
    grid = {"axes.grid": True, "axes.grid.axis": "y", "grid.color": "0.9", "axes.axisbelow": True}
    files = {"pdf.fonttype": 42, "savefig.dpi": 200, "legend.frameon": False}
    bundle = bundles.neurips2024(usetex=False)
    settings: Any = bundle | fonts | lines | ticks | spines | sizes | grid | files
    return matplotlib.rc_context(settings)


def metric_label(metric: str) -> str:
    """Name a recorded column in words.

    >>> metric_label("tr_CrossEntropyLoss"), metric_label("va_AccuracyPerClass")
    ('Training loss', 'Validation accuracy')
    >>> metric_label("va_Top5Accuracy")
    'Validation top 5 accuracy'
    """
    split, _, name = metric.removesuffix("PerClass").partition("_")
    if split not in _SPLITS:
        return metric.replace("_", " ")
    words = " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)).lower() or name
    return f"{_SPLITS[split]} {_METRICS.get(name, words)}"


def group_colors(count: int) -> list[tuple[float, float, float, float]]:
    """Return colours of frequency groups, from most frequent (dark) to least (light green).

    >>> len(set(group_colors(11)))
    11
    """
    viridis = matplotlib.colormaps["viridis"]
    return [viridis(0.9 * i / max(count - 1, 1)) for i in range(count)]
