"""What the API reference holds: every public name, under the room that it is documented in."""

from __future__ import annotations

import importlib
from typing import Any, TypeVar

# The package comes last: what it offers from a room is documented with that room.
ROOMS = (
    *("optexp_jax.optim", "optexp_jax.per_class", "optexp_jax.losses", "optexp_jax.metrics"),
    *("optexp_jax.models", "optexp_jax.datasets", "optexp_jax.analysis", "optexp_jax.grid"),
    *("optexp_jax.plotting", "optexp_jax.plotting.panels", "optexp_jax.pages"),
    *("optexp_jax.results.selection", "optexp_jax.results.spikes", "optexp_jax.results.tidy"),
    *("optexp_jax.results.released", "optexp_jax.results.workspace", "optexp_jax.registry"),
    "optexp_jax.identity",
    *("optexp_jax.errors", "optexp_jax.schedulers.base", "optexp_jax.cli", "optexp_jax"),
)
# Of rooms without `__all__`, where only these are meant for others.
CHOSEN = {
    "optexp_jax.results.tidy": ["to_frame"],
    "optexp_jax.results.released": ["load_released"],
    "optexp_jax.results.workspace": ["RecordedRuns", "load_group", "recorded_runs"],
    "optexp_jax.registry": ["neutral", "register"],
    "optexp_jax.errors": ["DamagedError", "OptexpError", "UnreadableError", "UnwritableError"],
}


def names_of(room: str) -> list[str]:
    """The public names of a room: those of `__all__` or chosen ones, or else those it defines."""
    module = importlib.import_module(room)
    listed = getattr(module, "__all__", CHOSEN.get(room))
    return sorted(listed or [n for n, v in vars(module).items() if _is_defined_in(module, n, v)])


def homes() -> dict[str, str]:
    """Full name of every public name -> the full name that it is documented under."""
    values = {
        f"{room}.{name}": getattr(importlib.import_module(room), name)
        for room in ROOMS
        for name in names_of(room)
    }
    first: dict[int, str] = {}
    # An older name of a function is documented under the name that it has today.
    for is_old in (False, True):
        for full, value in values.items():
            if _has_name(value) and (value.__name__ != full.rpartition(".")[2]) == is_old:
                first.setdefault(id(value), full)
    return {full: first.get(id(value), full) for full, value in values.items()}


def tables() -> dict[str, dict[str, list[str]]]:
    """Of each room the names that are documented there, and those that are documented elsewhere."""
    homes_of = homes()
    return {
        room: {
            "own": [n for n in names_of(room) if homes_of[f"{room}.{n}"] == f"{room}.{n}"],
            "other": [
                homes_of[f"{room}.{n}"]
                for n in names_of(room)
                if homes_of[f"{room}.{n}"] != f"{room}.{n}"
            ],
        }
        for room in ROOMS
    }


def _has_name(value: Any) -> bool:
    return hasattr(value, "__name__")


def _is_defined_in(module: Any, name: str, value: Any) -> bool:
    is_here = getattr(value, "__module__", "") == module.__name__
    return is_here and not name.startswith("_") and not isinstance(value, TypeVar)
