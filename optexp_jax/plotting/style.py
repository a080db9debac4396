"""Names, colours and fonts of figures. Lines and metrics are dressed here and nowhere else."""

from __future__ import annotations

import dataclasses
import re
import zlib
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import matplotlib
from tueplots import bundles

from optexp_jax.batching import Batching
from optexp_jax.optim import (
    SGD,
    Adam,
    Appearance,
    LearningRate,
    Optimizer,
    appearance_of,
    has_rate,
    kind_of,
    momentum_of,
)
from optexp_jax.registry import name_of, registered

GREY = "0.45"
HEAT = "magma"  # of matrices; classes are in viridis
SMALL = 7  # points
SMALLEST = 1e-6  # times the start: where logarithmic axes of losses end
TIMES, TO = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"

_TITLE = 20  # characters that fit over a panel
# Of classes that do not say how they look: those of the library have the colours of Okabe and Ito's
# colour-blind-safe palette, these are of Tol's. Stars and crosses mean something else in figures.
_FREE = (
    ("#882255", "p"),
    ("#44AA99", "h"),
    ("#332288", ">"),
    ("#999933", "d"),
    ("#AA4499", "X"),
    ("#117733", "8"),
)
# Of methods of one type in one figure: with momentum, without, and any further ones.
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
# Lines of a problem whose loss has weights, and of a text that is cut in several ways.
REWEIGHTED: tuple[dict[str, Any], ...] = (
    {"label": "(S)GD", "color": SGD.appearance.color},
    {"label": "Adam", "color": Adam.appearance.color},
    {"label": r"(S)GD, weights $1/\pi$", "color": "#CC79A7", "linestyle": _DASHES[2]},
    {"label": r"(S)GD, weights $1/\sqrt{\pi}$", "color": "#000000", "linestyle": _DASHES[1]},
)
TOKENS: dict[str, dict[str, Any]] = {
    "words": {"color": "#000000"},
    "unigram pieces": {"color": "#0072B2", "linestyle": _DASHES[1]},
    "byte-pair pieces": {"color": "#D55E00", "linestyle": _DASHES[2]},
}
ZIPF: dict[str, Any] = {"label": "1 / rank", "color": GREY, "linewidth": 0.7}
_MATH = {"β₁": r"$\beta_1$", "β₂": r"$\beta_2$", "ε": r"$\epsilon$"}
_FIELDS = {
    "beta1": "β₁",
    "beta2": "β₂",
    "eps": "ε",
    "weight_decay": "decay",
    "momentum": "momentum",
}
_SPLITS = {"tr": "Training", "va": "Validation"}
_METRICS = {"CrossEntropyLoss": "loss", "SquaredLoss": "loss", "Accuracy": "accuracy"}


class Look(NamedTuple):
    """How a method appears in a figure."""

    label: str
    color: str
    linestyle: Any
    marker: str
    kind: str = ""

    def line(self) -> dict[str, Any]:
        """Arguments for a line."""
        return {"color": self.color, "linestyle": self.linestyle}


