"""Values as canonical JSON: the same text for equal values, in every process and on every machine.

Every class has a short name (`registry`), never its module path, so that a class that moves, or is
defined in a script, keeps its identity. Numbers are exact. Unknown types are refused.
"""

# pyright: strict, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportMissingTypeStubs=false
from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import math
import sys
import types
import typing
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.optim import LearningRate
from optexp_jax.registry import (
    class_of,
    field_names,
    is_neutral,
    is_ours,
    name_of,
    neutral_values,
    register,
    source_of,
)

__all__ = ["canonical", "decode", "encode", "encode_fields", "field_names", "register"]

_LINE = 200  # characters


def encode(value: Any, where: str = "value") -> Any:
    """The JSON form of a value: plain values as they are, tuples as lists, classes by their name.

    Raises:
        OptexpError: NaN, infinity, a list, or a type without a name.

    >>> from optexp_jax.optim import SGD
    >>> encode(SGD(LearningRate(-1)))
    {'type': 'SGD', 'learning_rate': {'type': 'LearningRate', 'value': '10^-1'}, 'momentum': 0.0}
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise OptexpError(
                f"{where} is {value}: an experiment may contain finite numbers only.",
                code="not-finite",
                where=where,
                value=value,
            )
        return value + 0.0  # -0.0 becomes 0.0
    if type(value) is tuple:
        return [encode(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if type(value) is LearningRate:
        return {"type": "LearningRate", "value": str(value)}
    name = name_of(type(value))
    if name is not None:
        return {"type": name, **encode_fields(value)}
    raise OptexpError(
        f"{where} is {_shown(value)}, a {type(value).__name__}, which cannot be part of an "
        "experiment: use numbers, strings, tuples, or a frozen dataclass with "
        "@optexp_jax.register.",
        code="not-encodable",
        where=where,
        value=value,
    )


def _shown(value: Any) -> str:
    """A value as it is printed, in one line: a module of Flax NNX prints all its arrays."""
    first, *others = repr(value).splitlines() or [""]
    return first if not others and len(first) <= _LINE else f"{first[:_LINE]}..."


def encode_fields(value: Any) -> dict[str, Any]:
    """The JSON form of the fields that take part in comparisons, numbers of their field's type.

    A field that was added later is left out while it holds its neutral value (`registry.neutral`).
    """
    cls = type(value)
    hints, where = _hints(cls), cls.__name__
    held = {
        name: _conform(getattr(value, name), hints.get(name), f"{where}.{name}")
        for name in field_names(cls)
    }
    return {name: encode(v, name) for name, v in held.items() if not is_neutral(cls, name, v)}


def sources_of(value: Any) -> dict[str, str]:
    """By name, a hash of the code of each class that a value holds and that is not the library's.

    Ids know fields, not code: these tell when the code of a class has changed since.
    """
    if type(value) is tuple:
        return {name: code for item in value for name, code in sources_of(item).items()}
    name = name_of(type(value))
    if name is None and not dataclasses.is_dataclass(value):
        return {}
    inside = tuple(getattr(value, field) for field in field_names(type(value)))
    code = None if name is None or is_ours(type(value)) else source_of(type(value))
    return sources_of(inside) | ({name: code} if name and code else {})


def decode_fields(cls: type, encoded: dict[str, Any]) -> dict[str, Any]:
    """The fields of a JSON form, those that were left out included."""
    return neutral_values(cls) | {name: decode(item) for name, item in encoded.items()}


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    with contextlib.suppress(NameError):
        return typing.get_type_hints(cls)
    # An annotation exists for the type checker only: resolve the others one by one.
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        names = getattr(sys.modules.get(base.__module__), "__dict__", {})
        for field, annotation in inspect.get_annotations(base).items():
            with contextlib.suppress(NameError, TypeError):
                one = types.SimpleNamespace(__annotations__={field: annotation})
                hints |= typing.get_type_hints(one, names)
    return hints


def _conform(value: Any, hint: Any, where: str) -> Any:
    """Write a number as its field's type does, so that equal values are one text."""
    if hint is None or hint is Any:
        return value
    options = _options(hint)
    if int in options and float in options:
        return int(value) if type(value) is float and value.is_integer() else value
    if type(value) is int and float in options:
        if abs(value) > 2**53:
            raise OptexpError(
                f"{where} is {value}, which a float cannot represent exactly.",
                code="not-exact",
                where=where,
                value=value,
            )
        return float(value)
    if type(value) in (bool, int, float) and type(value) not in options:
        expected = " or ".join(getattr(o, "__name__", str(o)) for o in options)
        raise OptexpError(
            f"{where} is {value!r}, but the field needs {expected}.",
            code="wrong-type",
            where=where,
            value=value,
            expected=expected,
        )
    if type(value) is tuple:
        inner = [typing.get_args(o) for o in options if typing.get_origin(o) is tuple]
        if inner and inner[0][-1] is ...:
            return tuple(_conform(item, inner[0][0], where) for item in value)
        if inner and len(inner[0]) == len(value):
            return tuple(_conform(v, h, where) for v, h in zip(value, inner[0], strict=True))
    return value


def _options(hint: Any) -> tuple[Any, ...]:
    """The members of a union, a literal by the types of its values."""
    if typing.get_origin(hint) is typing.Literal:
        return tuple(type(value) for value in typing.get_args(hint))
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return tuple(option for member in typing.get_args(hint) for option in _options(member))
    return (hint,)


def decode(encoded: Any) -> Any:
    """The value of a JSON form; the inverse of `encode`.

    Raises:
        OptexpError: a name that no class has, or fields that the class does not have.

    >>> from optexp_jax.optim import Adam
    >>> decode(encode(Adam(LearningRate(-2)))) == Adam(LearningRate(-2))
    True
    """
    if isinstance(encoded, list):
        return tuple(decode(item) for item in encoded)
    if not isinstance(encoded, dict):
        return encoded
    fields = dict(encoded)
    name = fields.pop("type", None)
    if name == "LearningRate":
        return LearningRate.parse(fields["value"])
    cls = class_of(name)
    if cls is None:
        raise OptexpError(
            f"There is no class with the name '{name}': import the module that registers it.",
            code="unknown-class",
            name=name,
        )
    odd = set(fields) ^ set(field_names(cls))
    if odd := odd - (neutral_values(cls).keys() - fields.keys()):
        odd = ", ".join(sorted(odd))
        raise OptexpError(
            f"The stored '{name}' has other fields than this version ({odd}): use the version of "
            "optexp-jax that wrote it.",
            code="other-fields",
            name=name,
            fields=odd,
        )
    return cls(**decode_fields(cls, fields))


def canonical(encoded: Any) -> str:
    """One text for one JSON value: sorted keys, no spaces, exact numbers.

    >>> canonical({"b": 0.1, "a": [1, None]})
    '{"a":[1,null],"b":0.1}'
    """
    return json.dumps(encoded, sort_keys=True, separators=(",", ":"), allow_nan=False)
