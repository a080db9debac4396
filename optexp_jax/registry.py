"""The names of classes: what experiments may hold, and how it is written down.

A class says its name where it is written, `@register("SGD")`; everything that lists classes (the
identity of experiments, the catalogue of data sets, the colours of figures) asks here. Imports
nothing heavy, so that optimizers can be registered where jax, optax and numpy are all there is.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib
import inspect
import os
import sys
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from optexp_jax.errors import OptexpError

T = TypeVar("T", bound=type)

# Where the classes of the library stand. They are imported when a name is asked for that is not
# known yet, and before a class of somebody else takes a name.
ROOMS = (
    "optexp_jax.optim",
    "optexp_jax.losses",
    "optexp_jax.metrics",
    "optexp_jax.models",
    "optexp_jax.datasets",
    "optexp_jax.datasets.frozen_features",
    "optexp_jax.batching",
    "optexp_jax.problem",
)
_PACKAGE = __name__.partition(".")[0]
_NEUTRAL = "neutral"

_NAME_OF: dict[type, str] = {}
_CLASS_OF: dict[str, type] = {}


def register(name: str) -> Callable[[T], T]:
    """Register your own class (a model, a data set, a loss), so that experiments can use it.

    Args:
        name: short and unique. Do not change it later: it is part of the id of every experiment
            that uses the class.

    Returns:
        a class decorator.

    Raises:
        OptexpError: another class has this name, or the class cannot be part of an id.

    >>> @register("coin")
    ... @dataclasses.dataclass(frozen=True)
    ... class Coin:
    ...     bias: float = 0.5
    >>> name_of(Coin), class_of("coin") is Coin
    ('coin', True)
    """
    if not isinstance(name, str) or not name:
        raise OptexpError(
            'A class needs a name: write @optexp_jax.register("my-model").',
            code="class-without-name",
            name=name,
        )

    def add(cls: T) -> T:
        _check(cls, name)
        if not is_ours(cls):
            _import_rooms()
        known = _CLASS_OF.get(name)
        if known is not None and _home(known) != _home(cls):
            raise OptexpError(
                f"The name '{name}' of {cls.__qualname__} is taken by {known.__module__}."
                f"{known.__qualname__}: choose another.",
                code="name-taken",
                name=name,
                cls=cls.__qualname__,
            )
        _CLASS_OF[name] = cls
        _NAME_OF[cls] = name
        return cls

    return add


def name_of(cls: type) -> str | None:
    """The name of a class, None where it has none; a subclass has not the name of its base."""
    return _NAME_OF.get(cls)


def class_of(name: str) -> type | None:
    """The class of a name, None where no class has it."""
    if name not in _CLASS_OF:
        _import_rooms()
    return _CLASS_OF.get(name)


def registered() -> dict[str, type]:
    """All classes by name: those of the library, and all that were registered besides."""
    _import_rooms()
    return dict(_CLASS_OF)


def is_ours(cls: type) -> bool:
    """Whether a class is part of the library."""
    return cls.__module__.partition(".")[0] == _PACKAGE


@functools.cache
def source_of(cls: type) -> str | None:
    """A hash of the code of a class, without comments and docstrings; None where it has no file.

    Bases of its module count; functions outside of the class do not.
    """
    bases = [base for base in cls.__mro__ if base.__module__ == cls.__module__]
    try:
        texts = [textwrap.dedent(inspect.getsource(base)) for base in bases]
        trees = [_without_docstrings(ast.parse(text)) for text in texts]
    except (OSError, TypeError, SyntaxError):
        return None
    return hashlib.sha256("".join(map(ast.dump, trees)).encode()).hexdigest()[:16]


def _without_docstrings(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del body[0]  # pyright: ignore[reportOptionalSubscript]
    return tree


def field_names(cls: type) -> list[str]:
    """Names of the scientific fields of a dataclass, in order."""
    skipped = {"parent", "name"} if _is_module(cls) else set()
    fields = dataclasses.fields(cls)
    return [f.name for f in fields if f.init and f.compare and f.name not in skipped]


def neutral(value: Any) -> dict[str, Any]:
    """Metadata of a field that a class with ids gets later, so that those ids stay.

    Args:
        value: the default of the field, without any effect; it can never change. While the field
            holds it, the field is left out of the identity.

    Returns:
        what `dataclasses.field(default=value, kw_only=True, metadata=...)` takes.
    """
    return {_NEUTRAL: value}


def neutral_values(cls: type) -> dict[str, Any]:
    """The fields of a dataclass that were added later, and what they hold without any effect."""
    fields = dataclasses.fields(cls)
    return {f.name: f.metadata[_NEUTRAL] for f in fields if _NEUTRAL in f.metadata}


def is_neutral(cls: type, name: str, value: Any) -> bool:
    """Whether a field that was added later holds what has no effect."""
    known = neutral_values(cls)
    return name in known and type(value) is type(known[name]) and value == known[name]


def _import_rooms() -> None:
    for room in ROOMS:
        importlib.import_module(room)


def _check(cls: type, name: str) -> None:
    """Refuse a class whose values could change, or share the text of other values."""
    params = getattr(cls, "__dataclass_params__", None)
    undecorated = "__dataclass_fields__" not in vars(cls) and bool(inspect.get_annotations(cls))
    if not _is_module(cls) and (not getattr(params, "frozen", False) or undecorated):
        raise OptexpError(
            f"{cls.__qualname__} is not a frozen dataclass: put @optexp_jax.register above "
            "@dataclasses.dataclass(frozen=True).",
            code="not-frozen",
            cls=cls.__qualname__,
        )
    if "type" in field_names(cls):
        raise OptexpError(
            f"{cls.__qualname__} has a field 'type', but 'type' holds the name of the class: "
            "rename the field.",
            code="field-named-type",
            cls=cls.__qualname__,
        )
    if _NAME_OF.get(cls, name) != name:
        raise OptexpError(
            f"{cls.__qualname__} already has the name '{_NAME_OF[cls]}': a class has only one "
            "name.",
            code="already-named",
            cls=cls.__qualname__,
            name=_NAME_OF[cls],
        )


def _is_module(cls: type) -> bool:
    """Whether a class is a Flax module; there is none where Flax is not imported."""
    flax = sys.modules.get("flax.linen")
    return flax is not None and issubclass(cls, flax.Module)


def _home(cls: type) -> tuple[str, str]:
    """File and name: a class of a script is one class, run as `__main__` or imported."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return os.path.realpath(file) if file else cls.__module__, cls.__qualname__