def context() -> AbstractContextManager[None]:
    """Settings of a NeurIPS figure, in force inside a `with` only.

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


def appearance(kind: type) -> Appearance:
    """Name, colour and marker of a class of optimizers.

    A class that does not say how it looks has its own name, and the next free colour and marker in
    the order of names: the same in every figure.

    >>> from optexp_jax.optim import NormalizedGD
    >>> appearance(NormalizedGD)
    Appearance(label='Normalised GD', color='#E69F00', marker='v')
    """
    said = appearance_of(kind)
    if said is not None:
        return said
    silent = sorted(name for name, cls in registered().items() if _is_silent_optimizer(cls))
    name = name_of(kind)
    place = silent.index(name) if name in silent else len(silent)
    return Appearance(kind.__name__, *_FREE[place % len(_FREE)])


def _appearance(optimizer: Optimizer) -> Appearance:
    """The same of a method; one of a class that stands for several is told apart by its name."""
    kind, of_class = kind_of(optimizer), appearance(type(optimizer))
    if kind == type(optimizer).__name__:
        return of_class
    return Appearance(kind, *_FREE[zlib.crc32(kind.encode()) % len(_FREE)])


def _free_instead(wanted: Appearance, taken: list[Look]) -> Appearance:
    """Another free colour and marker where a method of another name has these in the figure."""
    of_others = {look.color for look in taken if look.kind != wanted.label}
    if wanted.color not in of_others or (wanted.color, wanted.marker) not in _FREE:
        return wanted
    left = [free for free in _FREE if free[0] not in of_others]
    return Appearance(wanted.label, *left[0]) if left else wanted


def _is_silent_optimizer(cls: type) -> bool:
    fields = {field.name for field in dataclasses.fields(cls)}
    has_both = {"learning_rate", "build"} <= fields | set(dir(cls))
    return has_both and appearance_of(cls) is None


def label(optimizer: Optimizer, batching: Batching | None = None) -> str:
    """Name of a method in words, without its learning rate.

    Args:
        optimizer: with any learning rate.
        batching: of its problem; gradient descent on mini-batches is called SGD.

    >>> [label(o(LearningRate(0), m)) for o in (SGD, Adam) for m in (0.0, 0.9)]
    ['GD', 'GD + momentum', 'Adam (β₁ = 0)', 'Adam']
    >>> from optexp_jax.optim import NormalizedGD
    >>> from optexp_jax import MiniBatch
    >>> label(NormalizedGD(LearningRate(0), 0.5), MiniBatch(8))
    'Normalised SGD + momentum 0.5'
    """
    name, momentum = _appearance(optimizer).label, momentum_of(optimizer)
    if batching is not None and not batching.is_full:
        name = re.sub(r"\bGD\b", "SGD", name)
    if "beta1" in _values(optimizer):
        return name if momentum == 0.9 else f"{name} (β₁ = {momentum:g})"
    if momentum in (0.0, 0.9):
        return name + (" + momentum" if momentum else "")
    return f"{name} + momentum {momentum:g}"


def looks(methods: list[Optimizer], batching: Batching | None = None) -> dict[Optimizer, Look]:
    """Labels, colours, lines and markers that tell the methods of one figure apart."""
    found: dict[Optimizer, Look] = {}
    # Usual momenta first: they have the same line in every figure.
    for method in sorted(methods, key=lambda m: momentum_of(m) not in (0.0, 0.9)):
        kind, color, marker = _free_instead(_appearance(method), list(found.values()))
        taken = [look.linestyle for look in found.values() if look.color == color]
        wanted = _DASHES if momentum_of(method) else _DASHES[1:]
        free = [dash for dash in wanted if dash not in taken]
        text = _distinct_label(method, methods, batching)
        found[method] = Look(text, color, (free or wanted)[0], marker, kind)
    return {method: found[method] for method in methods}


def _distinct_label(method: Optimizer, methods: list[Optimizer], batching: Batching | None) -> str:
    """The label, with the fields that differ where others have the same; symbols as mathematics."""
    text = label(method, batching)
    of_name = [m for m in methods if label(m, batching) == text]
    alike = [_values(m) for m in of_name if kind_of(m) == kind_of(method)]
    differing = {n: v for n, v in _values(method).items() if len({a.get(n) for a in alike}) > 1}
    if differing:
        text += f" ({', '.join(_detail(*field) for field in differing.items())})"
    for symbol, math in _MATH.items():
        text = text.replace(symbol, math)
    return text


def plain(text: str) -> str:
    """A label without mathematics, for what is not drawn by Matplotlib.

    >>> plain(r"Adam ($\\beta_1$ = 0)")
    'Adam (β₁ = 0)'
    """
    for symbol, math in _MATH.items():
        text = text.replace(math, symbol)
    return text


def _values(optimizer: Optimizer) -> dict[str, Any]:
    """The fields of an optimizer by name, hyperparameters that are pairs too."""
    found = {f.name: getattr(optimizer, f.name) for f in dataclasses.fields(optimizer)}
    return found | dict(found.pop("hyperparameters", ()))


def _detail(name: str, value: Any) -> str:
    shown = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{_FIELDS.get(name, name)} = {shown}"


def rate_label(rate: LearningRate) -> str:
    """A learning rate as a power, for figures.

    >>> rate_label(LearningRate("-3/2"))
    '$10^{-3/2}$'
    """
    return f"${rate.base}^{{{rate.exponent}}}$"


def with_rate(text: str, optimizer: Optimizer) -> str:
    """A label and the learning rate of the optimizer, if it has one."""
    if not has_rate(optimizer):
        return text
    return f"{text}, {rate_label(optimizer.learning_rate)}"


def title(text: str, optimizer: Optimizer) -> str:
    """The same in two lines of about equal length, over a narrow panel."""
    if not has_rate(optimizer):
        return text
    if len(text) > _TITLE:
        return with_rate(text.replace(" (", "\n(").replace(" + ", "\n+ "), optimizer)
    return f"{text}\nstep size {rate_label(optimizer.learning_rate)}"


def metric_label(metric: str) -> str:
    """A recorded column in words.

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
    """Colours of frequency groups, from the most frequent (dark) to the least (light green).

    >>> len(set(group_colors(11)))
    11
    """
    viridis = matplotlib.colormaps["viridis"]
    return [viridis(0.9 * i / max(count - 1, 1)) for i in range(count)]
