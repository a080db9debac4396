"""Functions of others as parts of values: by the name under which they are imported."""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from optexp_jax.optim.learning_rate import shown

Hyperparameters = tuple[tuple[str, Any], ...]


def path_of(factory: object, owner: str) -> str:
    """The shortest module that a function can be imported from, and its name there.

    Args:
        factory: a function or class of a module, or such a path.
        owner: what holds it, for the sentence of a refusal.

    Raises:
        ValueError: it is no function that a module has by name.

    >>> import optax
    >>> path_of(optax.lion, "Optax"), path_of(optax.contrib.muon, "Optax")
    ('optax:lion', 'optax.contrib:muon')
    """
    if isinstance(factory, str):
        return path_of(factory_at(factory, owner), owner)
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", "")
    parts = module.split(".") if isinstance(module, str) else []
    for end in range(1, len(parts) + 1):
        place = ".".join(parts[:end])
        if name.isidentifier() and getattr(sys.modules.get(place), name, None) is factory:
            return f"{place}:{name}"
    raise ValueError(
        f"{owner}.factory is a function that a module has by name, such as optax.lion, not "
        f"{shown(factory)}: define it at the top of a module, or write a class of your own with "
        "@optexp_jax.register."
    )


def factory_at(path: str, owner: str) -> Callable[..., Any]:
    """The function of a path.

    Raises:
        ValueError: nothing is there.
    """
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{owner}.factory {shown(path)} cannot be imported ({error}): write it as module:name, "
            "such as optax:lion, and install what has it."
        ) from error
    if not callable(found):
        raise ValueError(f"{owner}.factory {shown(path)} is no function, but {shown(found)}.")
    return found


def checked(
    hyperparameters: Mapping[str, Any], factory: Callable[..., Any], owner: str
) -> Hyperparameters:
    """Hyperparameters in order of their names, each a plain value.

    Raises:
        ValueError: the function has no such argument, or an array, a function or the like is given.
    """
    parameters = inspect.signature(factory).parameters.values()
    takes = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for name in hyperparameters:
        if not takes_any and name not in takes:
            known = ", ".join(sorted(takes))
            raise ValueError(f"{owner} has no hyperparameter {name}: take some of {known}.")
    return tuple((n, _plain(v, f"{owner}.{n}")) for n, v in sorted(hyperparameters.items()))


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list):
        return tuple(_plain(item, name) for item in value)
    finite = type(value) is not float or math.isfinite(value)
    if finite and (value is None or type(value) in (bool, int, float, str)):
        return value + 0.0 if type(value) is float else value
    raise ValueError(
        f"{name} is a finite number, text, True, False, None or a tuple of these, not "
        f"{shown(value)}: write a class of your own with @optexp_jax.register for others."
    )
