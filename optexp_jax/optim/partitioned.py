"""Several optimizers in one: each trains the leaves of some roles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax

from optexp_jax.optim.base import Appearance, Optimizer, built, has_rate, kind_of
from optexp_jax.optim.injection import require_rate
from optexp_jax.optim.learning_rate import LearningRate, shown
from optexp_jax.optim.modifiers import Modifiers
from optexp_jax.optim.roles import REST, Rules, by_path, check_roles, check_rules, role_of
from optexp_jax.registry import register

_ONE = LearningRate(0)


@register("Partitioned")
@dataclasses.dataclass(frozen=True, repr=False)
class Partitioned(Modifiers):
    """Use a separate optimizer for each role of a parameter, with its own learning rate.

    Args:
        parts: from a role (see `role_of`) to the optimizer of its leaves; `*` takes all others.
        learning_rate: multiplies the rates of all parts; 10^0 leaves them as they are. This is what
            a grid searches.
        rules: roles of leaves by path, which come before those of `role_of`.

    `schedule` multiplies all rates, and `clip` bounds the norm over the leaves of all parts.

    >>> from optexp_jax.optim import SGD, Adam
    >>> Partitioned({"head": Adam("10^-3"), "norm": Adam("10^-3"), "*": SGD("10^-1")}).method_kind
    'SGD, Adam on head, norm'
    """

    parts: tuple[tuple[str, Optimizer], ...]
    learning_rate: LearningRate = _ONE
    rules: Rules = ()

    appearance: ClassVar[Appearance] = Appearance("Partitioned", "#777777", "$P$")

    def __post_init__(self) -> None:
        super().__post_init__()
        parts: Any = self.parts
        pairs = tuple(parts.items()) if isinstance(parts, Mapping) else parts
        object.__setattr__(self, "rules", check_rules(self, self.rules))
        try:
            held = dict(pairs)
        except (TypeError, ValueError):
            held = {}
        if not held or not all(isinstance(o, Optimizer) and has_rate(o) for o in held.values()):
            raise ValueError(
                "Partitioned.parts names an optimizer with a learning rate for each role, such as "
                f'{{"head": Adam("10^-3"), "*": SGD("10^-1")}}, not {shown(parts)}.'
            )
        check_roles(self, "parts", tuple(r for r in held if r != REST), self.rules)
        object.__setattr__(self, "parts", tuple(sorted(held.items())))

    @property
    def method_kind(self) -> str:
        """The methods of the parts, that of the other leaves first."""
        roles: dict[str, list[str]] = {}
        for role, optimizer in self.parts:
            roles.setdefault(kind_of(optimizer), []).append(role)
        return ", ".join(
            kind if REST in found else f"{kind} on {', '.join(found)}"
            for kind, found in sorted(roles.items(), key=lambda item: REST not in item[1])
        )

    def build(self, total_steps: int | None = None) -> optax.GradientTransformationExtraArgs:
        """The optax transformation; the rates of the parts are constants of the program."""
        parts = {role: built(optimizer, total_steps) for role, optimizer in self.parts}
        rates = {role: float(optimizer.learning_rate) for role, optimizer in self.parts}
        inner = optax.partition(parts, self._roles)  # pyright: ignore[reportArgumentType]
        kinds = {role: type(optimizer).__name__ for role, optimizer in self.parts}
        return self.modify(_with_rates(inner, rates, self.learning_rate, kinds), total_steps)

    def _roles(self, params: optax.Params) -> optax.Params:
        known = dict(self.parts)

        def role(path: str, leaf: Any) -> str:
            del leaf
            found = role_of(path, self.rules)
            if found not in known and REST not in known:
                raise ValueError(
                    f'No part of Partitioned takes {path}, of the role {found}: add "{found}", or '
                    '"*" for all others.'
                )
            return found if found in known else REST

        return by_path(role, params)


class PartitionedState(NamedTuple):
    """State of a `Partitioned`."""

    learning_rate: jax.Array  # float [], multiplies the rates of the parts
    inner: Any


def _with_rates(
    inner: optax.GradientTransformationExtraArgs,
    rates: dict[str, float],
    rate: LearningRate,
    kinds: dict[str, str],
) -> optax.GradientTransformationExtraArgs:
    """Parts whose rates are multiplied by one that is data."""

    def init(params: optax.Params) -> PartitionedState:
        start = jnp.asarray(float(rate), jnp.result_type(float))
        held: Any = inner.init(params)
        for role, part in held.inner_states.items():
            require_rate(part, kinds[role])
        return PartitionedState(start, held)

    def update(
        updates: optax.Updates,
        state: Any,
        params: optax.Params | None = None,
        **extra: Any,
    ) -> tuple[optax.Updates, Any]:
        states = {
            role: optax.tree.set(held, learning_rate=state.learning_rate * rates[role])
            for role, held in state.inner.inner_states.items()
        }
        at_now = state.inner._replace(inner_states=states)
        found, new = inner.update(updates, at_now, params, **extra)
        return found, state._replace(inner=new)

    return optax.GradientTransformationExtraArgs(init, update)
