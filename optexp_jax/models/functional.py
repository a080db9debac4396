"""A Flax Linen module as two pure functions, which is all that training sees of a model."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

from optexp_jax.errors import OptexpError

Tree = Any


class ModelFunctions(NamedTuple):
    """A model as pure functions.

    Args:
        init: (key, inputs) -> (params, model_state), both nested dicts.
        apply: (params, model_state, inputs, rngs, train) -> (logits, model_state).
        trainable: path of a parameter, such as `Dense_0/kernel`, -> whether it is trained.
        modes_coincide: whether training and evaluation compute the same logits.
        trunk: like `apply`, without the last layer: (hidden `[n, time, width]`, model_state); None
            where the model does not say what that is.
        head: (params, rows of hidden `[..., width]`) -> logits `[..., num_classes]`.
    """

    init: Callable[[jax.Array, jax.Array], tuple[Tree, Tree]]
    apply: Callable[..., tuple[jax.Array, Tree]]
    trainable: Callable[[str], bool]
    modes_coincide: bool
    trunk: Callable[..., tuple[jax.Array, Tree]] | None = None
    head: Callable[[Tree, jax.Array], jax.Array] | None = None


class Model(Protocol):
    """Optional members of a Linen module.

    A field `dtype`, which its layers compute in, lets it run in bfloat16. A field `remat` says
    whether parts of it are computed again in the backward pass, to save memory; write it
    `dataclasses.field(default=False, compare=False)`, so that it is no part of an identity. Fields
    `num_classes` and `num_inputs` are compared with those of the data set.
    """

    def trainable(self, path: str) -> bool:
        """Whether a parameter of a path, as `Dense_0/kernel`, is trained; all are by default."""
        ...

    @property
    def modes_coincide(self) -> bool:
        """Whether training and evaluation are the same although `__call__` takes `train`.

        Full-batch metrics then come with the gradient. By default they are taken to differ.
        """
        ...


@runtime_checkable
class HasHead(Protocol):
    """A Linen module whose `__call__` leaves out the last layer where its argument `head` is False.

    The loss of a large vocabulary is then computed in tiles of rows.
    """

    def head_logits(self, params: Tree, hidden: jax.Array) -> jax.Array:
        """The logits `[..., num_classes]` of rows `[..., width]`, at parameters of the module."""
        ...


@runtime_checkable
class MakesFunctions(Protocol):
    """A model that is no Linen module and says itself what its pure functions are."""

    def functions(self, precision: str = "float32") -> ModelFunctions:
        """The two functions, and what is trained."""
        ...


def rematerialised(model: nn.Module | MakesFunctions) -> nn.Module:
    """The same model, of whose forward pass parts are computed again in the backward pass.

    Raises:
        OptexpError: it has no field `remat`.

    >>> from optexp_jax.models import GPT
    >>> rematerialised(GPT(vocabulary=9, num_classes=9)).remat
    True
    """
    if "remat" not in getattr(type(model), "__dataclass_fields__", {}):
        name = type(model).__name__
        raise OptexpError(
            f"{name} has no field 'remat', so its blocks cannot be computed again: leave out "
            "--remat, or add the field.",
            code="no-remat-field",
            model=name,
        )
    found: Any = model
    return found.clone(remat=True)


def functional(model: nn.Module | MakesFunctions, precision: str = "float32") -> ModelFunctions:
    """The pure functions of a Linen module, or of a value with `functions`.

    A module whose `__call__` takes `train` behaves differently in training (dropout, BatchNorm)
    unless it says otherwise; see `Model`.

    Args:
        model: any Linen module.
        precision: `bfloat16` computes activations in that type, `float64` everything; parameters
            are float32 otherwise.

    Raises:
        OptexpError: bfloat16 for a module without a `dtype` field.

    >>> from optexp_jax.models import Linear, Zeros
    >>> functions = functional(Linear(num_inputs=3, num_classes=2, init_values=Zeros()))
    >>> params, state = functions.init(jax.random.key(0), jnp.ones((1, 3)))
    >>> print(functions.apply(params, state, jnp.ones((1, 3)), {}, train=True)[0])
    [[0. 0.]]
    """
    if isinstance(model, MakesFunctions):
        return model.functions(precision)
    if precision == "bfloat16":
        if "dtype" not in type(model).__dataclass_fields__:
            raise OptexpError(
                f"{type(model).__name__} has no field 'dtype', so it cannot run in bfloat16: add "
                "the field or use precision='float32'.",
                code="no-dtype-field",
                model=type(model).__name__,
            )
        model = model.clone(dtype=jnp.bfloat16)
    takes_train = "train" in inspect.signature(type(model).__call__).parameters
    parameter_dtype = jnp.float64 if precision == "float64" else jnp.float32

    def init(key: jax.Array, inputs: jax.Array) -> tuple[Tree, Tree]:
        kwargs: dict[str, Any] = {"train": False} if takes_train else {}
        variables = dict(model.init(key, inputs, **kwargs))
        params = jax.tree.map(lambda p: p.astype(parameter_dtype), variables.pop("params"))
        return params, variables

    def apply(
        params: Tree,
        model_state: Tree,
        inputs: jax.Array,
        rngs: dict[str, jax.Array],
        train: bool,
        **how: Any,
    ) -> tuple[Any, Tree]:
        variables = {"params": params, **model_state}
        kwargs: dict[str, Any] = how | ({"train": train} if takes_train else {})
        if train and model_state:
            logits, updated = model.apply(
                variables, inputs, rngs=rngs, mutable=list(model_state), **kwargs
            )
            return logits, updated
        return model.apply(variables, inputs, rngs=rngs if train else None, **kwargs), model_state

    has_head = isinstance(model, HasHead)
    return ModelFunctions(
        init=init,
        apply=apply,
        trainable=getattr(model, "trainable", lambda path: True),
        modes_coincide=not takes_train or bool(getattr(model, "modes_coincide", False)),
        trunk=functools.partial(apply, head=False) if has_head else None,
        head=model.head_logits if has_head else None,
    )


def split_trainable(params: Tree, trainable: Callable[[str], bool]) -> tuple[Tree, Tree]:
    """The trainable and the frozen leaves, as flat dicts from path to array.

    >>> split_trainable({"a": {"b": 1}, "c": 2}, lambda path: path != "c")
    ({'a/b': 1}, {'c': 2})
    """
    flat = traverse_util.flatten_dict(params, sep="/")
    trained = {path: leaf for path, leaf in flat.items() if trainable(path)}
    return trained, {path: leaf for path, leaf in flat.items() if path not in trained}


def merge(trained: Tree, frozen: Tree) -> Tree:
    """The nested parameters of flat trainable and frozen leaves; inverse of `split_trainable`."""
    return traverse_util.unflatten_dict({**trained, **frozen}, sep="/")
