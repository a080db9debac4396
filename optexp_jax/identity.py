"""Values as canonical JSON: the same text for equal values, in every process and on every machine.

Every class has a short name in one table, never its module path, so that a class that moves, or is
defined in a script, keeps its identity. Numbers are exact. Unknown types are refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import math
import os
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import flax.linen as nn

from optexp_jax import datasets, losses, models, optim, problem
from optexp_jax.datasets import frozen_features
from optexp_jax.errors import OptexpError

T = TypeVar("T", bound=type)

_NAME_OF: dict[type, str] = {}
_CLASS_OF: dict[str, type] = {}


def register(name: str) -> Callable[[T], T]:
    """Name a class of your own (a model, a data set, a loss), so that experiments can hold it.

    Args:
        name: short, unique, and for ever: it is part of the identity of every experiment with it.

    Returns:
        a class decorator.

    Raises:
        OptexpError: another class has this name, or the class cannot be part of an identity.

    >>> @register("coin")
    ... @dataclasses.dataclass(frozen=True)
    ... class Coin:
    ...     bias: float = 0.5
    >>> encode(Coin(1))
    {'type': 'coin', 'bias': 1.0}
    """
    if not isinstance(name, str) or not name:
        raise OptexpError(
            'A class needs a name: write @optexp_jax.register("my-model").',
            code="class-without-name",
            name=name,
        )

    def add(cls: T) -> T:
        _check(cls, name)
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


def _check(cls: type, name: str) -> None:
    """Refuse a class whose values could change, or share the text of other values."""
    params = getattr(cls, "__dataclass_params__", None)
    undecorated = "__dataclass_fields__" not in vars(cls) and bool(inspect.get_annotations(cls))
    if not issubclass(cls, nn.Module) and (not getattr(params, "frozen", False) or undecorated):
        raise OptexpError(
            f"{cls.__qualname__} is not a frozen dataclass: put @optexp_jax.register above "
            "@dataclasses.dataclass(frozen=True).",
            code="not-frozen",
            cls=cls.__qualname__,
        )
    if "type" in field_names(cls):
        raise OptexpError(
            f"{cls.__qualname__} has a field 'type', where its name is stored: rename the field.",
            code="field-named-type",
            cls=cls.__qualname__,
        )
    if _NAME_OF.get(cls, name) != name:
        raise OptexpError(
            f"{cls.__qualname__} is already named '{_NAME_OF[cls]}': a class has one name.",
            code="already-named",
            cls=cls.__qualname__,
            name=_NAME_OF[cls],
        )


def _home(cls: type) -> tuple[str, str]:
    """File and name: a class of a script is one class, run as `__main__` or imported."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return os.path.realpath(file) if file else cls.__module__, cls.__qualname__


def encode(value: Any, where: str = "value") -> Any:
    """The JSON form of a value: plain values as they are, tuples as lists, classes by their name.

    Raises:
        OptexpError: NaN, infinity, a list, or a type without a name.

    >>> encode(optim.SGD(optim.LearningRate(-1)))
    {'type': 'SGD', 'learning_rate': {'type': 'LearningRate', 'value': '10^-1'}, 'momentum': 0.0}
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise OptexpError(
                f"{where} is {value}: an experiment holds finite numbers only.",
                code="not-finite",
                where=where,
                value=value,
            )
        return value + 0.0  # -0.0 becomes 0.0
    if type(value) is tuple:
        return [encode(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if type(value) is optim.LearningRate:
        return {"type": "LearningRate", "value": str(value)}
    if type(value) in _NAME_OF:
        return {"type": _NAME_OF[type(value)], **encode_fields(value)}
    raise OptexpError(
        f"{where} is {value!r}, a {type(value).__name__}, which cannot be part of an experiment: "
        "use numbers, strings, tuples, or a frozen dataclass named with @optexp_jax.register.",
        code="not-encodable",
        where=where,
        value=value,
    )


def encode_fields(value: Any) -> dict[str, Any]:
    """The JSON form of the fields that take part in comparisons, numbers of their field's type."""
    hints = _hints(type(value))
    where = type(value).__name__
    return {
        name: encode(_conform(getattr(value, name), hints.get(name), f"{where}.{name}"), name)
        for name in field_names(type(value))
    }


