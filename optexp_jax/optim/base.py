"""What an optimizer is to the rest of the library, and what is asked of one.

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
    """How a method wishes to be shown in figures.

    Args:
        label: its name in words. The word GD becomes SGD where batches are small.
        color: of its lines.
        marker: of its points; none for a method without a learning rate.
    """

    label: str
    color: str
    marker: str


@runtime_checkable
class Optimizer(Protocol):
    """An optimizer as a value: a frozen dataclass named with `@optexp_jax.register`.

    A class may also say, as class attributes that are no fields:

    - `has_rate = False`: it has no learning rate to search (`has_rate`); `learning_rate` is then
      what it is listed by;
    - `method_kind`, a property of a class that stands for several methods: what this one is called
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

        Its state holds the learning rate under that name. `update` is given the parameters and
        `value=`, `grad=` and `value_fn=`, as optax's line searches are. It may take
        `total_steps`, the length of the run (`built`).
        """
        ...


Spec = TypeVar("Spec", bound=Optimizer)


def has_rate(optimizer: Optimizer) -> bool:
    """Whether an optimizer has a learning rate; it has unless its class says `has_rate = False`.

    >>> from optexp_jax.optim import SGD, LineSearchGD
    >>> has_rate(SGD("10^-1")), has_rate(LineSearchGD())
    (True, False)
    """
    return bool(getattr(optimizer, "has_rate", True))


def with_rate(optimizer: Spec, rate: LearningRate) -> Spec:
    """The same optimizer at another learning rate; one without stays as it is.

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
    """What an optimizer builds for a run, whose length it is told where its `build` takes that.

    Args:
        optimizer: any spec.
        total_steps: length of the run in steps, None where it is not known.

    Returns:
        the optax transformation.
    """
    if "total_steps" in inspect.signature(optimizer.build).parameters:
        build: Any = optimizer.build
        return build(total_steps=total_steps)
    return optimizer.build()


def momentum_of(optimizer: Optimizer) -> float:
    """The weight of earlier directions: `momentum`, `beta1` of Adam and AdamW, 0 where none is.

    Args:
        optimizer: any spec.

    Returns:
        from 0, which means that nothing is averaged over steps, to below 1.

    >>> from optexp_jax.optim import SGD, Adagrad, Adam, LineSearchGD
    >>> rate = LearningRate(-2)
    >>> [momentum_of(o) for o in (SGD(rate, 0.5), Adam(rate), Adagrad(rate), LineSearchGD())]
    [0.5, 0.9, 0.0, 0.0]
    """
    return getattr(optimizer, "momentum", getattr(optimizer, "beta1", 0.0))


def kind_of(optimizer: Optimizer) -> str:
    """What methods of this kind are called: the name of the class, unless it says `method_kind`.

    >>> from optexp_jax.optim import SGD, Optax
    >>> kind_of(SGD("10^-1")), kind_of(Optax("Yogi", optax.yogi, "10^-2"))
    ('SGD', 'Yogi')
    """
    return getattr(optimizer, "method_kind", type(optimizer).__name__)


def appearance_of(kind: type) -> Appearance | None:
    """How a class of optimizers wishes to be shown; None where it does not say so itself.

    A subclass is another method, which one line for both would hide.

    >>> from optexp_jax.optim import SGD
    >>> appearance_of(SGD).label
    'GD'
    """
    return vars(kind).get("appearance")
