"""Choose how methods look: a colour for each kind; dashes, markers, shades for variants."""

from __future__ import annotations

import colorsys
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import is_color_like, to_hex, to_rgb

from optexp_jax.batching import Batching
from optexp_jax.errors import OptexpError
from optexp_jax.optim import Appearance, Optimizer, kind_of, momentum_of
from optexp_jax.plotting.names import FREE, Labels, appearance_in_figures, distinct_labels, plain
from optexp_jax.results.fields import values_of

Color = Any  # any colour of Matplotlib
Colors = Mapping[str, Color] | Callable[[Optimizer], Color] | Sequence[Color] | None

# Of methods of one kind in one figure: with momentum, without, and any further ones.
DASHES = (
    "-",
    (0, (4, 1.5)),
    (0, (1, 1)),
    (0, (5, 1, 1, 1)),
    (0, (9, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (2, 2)),
    (0, (9, 2, 2, 2)),
)
_MARKERS = ("o", "s", "^", "v", "D", "P", "<", ">", "p", "h", "d", "X", "8")
# Of kinds for which those of `FREE` do not suffice; then come colours all around the circle.
_MORE = ("#661100", "#DDAA33", "#4B0092", "#1A85FF", "#88CCEE", "#DDCC77", "#C04000", "#AAAA00")
_GOLDEN = (5**0.5 - 1) / 2
_FEW = 2  # variants of a kind that are told apart without shades


class Look(NamedTuple):
    """Hold how a method appears in a figure."""

    label: str
    color: str
    linestyle: Any
    marker: str
    kind: str = ""

    def line(self) -> dict[str, Any]:
        """Return the arguments for a line."""
        return {"color": self.color, "linestyle": self.linestyle}


def looks(
    methods: Sequence[Optimizer],
    batching: Batching | None = None,
    labels: Labels = None,
    colors: Colors = None,
) -> dict[Optimizer, Look]:
    """Choose labels, colours, lines and markers that distinguish the methods of a figure.

    No two methods have the same colour, line and marker, however many there are.

    Args:
        methods: optimizers without their learning rates.
        batching: of their problem; gradient descent on mini-batches is called SGD.
        labels: other names, see `distinct_labels`.
        colors: other colours: a list in the order of the methods, a function of the method, or a
            dict from the name in the legend, or of the class, to the colour.

    Raises:
        OptexpError: a colour is not a Matplotlib colour.
    """
    methods = list(dict.fromkeys(methods))
    found: dict[Optimizer, Look] = {}
    kinds: dict[str, Appearance] = {}
    names = distinct_labels(methods, batching, labels)
    # Usual momenta first: they have the same line in every figure.
    for method in sorted(methods, key=lambda m: momentum_of(m) not in (0.0, 0.9)):
        kind = kind_of(method)
        if kind not in kinds:
            kinds[kind] = _untaken(appearance_in_figures(method), list(kinds.values()))
        base = kinds[kind]
        taken = {(str(k.linestyle), k.marker) for k in found.values() if k.kind == kind}
        free = (
            pair for pair in _lines(base.marker, method) if (str(pair[0]), pair[1]) not in taken
        )
        found[method] = Look(names[method], base.color, *next(free), kind)
    shaded = {method: found[method] for method in methods} | _shades(found)
    return _colored(shaded, colors, batching)


def _untaken(wanted: Appearance, taken: Sequence[Appearance]) -> Appearance:
    """Choose a free colour and marker if a method of another name has these in the figure."""
    colors, markers = {a.color for a in taken}, {a.marker for a in taken}
    if wanted.color not in colors:
        return wanted
    color, marker = next(
        (c, m) for c, m in _free() if c not in colors and (m not in markers or m == _MARKERS[0])
    )
    return Appearance(wanted.label, color, marker)


def _free() -> Iterator[tuple[str, str]]:
    yield from FREE
    for color in _MORE:
        yield color, _MARKERS[0]
    for number in itertools.count(1):
        yield to_hex(colorsys.hsv_to_rgb(_GOLDEN * number % 1, 0.9, 0.7)), _MARKERS[0]


def _lines(marker: str, method: Optimizer) -> Iterator[tuple[Any, str]]:
    """Yield dashes with the marker of the kind, then with others, then with numbers."""
    dashes = DASHES if momentum_of(method) else DASHES[1:]
    numbers = (f"${number}$" for number in itertools.count(1))
    for other in itertools.chain((marker,), (m for m in _MARKERS if m != marker), numbers):
        for dash in dashes:
            yield dash, other


def _shades(found: dict[Optimizer, Look]) -> dict[Optimizer, Look]:
    """Shade kinds with many variants from dark to light, in the order of their fields."""
    shaded = {}
    for kind in dict.fromkeys(look.kind for look in found.values()):
        alike = sorted((m for m in found if found[m].kind == kind), key=_order)
        if len(alike) > _FEW:
            for method, part in zip(alike, np.linspace(-0.4, 0.45, len(alike)), strict=True):
                look = found[method]
                shaded[method] = look._replace(color=_shade(look.color, part))
    return shaded


def _shade(color: Color, part: float) -> str:
    """Mix a colour with white, or with black for a negative part."""
    red, green, blue = ((1 - abs(part)) * channel + max(part, 0.0) for channel in to_rgb(color))
    return to_hex((red, green, blue))


def _order(method: Optimizer) -> list[tuple[bool, float, str]]:
    """Sort numbers before texts, each in order."""
    return [
        (False, float(value), "") if isinstance(value, int | float) else (True, 0.0, str(value))
        for value in values_of(method).values()
    ]


def in_order(methods: Mapping[Optimizer, object]) -> list[Optimizer]:
    """Sort methods for legends: by kind, as they come, then by the values of their fields."""
    kinds = list(dict.fromkeys(kind_of(method) for method in methods))
    return sorted(methods, key=lambda m: (kinds.index(kind_of(m)), momentum_of(m), _order(m)))


def _colored(
    found: dict[Optimizer, Look], colors: Colors, batching: Batching | None
) -> dict[Optimizer, Look]:
    """Apply the requested colours, with other dashes where colours are the same."""
    if colors is None:
        return found
    usual = distinct_labels(list(found), batching)
    chosen: dict[Optimizer, Look] = {}
    for number, (method, look) in enumerate(found.items()):
        names = (look.label, plain(look.label), plain(usual[method]), look.kind)
        look = look._replace(color=_asked(colors, method, names, number, look.color))
        taken = {(str(k.color), str(k.linestyle), k.marker) for k in chosen.values()}
        lines = itertools.chain([(look.linestyle, look.marker)], _lines(look.marker, method))
        free = (p for p in lines if (str(look.color), str(p[0]), p[1]) not in taken)
        linestyle, marker = next(free)
        chosen[method] = look._replace(linestyle=linestyle, marker=marker)
    return chosen


def _asked(
    colors: Colors, method: Optimizer, names: Sequence[str], number: int, usual: Color
) -> Color:
    if callable(colors):
        color = colors(method)
    elif isinstance(colors, Mapping):
        color = next((colors[name] for name in names if name in colors), usual)
    elif isinstance(colors, str):
        color = colors  # one for all
    else:
        color = colors[number % len(colors)] if colors else usual
    if not is_color_like(color):
        raise OptexpError(
            f"{color!r} is not a Matplotlib colour: write one such as 'tab:blue' or '#0072B2'.",
            code="not-a-color",
            color=color,
        )
    return color
