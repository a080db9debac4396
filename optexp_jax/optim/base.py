"""The interface of optimizers, and functions that read it.

Training, selection and figures know no optimizer by name. What they ask beyond `Optimizer` they
ask through the functions below, each with the answer that holds where a class does not say.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, runtime_checkable

import optax

from optexp_jax.optim.learning_rate import LearningRate


class Appearance(NamedTuple):
    """How figures show a method.

    Args:
        label: name of the method. The word GD becomes SGD for mini-batches.
        color: colour of its lines.
        marker: marker of its points; none for a method without a learning rate.
    """

    label: str
    color: str
    marker: str


@runtime_checkable
class Optimizer(Protocol):
    """An optimizer as a value: a frozen dataclass named with `@optexp_jax.register`.

    A class may also define class attributes that are not fields:

    - `has_rate = False`: there is no learning rate to search (`has_rate`); `learning_rate` then
      only serves lists of runs;
    - `method_kind`, a property for a class that stands for several methods: the name of this one
      (`kind_of`);
    - `appearance = Appearance(...)`: how figures show it (`appearance_of`).

    A field `momentum`, or `beta1`, is the weight of earlier directions (`momentum_of`).
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def learning_rate(self) -> LearningRate:
        """The learning rate, a field; it is data of the compiled program (`inject_rate`)."""
        ...

    def build(self) -> optax.GradientTransformationExtraArgs:
        """The optax transformation.

        Its state holds the learning rate under that name (`inject_rate`); of one that builds it in,
        every rate is a program of its own. `update` is given the parameters and `value=`, `grad=`
        and `value_fn=`, as optax's line searches are. It may take `total_steps`, the length of the
        run (`built`).
        """
        ...


Spec = TypeVar("Spec", bound=Optimizer)


def has_rate(optimizer: Optimizer) -> bool:
    """Whether an optimizer has a learning rate; True unless its class says `has_rate = False`.

    >>> from optexp_jax.optim import SGD, LineSearchGD
    >>> has_rate(SGD("10^-1")), has_rate(LineSearchGD())
    (True, False)
    """
    return bool(getattr(optimizer, "has_rate", True))


def with_rate(optimizer: Spec, rate: LearningRate) -> Spec:
    """Return the optimizer with another learning rate; unchanged if it has none.

    >>> from optexp_jax.optim import SGD, LineSearchGD
    >>> with_rate(SGD("10^-1", 0.9), LearningRate(0))
    SGD(learning_rate=LearningRate('10^0'), momentum=0.9)
    >>> with_rate(LineSearchGD(), LearningRate(-1)) == LineSearchGD()
    True
    """
    return dataclasses.replace(optimizer, learning_rate=rate) if has_rate(optimizer) else optimizer


def built(
    optimizer: Optimizer, total_steps: int | None = None
) -> optax.GradientTransformationExtraArgs:
    """Build the optax transformation of an optimizer for a run of some length.

    Args:
        optimizer: any optimizer.
        total_steps: length of the run in steps; None if unknown.

    Returns:
        the optax transformation.
    """
    if "total_steps" in inspect.signature(optimizer.build).parameters:
        build: Any = optimizer.build
        return optax.with_extra_args_support(build(total_steps=total_steps))
    return optax.with_extra_args_support(optimizer.build())


def momentum_of(optimizer: Optimizer) -> float:
    """Return the momentum of an optimizer: `momentum`, or `beta1` of Adam; 0 without either.

    Args:
        optimizer: any optimizer.

    Returns:
        at least 0 (no momentum) and below 1.

    >>> from optexp_jax.optim import SGD, Adagrad, Adam, LineSearchGD
    >>> rate = LearningRate(-2)
    >>> [momentum_of(o) for o in (SGD(rate, 0.5), Adam(rate), Adagrad(rate), LineSearchGD())]
    [0.5, 0.9, 0.0, 0.0]
    """
    return getattr(optimizer, "momentum", getattr(optimizer, "beta1", 0.0))


def kind_of(optimizer: Optimizer) -> str:
    """Name the kind of an optimizer: the name of its class, or its `method_kind`.

    >>> from optexp_jax.optim import SGD, Optax
    >>> kind_of(SGD("10^-1")), kind_of(Optax("Yogi", optax.yogi, "10^-2"))
    ('SGD', 'Yogi')
    """
    return getattr(optimizer, "method_kind", type(optimizer).__name__)


def appearance_of(kind: type) -> Appearance | None:
    """Return how figures show a class of optimizers; None if the class does not define it.

    A subclass does not inherit it, since it is another method.

    >>> from optexp_jax.optim import SGD
    >>> appearance_of(SGD).label
    'GD'
    """
    return vars(kind).get("appearance")
