"""Schedules of the learning rate: values that say by what factor a step multiplies it.

The learning rate itself stays data of the program; a schedule is part of the program. Lengths are
numbers of steps, or shares of the run as text, such as `"10%"`. Steps count from 0.
"""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal
from fractions import Fraction
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from optexp_jax.optim.learning_rate import shown
from optexp_jax.optim.spec_checks import check_fields
from optexp_jax.registry import register

Length = int | str
_SHARE = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%\s*")


@runtime_checkable
class RateSchedule(Protocol):
    """A schedule as a value: a frozen dataclass named with `@optexp_jax.register`."""

    def factor(self, step: jax.Array, total_steps: int | None) -> jax.Array:
        """The factor of the learning rate.

        Args:
            step: steps taken before, an int32 scalar, 0 for the first.
            total_steps: length of the run, None where it is not known.

        Returns:
            a float scalar.
        """
        ...


def steps_of(length: Length, total_steps: int | None) -> int:
    """A length in steps; a share is rounded to the nearest.

    Raises:
        ValueError: a share of a run whose length is not known.

    >>> steps_of(30, None), steps_of("2.5%", 1000)
    (30, 25)
    """
    if isinstance(length, int):
        return length
    if total_steps is None:
        raise ValueError(
            f"The length {length} is a share of the run: say how long that is, "
            "build(total_steps=...), or give a number of steps."
        )
    return round(Fraction(length.removesuffix("%")) / 100 * total_steps)


def check_lengths(schedule: object, *names: str) -> None:
    """Coerce lengths of a schedule to one text each and refuse others.

    Raises:
        ValueError: such as `Cosine.warmup is a number of steps such as 100, or a share of the run
            such as "10%", not 0.1.`
    """
    for name in names:
        value = getattr(schedule, name)
        found = _SHARE.fullmatch(value) if isinstance(value, str) else None
        if found and Decimal(found[1]) <= 100:
            share = format(Decimal(found[1]), "f")
            share = share.rstrip("0").rstrip(".") if "." in share else share
            object.__setattr__(schedule, name, f"{share}%")
        elif type(value) is not int or value < 0:
            raise ValueError(
                f"{type(schedule).__name__}.{name} is a number of steps such as 100, or a share of "
                f'the run such as "10%", not {shown(value)}.'
            )


@register("Constant")
@dataclasses.dataclass(frozen=True)
class Constant:
    """Keep the learning rate constant: factor 1."""

    def factor(self, step: jax.Array, total_steps: int | None) -> jax.Array:
        """1 at every step."""
        del total_steps
        return jnp.ones_like(_real(step))


@register("LinearWarmup")
@dataclasses.dataclass(frozen=True)
class LinearWarmup:
    """Linear warm-up: factor min(1, (t + 1) / length), so that no step is lost at rate 0.

    Args:
        length: of the warm-up.

    >>> print([float(LinearWarmup(4).factor(jnp.int32(t), None)) for t in range(6)])
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """

    length: Length

    def __post_init__(self) -> None:
        check_lengths(self, "length")

    def factor(self, step: jax.Array, total_steps: int | None) -> jax.Array:
        """min(1, (t + 1) / length)."""
        return _warm(step, self.length, total_steps)


@register("Cosine")
@dataclasses.dataclass(frozen=True)
class Cosine:
    """Linear warm-up, then half a cosine from 1 to a floor, and the floor after that.

    Args:
        warmup: length of the warm-up.
        length: where the cosine ends, from the start of the run.
        floor: the last factor, from 0 to 1.

    >>> schedule = Cosine(warmup=2)
    >>> print([round(float(schedule.factor(jnp.int32(t), 6)), 2) for t in range(6)])
    [0.5, 1.0, 1.0, 0.85, 0.5, 0.15]

    Source: Loshchilov and Hutter, SGDR, 2017.
    """

    warmup: Length = 0
    length: Length = "100%"
    floor: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        check_lengths(self, "warmup", "length")
        _check_floor(self, self.floor)

    def factor(self, step: jax.Array, total_steps: int | None) -> jax.Array:
        """floor + (1 - floor) (1 + cos π p) / 2, where p goes from 0 to 1 after the warm-up."""
        start, end = (steps_of(n, total_steps) for n in (self.warmup, self.length))
        progress = jnp.clip((_real(step) - start) / max(end - start, 1), 0, 1)
        fall = self.floor + (1 - self.floor) * (1 + jnp.cos(jnp.pi * progress)) / 2
        return jnp.minimum(_warm(step, self.warmup, total_steps), fall)


@register("WarmupStableDecay")
@dataclasses.dataclass(frozen=True)
class WarmupStableDecay:
    """Linear warm-up, then 1, then a line down to a floor, which the run ends at.

    Args:
        warmup: length of the warm-up.
        decay: length of the decay, the last steps of the run.
        floor: what the line leads to after the last step, from 0 to 1.

    >>> schedule = WarmupStableDecay(warmup=2, decay=4)
    >>> print([float(schedule.factor(jnp.int32(t), 8)) for t in range(8)])
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]

    Source: Hu et al., MiniCPM, 2024.
    """

    warmup: Length = 0
    decay: Length = "20%"
    floor: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        check_lengths(self, "warmup", "decay")
        _check_floor(self, self.floor)

    def factor(self, step: jax.Array, total_steps: int | None) -> jax.Array:
        """The smallest of warm-up, 1 and decay."""
        if total_steps is None:
            raise ValueError(
                "WarmupStableDecay ends with the run: say how long that is, build(total_steps=...)."
            )
        length = max(steps_of(self.decay, total_steps), 1)
        left = jnp.clip((total_steps - _real(step)) / length, 0, 1)
        fall = self.floor + (1 - self.floor) * left
        return jnp.minimum(_warm(step, self.warmup, total_steps), fall)


def _real(step: jax.Array) -> jax.Array:
    return jnp.asarray(step, jnp.result_type(float))


def _warm(step: jax.Array, length: Length, total_steps: int | None) -> jax.Array:
    return jnp.minimum((_real(step) + 1) / max(steps_of(length, total_steps), 1), 1)


def _check_floor(schedule: object, floor: float) -> None:
    if floor > 1:
        raise ValueError(f"{type(schedule).__name__}.floor is at most 1, not {floor!r}.")
