"""Name methods, learning rates and metrics in figures."""

from __future__ import annotations

import dataclasses
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optexp_jax.batching import Batching
from optexp_jax.optim import (
    Appearance,
    LearningRate,
    Optimizer,
    appearance_of,
    has_rate,
    kind_of,
    momentum_of,
)
from optexp_jax.registry import name_of, registered
from optexp_jax.results.fields import values_of

Labels = Mapping[str, str] | Callable[[Optimizer], str] | None

_TITLE = 20  # characters that fit over a panel
# Of classes that do not say how they look: those of the library have the colours of Okabe and Ito's
# colour-blind-safe palette, these are of Tol's. Stars and crosses mean something else in figures.
FREE = (
    ("#882255", "p"),
    ("#44AA99", "h"),
    ("#332288", ">"),
    ("#999933", "d"),
    ("#AA4499", "X"),
    ("#117733", "8"),
)
_MATH = {"β₁": r"$\beta_1$", "β₂": r"$\beta_2$", "ε": r"$\epsilon$"}
_FIELDS = {
    "beta1": "β₁",
    "beta2": "β₂",
    "eps": "ε",
    "weight_decay": "decay",
    "learning_rate": "learning rate",
    "batching.size": "batch size",
}


def appearance(kind: type) -> Appearance:
    """Return name, colour and marker of a class of optimizers.

    A class without an `appearance` gets its own name, and the next free colour and marker in the
    order of names: the same in every figure.

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
    return Appearance(kind.__name__, *FREE[place % len(FREE)])


def appearance_in_figures(optimizer: Optimizer) -> Appearance:
    """Return name, colour and marker of a method, even if its class stands for several."""
    kind, of_class = kind_of(optimizer), appearance(type(optimizer))
    if kind == type(optimizer).__name__:
        return of_class
    return Appearance(kind, *FREE[zlib.crc32(kind.encode()) % len(FREE)])


def _is_silent_optimizer(cls: type) -> bool:
    fields = {field.name for field in dataclasses.fields(cls)}
    has_both = {"learning_rate", "build"} <= fields | set(dir(cls))
    return has_both and appearance_of(cls) is None


def label(optimizer: Optimizer, batching: Batching | None = None) -> str:
    """Name a method in words, without its learning rate.

    Args:
        optimizer: with any learning rate.
        batching: of its problem; gradient descent on mini-batches is called SGD.

    >>> from optexp_jax.optim import SGD, Adam
    >>> [label(o(LearningRate(0), m)) for o in (SGD, Adam) for m in (0.0, 0.9)]
    ['GD', 'GD + momentum', 'Adam (β₁ = 0)', 'Adam']
    >>> from optexp_jax.optim import NormalizedGD
    >>> from optexp_jax import MiniBatch
    >>> label(NormalizedGD(LearningRate(0), 0.5), MiniBatch(8))
    'Normalised SGD + momentum 0.5'
    """
    name, momentum = appearance_in_figures(optimizer).label, momentum_of(optimizer)
    if batching is not None and not batching.is_full:
        name = re.sub(r"\bGD\b", "SGD", name)
    if "beta1" in values_of(optimizer):
        return name if momentum == 0.9 else f"{name} (β₁ = {momentum:g})"
    if momentum in (0.0, 0.9):
        return name + (" + momentum" if momentum else "")
    return f"{name} + momentum {momentum:g}"


def distinct_labels(
    methods: Sequence[Optimizer], batching: Batching | None = None, labels: Labels = None
) -> dict[Optimizer, str]:
    """Make labels distinct by the fields in which methods of one label differ.

    Args:
        methods: of one figure.
        batching: of their problem.
        labels: other names: a function of the method, or a dict from the name in the legend, or
            of the class, to the new name.

    >>> from optexp_jax.optim import AdamW
    >>> decays = [AdamW("10^0", weight_decay=decay) for decay in (0.0, 0.1)]
    >>> list(distinct_labels(decays, labels={"AdamW": "Ours"}).values())
    ['Ours (decay = 0)', 'Ours (decay = 0.1)']
    """
    usual = {method: label(method, batching) for method in methods}
    found = _with_details(usual)
    if labels is not None:
        found = _with_details({m: _renamed(m, found[m], usual[m], labels) for m in methods})
    kinds = {text: {kind_of(m) for m in methods if found[m] == text} for text in found.values()}
    found = {m: f"{t} ({kind_of(m)})" if len(kinds[t]) > 1 else t for m, t in found.items()}
    return {method: as_mathematics(text) for method, text in _numbered(found).items()}


def _renamed(method: Optimizer, full: str, usual: str, labels: Labels) -> str:
    if callable(labels):
        return str(labels(method))
    known = labels or {}
    return next((str(known[k]) for k in (full, usual, kind_of(method)) if k in known), usual)


def _with_details(texts: dict[Optimizer, str]) -> dict[Optimizer, str]:
    """Add the fields that differ to texts that others of the same kind share."""
    found = {}
    for method, text in texts.items():
        alike = [m for m in texts if texts[m] == text and kind_of(m) == kind_of(method)]
        several = [values_of(m) for m in alike]
        mine = values_of(method).items()
        details = [detail(*p) for p in mine if len({v.get(p[0]) for v in several}) > 1]
        found[method] = f"{text} ({', '.join(details)})" if details else text
    return found


def _numbered(texts: dict[Optimizer, str]) -> dict[Optimizer, str]:
    """Number the texts that are still the same."""
    seen: Counter[str] = Counter()
    found = {}
    for method, text in texts.items():
        seen[text] += 1
        found[method] = text if seen[text] == 1 else f"{text} ({seen[text]})"
    return found


def as_mathematics(text: str) -> str:
    """Write a label with symbols as Matplotlib draws them."""
    for symbol, math in _MATH.items():
        text = text.replace(symbol, math)
    return text


def detail(name: str, value: Any) -> str:
    """Write a field and its value for a label.

    >>> detail("weight_decay", 0.1), detail("clip", None)
    ('decay = 0.1', 'clip = None')
    """
    return f"{field_label(name)} = {shown(value)}"


def field_label(field: str) -> str:
    """Name a field in words.

    >>> field_label("weight_decay"), field_label("batching.size"), field_label("model.width")
    ('decay', 'batch size', 'width')
    """
    if field in _FIELDS:
        return _FIELDS[field]
    return field.rpartition(".")[2].replace("_", " ")


def shown(value: Any) -> str:
    """Write a value for a label; a number has six digits if these are exact.

    >>> shown(0.5), shown(1e-8), shown(0.12345678)
    ('0.5', '1e-08', '0.12345678')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def plain(text: str) -> str:
    """Write a label without mathematics, for use outside Matplotlib.

    >>> plain(r"Adam ($\\beta_1$ = 0)")
    'Adam (β₁ = 0)'
    """
    for symbol, math in _MATH.items():
        text = text.replace(math, symbol)
    return text


def rate_label(rate: LearningRate) -> str:
    """Write a learning rate as a power, for figures.

    >>> rate_label(LearningRate("-3/2"))
    '$10^{-3/2}$'
    """
    return f"${rate.base}^{{{rate.exponent}}}$"


def with_rate(text: str, optimizer: Optimizer) -> str:
    """Write a label and the learning rate of the optimizer, if it has one."""
    if not has_rate(optimizer):
        return text
    return f"{text}, {rate_label(optimizer.learning_rate)}"


def title(text: str, optimizer: Optimizer) -> str:
    """Write the same in two lines of about equal length, over a narrow panel."""
    if not has_rate(optimizer):
        return text
    if len(text) > _TITLE:
        return with_rate(text.replace(" (", "\n(").replace(" + ", "\n+ "), optimizer)
    return f"{text}\nlearning rate {rate_label(optimizer.learning_rate)}"
