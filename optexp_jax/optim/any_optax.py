"""Any optimizer and any schedule of optax, or written like them, as a value."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.base import Appearance
from optexp_jax.optim.factories import Hyperparameters, checked, factory_at, path_of
from optexp_jax.optim.injection import inject_only_rate
from optexp_jax.optim.learning_rate import LearningRate, shown
from optexp_jax.optim.modifiers import Modifiers
from optexp_jax.optim.schedules import RateSchedule
from optexp_jax.registry import register

_DECAY = "weight_decay"


@register("Optax")
@dataclasses.dataclass(frozen=True, repr=False, init=False)
class Optax(Modifiers):
    """Use any optax factory as an optimizer; its learning rate is injected.

    Optimizers of different names are different methods, and so are those of one name with different
    hyperparameters.

    Args:
        name: what figures and tables call it.
        factory: a function of a module that takes `learning_rate` and returns an optax
            transformation, or its path, such as `"optax:lion"`.
        learning_rate: the learning rate.
        hyperparameters: other arguments of the factory as pairs, for those called like an argument
            here.
        schedule: of the learning rate, see `Modifiers`.
        clip: of the gradient's norm, see `Modifiers`.
        **others: other arguments of the factory: numbers, text, True, False, None and tuples. A
            `weight_decay` that the factory does not take is decoupled, see `DecayModifiers`.

    Raises:
        ValueError: a lambda or local function, or arguments that the factory does not take.

    >>> Optax("Lion", optax.lion, "10^-3", b1=0.95)
    Optax('Lion', 'optax:lion', LearningRate('10^-3'), b1=0.95)
    """

    name: str
    factory: str
    learning_rate: LearningRate
    hyperparameters: Hyperparameters

    appearance: ClassVar[Appearance] = Appearance("optax", "#228833", "$O$")

    def __init__(
        self,
        name: str,
        factory: Callable[..., optax.GradientTransformation] | str,
        learning_rate: LearningRate | str,
        *,
        hyperparameters: Hyperparameters = (),
        schedule: RateSchedule | None = None,
        clip: float | None = None,
        **others: Any,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"Optax.name is what figures call the method, not {shown(name)}.")
        given = dict(hyperparameters) | others
        path = path_of(factory, "Optax")
        if "learning_rate" not in _parameters(path):
            raise ValueError(
                f"{path} takes no learning_rate: write a class of your own with "
                "@optexp_jax.register, whose build returns it."
            )
        decay = {} if _DECAY in _parameters(path) else _split(given)
        pairs = dict(checked(given, factory_at(path, "Optax"), f"Optax {name}")) | decay
        values: dict[str, Any] = {"name": name, "factory": path, "learning_rate": learning_rate}
        values |= {"schedule": schedule, "clip": clip}
        values["hyperparameters"] = tuple(sorted(pairs.items()))
        for field, value in values.items():
            object.__setattr__(self, field, value)
        self.__post_init__()

    def __repr__(self) -> str:
        modifiers = {"schedule": self.schedule, "clip": self.clip}
        used = {k: v for k, v in modifiers.items() if v is not None}
        pairs = [f"{k}={v!r}" for k, v in (*self.hyperparameters, *used.items())]
        start = [repr(v) for v in (self.name, self.factory, self.learning_rate)]
        return f"Optax({', '.join(start + pairs)})"

    @property
    def method_kind(self) -> str:
        """The name of the method."""
        return self.name

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The transformation of the factory, its learning rate in `state.hyperparams`."""
        factory, given = factory_at(self.factory, "Optax"), dict(self.hyperparameters)
        if _DECAY not in _parameters(self.factory):
            given.pop(_DECAY, None)
        return inject_only_rate(factory, self.learning_rate, **given)

    @property
    def _decay(self) -> float:
        return (
            0.0
            if _DECAY in _parameters(self.factory)
            else float(dict(self.hyperparameters).get(_DECAY, 0.0))
        )


def _parameters(path: str) -> Mapping[str, inspect.Parameter]:
    """The arguments of a factory."""
    return inspect.signature(factory_at(path, "Optax")).parameters


def _split(given: dict[str, Any]) -> dict[str, float]:
    """Take the weight decay out of arguments of a factory that has none."""
    value = given.pop(_DECAY, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        raise ValueError(f"Optax.weight_decay is a finite number from 0, not {shown(value)}.")
    return {_DECAY: float(value)} if value else {}


@register("OptaxSchedule")
@dataclasses.dataclass(frozen=True, init=False)
class OptaxSchedule:
    """Use an optax schedule as factor of the learning rate; lengths are in steps.

    Args:
        factory: a function of a module that returns a schedule, or its path.
        hyperparameters: its arguments as pairs.
        **others: its arguments; a value that is a rate in optax is a factor here, so 1 is the
            learning rate itself.

    >>> schedule = OptaxSchedule(optax.exponential_decay, init_value=1.0, transition_steps=1,
    ...     decay_rate=0.5)
    >>> print([float(schedule.factor(jnp.int32(t), None)) for t in range(3)])
    [1.0, 0.5, 0.25]
    """

    factory: str
    hyperparameters: Hyperparameters

    def __init__(
        self,
        factory: Callable[..., optax.Schedule] | str,
        *,
        hyperparameters: Hyperparameters = (),
        **others: Any,
    ) -> None:
        path = path_of(factory, "OptaxSchedule")
        given = dict(hyperparameters) | others
        pairs = checked(given, factory_at(path, "OptaxSchedule"), "OptaxSchedule")
        object.__setattr__(self, "factory", path)
        object.__setattr__(self, "hyperparameters", pairs)

    def factor(self, step: jax.Array, total_steps: int | None) -> jax.Array:
        """The factor of the schedule at a step."""
        del total_steps
        schedule = factory_at(self.factory, "OptaxSchedule")(**dict(self.hyperparameters))
        return jnp.asarray(schedule(step), jnp.result_type(float))
