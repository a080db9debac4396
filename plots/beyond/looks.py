"""How lines with a point for each setting look."""

from __future__ import annotations

from typing import Any

from optexp_jax.optim import appearance_of


def line_of(kind: type, name: str = "") -> dict[str, Any]:
    """Arguments of `Axes.plot` for a method; it is named as in other figures, or as said."""
    look = appearance_of(kind)
    if look is None:
        raise ValueError(f"{kind.__name__} has no appearance.")
    return pointed(look.color, look.marker, name or look.label)


def pointed(color: str, marker: str, name: str) -> dict[str, Any]:
    """Arguments of `Axes.plot` for a line with points."""
    return {"color": color, "marker": marker, "ms": 4, "lw": 1.0, "label": name}
