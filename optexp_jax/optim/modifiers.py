"""Fields that all optimizers share: a schedule, clipping and weight decay."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.injection import require_rate
from optexp_jax.optim.learning_rate import LearningRate, shown
from optexp_jax.optim.schedules import RateSchedule
from optexp_jax.optim.spec_checks import check_fields
from optexp_jax.optim.transforms import l2_norm
from optexp_jax.registry import is_neutral, neutral

Factor = Callable[[jax.Array], jax.Array]


@dataclasses.dataclass(frozen=True, repr=False)
class Modifiers:
    """Base of optimizers with a schedule and clipping.

    A subclass has a field `learning_rate` and a method `transform`, which returns the optimizer
    itself, such as `inject_rate(optax.rmsprop, self.learning_rate)`.

    Args:
        schedule: of the learning rate, None for a constant one.
        clip: the largest L2 norm of the gradient, all leaves as one vector; larger ones are scaled
            down to it before the optimizer sees them. None for no clipping.
    """

    schedule: RateSchedule | None = dataclasses.field(
        default=None, kw_only=True, metadata=neutral(None)
    )
    clip: float | None = dataclasses.field(default=None, kw_only=True, metadata=neutral(None))

    def __post_init__(self) -> None:
        check_fields(self)
        kind = type(self).__name__
        if self.clip == 0:
            raise ValueError(f"{kind}.clip is a norm above 0, not 0: leave it out for no clipping.")
        if self.schedule is not None and not isinstance(self.schedule, RateSchedule):
            raise ValueError(
                f"{kind}.schedule is a value such as Cosine(), not {shown(self.schedule)}."
            )

    def __repr__(self) -> str:
        # Modifiers that are not used are not shown, and the others come last.
        fields = sorted(dataclasses.fields(self), key=lambda field: bool(field.kw_only))
        held = {f.name: getattr(self, f.name) for f in fields}
        used = [f"{k}={v!r}" for k, v in held.items() if not is_neutral(type(self), k, v)]
        return f"{type(self).__qualname__}({', '.join(used)})"

    def transform(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer without its modifiers, its learning rate in its state."""
        raise NotImplementedError

    def build(self, total_steps: int | None = None) -> optax.GradientTransformationExtraArgs:
        """The optax transformation, its learning rate in its state.

        Args:
            total_steps: length of the run, for a schedule with lengths that are shares of it.

        Raises:
            ValueError: the schedule needs the length of the run, which is not given.
        """
        return self.modify(optax.with_extra_args_support(self.transform()), total_steps)

    def modify(
        self, inner: optax.GradientTransformationExtraArgs, total_steps: int | None
    ) -> optax.GradientTransformationExtraArgs:
        """A transformation with the modifiers of this optimizer."""
        schedule, factor = self.schedule, None
        if schedule is not None:
            schedule.factor(jnp.zeros([], jnp.int32), total_steps)  # refuses now, not in training
            factor = functools.partial(schedule.factor, total_steps=total_steps)
        rate: LearningRate = self.learning_rate  # pyright: ignore[reportAttributeAccessIssue]
        name = type(self).__name__
        return modified(inner, rate, factor, self.clip, self._decay, name)

    @property
    def _decay(self) -> float:
        return 0.0


@dataclasses.dataclass(frozen=True, repr=False)
class DecayModifiers(Modifiers):
    """Base of optimizers with a schedule, clipping and decoupled weight decay.

    Args:
        weight_decay: so much of each parameter, times the current learning rate, is taken off at
            each step: w -= lr · (d + weight_decay · w). All leaves decay.
    """

    weight_decay: float = dataclasses.field(default=0.0, kw_only=True, metadata=neutral(0.0))

    @property
    def _decay(self) -> float:
        return self.weight_decay


class ModifiedState(NamedTuple):
    """State of `modified`."""

    steps: jax.Array  # int32 [], steps taken
    learning_rate: jax.Array  # float [], what the schedule multiplies
    inner: Any


def modified(
    inner: optax.GradientTransformationExtraArgs,
    rate: LearningRate,
    factor: Factor | None = None,
    clip: float | None = None,
    decay: float = 0.0,
    name: str = "the optimizer",
) -> optax.GradientTransformationExtraArgs:
    """Add a schedule, clipping and weight decay to an optimizer, as far as they are used.

    The gradient is clipped, the optimizer takes it at the rate of the step, and what decays is
    added to its update: -lr · decay · w.

    Args:
        inner: an optimizer with `learning_rate` in its state.
        rate: the learning rate to begin with.
        factor: of the learning rate by the number of steps taken, None for 1.
        clip: the largest norm of the gradient, None for any.
        decay: coefficient of the decoupled weight decay.
        name: of the optimizer, for the sentence of a refusal.

    Returns:
        the transformation; updates have the dtypes of the gradient. Its `init` raises a ValueError
        where the optimizer holds no learning rate.

    >>> from optexp_jax.optim import inject_rate
    >>> rate = LearningRate(0)
    >>> tx = modified(inject_rate(optax.sgd, rate), rate, clip=1.0, decay=0.1)
    >>> w = jnp.array([1.0, 0.0])
    >>> print(tx.update(jnp.array([0.0, 5.0]), tx.init(w), w)[0])
    [-0.1 -1. ]
    """
    if factor is None and clip is None and not decay:
        return inner

    def init(params: optax.Params) -> ModifiedState:
        start = jnp.asarray(float(rate), jnp.result_type(float))
        held = inner.init(params)
        require_rate(held, name)
        return ModifiedState(jnp.zeros([], jnp.int32), start, held)

    def update(
        updates: optax.Updates,
        state: Any,
        params: optax.Params | None = None,
        **extra: Any,
    ) -> tuple[optax.Updates, Any]:
        now = state.learning_rate
        if factor is not None:
            now = (now * factor(state.steps)).astype(now.dtype)
        if clip is not None:
            updates = _clipped(updates, clip)
        at_now = optax.tree.set(state.inner, learning_rate=now)
        found, new = inner.update(updates, at_now, params, **extra)
        if decay:
            found = _decayed(found, params, now * decay)
        return found, state._replace(steps=optax.safe_increment(state.steps), inner=new)

    return optax.GradientTransformationExtraArgs(init, update)


def _clipped(updates: optax.Updates, largest: float) -> optax.Updates:
    norm = l2_norm(updates)
    scale = jnp.where(norm > largest, largest / norm, 1.0)
    return jax.tree.map(lambda g: (g * scale).astype(g.dtype), updates)


def _decayed(updates: optax.Updates, params: optax.Params | None, share: Any) -> optax.Updates:
    if params is None:
        raise ValueError("Weight decay needs the parameters: call update(grads, state, params).")
    return jax.tree.map(lambda u, w: (u - share * w).astype(u.dtype), updates, params)
