"""Check the numbers of optimizers; each error is one sentence."""

from __future__ import annotations

import dataclasses
import numbers
import re
from decimal import Decimal
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.optim.learning_rate import LearningRate, shown


def check_fields(spec: object) -> None:
    """Coerce numbers to the types of their fields and refuse impossible ones.

    Args:
        spec: a frozen dataclass; fields of learning rates, floats and booleans are looked at.

    Raises:
        ValueError: such as `SGD.momentum is a finite number from 0, not -0.9.`
    """
    for field in dataclasses.fields(spec):  # pyright: ignore[reportArgumentType]
        value = getattr(spec, field.name)
        name = f"{type(spec).__name__}.{field.name}"
        if field.type == "LearningRate":
            value = _rate(name, value)
        elif field.type == "float" or (field.type == "float | None" and value is not None):
            value = _number(name, value)
        elif field.type == "bool" and not isinstance(value, bool):
            raise ValueError(f"{name} is True or False, not {shown(value)}.")
        object.__setattr__(spec, field.name, value)


def _rate(name: str, value: Any) -> LearningRate:
    if _is_float(value):
        value = _decimal(name, value)
    if isinstance(value, str):
        value = LearningRate.parse(value)
    if not isinstance(value, LearningRate):
        raise ValueError(
            f"{name} is a learning rate, not {shown(value)}: write 0.01 or '10^-2', each of which "
            "is LearningRate(-2)."
        )
    return value


def _is_float(value: object) -> bool:
    """Whether a value is a number with a point, of Python, NumPy or JAX."""
    if isinstance(value, np.generic | np.ndarray | jax.Array):
        return value.ndim == 0 and jnp.issubdtype(value.dtype, jnp.floating)
    return isinstance(value, float | Decimal)


def _decimal(name: str, value: Any) -> str:
    """The shortest decimal that is this number in its precision: 0.1 of a float32, too."""
    if not 0 < float(value) < float("inf"):  # NaN, too
        raise ValueError(
            f"{name} is a finite number above 0, not {shown(value, str)}: write 0.01 or '10^-2'."
        )
    text = str(value if isinstance(value, float | Decimal) else np.asarray(value)[()])
    return text if re.search("[.eE]", text) else f"{text}.0"


def _number(name: str, value: Any) -> float:
    if not _is_real(value):
        raise ValueError(f"{name} is a number, not {shown(value)}.")
    try:
        number = float(value)
    except OverflowError:  # an integer or a fraction
        number = float("inf")
    if not 0.0 <= number < float("inf"):
        raise ValueError(f"{name} is a finite number from 0, not {shown(value)}.")
    return number + 0.0  # -0.0 is no other number


def _is_real(value: object) -> bool:
    """Whether a value is a real number of Python, NumPy or JAX, no boolean and no text."""
    if isinstance(value, np.generic | np.ndarray | jax.Array):
        is_number = any(jnp.issubdtype(value.dtype, kind) for kind in (jnp.integer, jnp.floating))
        return value.ndim == 0 and is_number
    return isinstance(value, numbers.Real | Decimal) and not isinstance(value, bool)


def check_below_one(spec: object, *names: str) -> None:
    """Refuse fields of a spec that are 1 or more.

    Raises:
        ValueError: such as `SGD.momentum is below 1, not 1.0.`
    """
    for name in names:
        if getattr(spec, name) >= 1.0:
            raise ValueError(
                f"{type(spec).__name__}.{name} is below 1, not {getattr(spec, name)!r}."
            )