def field_names(cls: type) -> list[str]:
    """Names of the scientific fields of a dataclass, in order."""
    skipped = {"parent", "name"} if issubclass(cls, nn.Module) else set()
    fields = dataclasses.fields(cls)
    return [f.name for f in fields if f.init and f.compare and f.name not in skipped]


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
                f"{where} is {value}, which a float does not hold exactly.",
                code="not-exact",
                where=where,
                value=value,
            )
        return float(value)
    if type(value) in (bool, int, float) and type(value) not in options:
        expected = " or ".join(getattr(o, "__name__", str(o)) for o in options)
        raise OptexpError(
            f"{where} is {value!r}, but the field holds {expected}.",
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

    >>> decode(encode(optim.Adam(optim.LearningRate(-2)))) == optim.Adam(optim.LearningRate(-2))
    True
    """
    if isinstance(encoded, list):
        return tuple(decode(item) for item in encoded)
    if not isinstance(encoded, dict):
        return encoded
    fields = dict(encoded)
    name = fields.pop("type", None)
    if name == "LearningRate":
        return optim.LearningRate.parse(fields["value"])
    if name not in _CLASS_OF:
        raise OptexpError(
            f"No class is named '{name}': import the module that registers it.",
            code="unknown-class",
            name=name,
        )
    cls = _CLASS_OF[name]
    if set(fields) != set(field_names(cls)):
        odd = ", ".join(sorted(set(fields) ^ set(field_names(cls))))
        raise OptexpError(
            f"The stored '{name}' and this version differ in the fields {odd}: use the version of "
            "optexp-jax that wrote it.",
            code="other-fields",
            name=name,
            fields=odd,
        )
    return cls(**{key: decode(item) for key, item in fields.items()})


def canonical(encoded: Any) -> str:
    """One text for one JSON value: sorted keys, no spaces, exact numbers.

    >>> canonical({"b": 0.1, "a": [1, None]})
    '{"a":[1,null],"b":0.1}'
    """
    return json.dumps(encoded, sort_keys=True, separators=(",", ":"), allow_nan=False)


for _cls in (
    optim.SGD, optim.Adam, optim.AdamW, optim.SignDescent, optim.NormalizedGD,
    optim.ScaledSignDescent, optim.Adagrad, optim.LineSearchGD, optim.LearningRate,
    losses.CrossEntropy, losses.SquaredLoss, losses.Weighted, losses.LogitAdjusted,
    problem.Problem, problem.FullBatch, problem.MiniBatch,
    models.Linear, models.MLP, models.CNN, models.ImageNetCNN, models.ResNet, models.SimpleViT,
    models.Transformer, models.GPT, models.Zeros, models.Normal, models.TorchUniform,
    models.TorchAttention, models.KaimingNormal, models.TransformerInit,
    datasets.HeavyTailedOneHot, datasets.PowerLawOneHot, datasets.RandomHeavyTailedLabels,
    datasets.GaussianMixture, datasets.ZipfMandelbrot, datasets.Uniform, datasets.Gaussian,
    datasets.PatternImages,
    datasets.MNIST, datasets.FashionMNIST, datasets.Digits, datasets.BarcodedMNIST,
    datasets.ColouredMNIST,
    datasets.ImageNet, datasets.SmallImageNet, datasets.HeavyTailedImageNet,
    datasets.TenBigClassImageNet, datasets.OneMajorClassImageNet,
    datasets.PTB, datasets.TinyPTB, datasets.WikiText2, datasets.TinyWikiText2,
    datasets.WikiText103, datasets.TinyStories, datasets.Shakespeare,
    datasets.ShakespeareExcerpt,
    datasets.Words, datasets.Characters, datasets.BPE, datasets.Unigram,
    datasets.Streams, datasets.Sequences, frozen_features.FrozenFeatures,
):  # fmt: skip
    # The names are frozen with the first release: renaming a class means an entry ("OldName", cls).
    register(_cls.__name__)(_cls)
