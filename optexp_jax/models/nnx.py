"""Flax NNX modules as models: a builder, and the two functions that training sees."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import jax
import jax.numpy as jnp
from flax import traverse_util

from optexp_jax.errors import OptexpError
from optexp_jax.models.functional import ModelFunctions, Tree
from optexp_jax.registry import register

_STATE = "state"  # where statistics stand in a model state


@register("Nnx")
@dataclasses.dataclass(frozen=True)
class Nnx:
    """A model that a function or a class builds as an `nnx.Module`, called with the inputs.

    Dropout and statistics follow the module's own `train()` and `eval()`. A method
    `trainable(path)` of the module says which parameters are trained, such as `layers/0/kernel`.

    Args:
        builder: `builder(**arguments, rngs=...)`, importable; or its name, `module:name`, which is
            what identifies the model.
        arguments: of the builder, by name: numbers, strings, None, tuples, or named values.

    Raises:
        OptexpError: a builder that another process cannot import.

    >>> Nnx("flax.nnx:Linear", {"out_features": 2, "in_features": 3}).arguments
    (('in_features', 3), ('out_features', 2))
    """

    builder: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def __init__(
        self,
        builder: str | Callable[..., Any],
        arguments: Mapping[str, Any] | tuple[tuple[str, Any], ...] = (),
    ) -> None:
        name = builder if isinstance(builder, str) else _name_of(builder)
        object.__setattr__(self, "builder", name)
        object.__setattr__(self, "arguments", tuple(sorted(dict(arguments).items())))
        if _found(name) is None or (callable(builder) and _home(builder) != _home(_found(name))):
            raise OptexpError(
                f"{name} cannot be imported: define it as a function or class at the top of a "
                "module.",
                code="builder-not-importable",
                builder=name,
            )

    def functions(self, precision: str = "float32") -> ModelFunctions:
        """The pure functions of the module.

        Args:
            precision: `bfloat16` for a builder that takes `dtype`; `float64` for everything.

        Raises:
            OptexpError: what is built is no `nnx.Module`, or cannot run in bfloat16.
        """
        make = self._make(precision)
        training, evaluation = _Split(make, "train"), _Split(make, "eval")
        dtype = jnp.float64 if precision == "float64" else jnp.float32

        def init(key: jax.Array, inputs: jax.Array) -> tuple[Tree, Tree]:
            del inputs
            params, state = training.start(key)
            params = jax.tree.map(lambda leaf: leaf.astype(dtype), params)
            return params, {_STATE: state} if state else {}

        def apply(
            params: Tree, model_state: Tree, inputs: jax.Array, rngs: Any, train: bool
        ) -> tuple[Any, Tree]:
            mode = training if train else evaluation
            logits, state = mode.call(params, model_state.get(_STATE, {}), inputs, rngs)
            return logits, {_STATE: state} if train and model_state else model_state

        return ModelFunctions(
            init=init,
            apply=apply,
            trainable=getattr(training.module, "trainable", lambda path: True),
            modes_coincide=training.graph == evaluation.graph,
        )

    def _make(self, precision: str) -> Callable[[Any], Any]:
        """rngs -> module."""
        build, arguments = _found(self.builder), dict(self.arguments)
        if precision == "bfloat16":
            called = build.__init__ if isinstance(build, type) else build
            if "dtype" not in inspect.signature(called).parameters:
                raise OptexpError(
                    f"{self.builder} takes no 'dtype', so it cannot run in bfloat16: add the "
                    "argument or use precision='float32'.",
                    code="no-dtype-field",
                    model=self.builder,
                )
            arguments["dtype"] = jnp.bfloat16
        return lambda rngs: build(**arguments, rngs=rngs)


class _Split:
    """A module in one mode, taken apart into its graph and its arrays."""

    def __init__(self, make: Callable[[Any], Any], mode: str) -> None:
        from flax import nnx

        def build(rngs: Any) -> Any:
            module = make(rngs)
            if not isinstance(module, nnx.Module):
                raise OptexpError(
                    f"The builder of Nnx returns a {type(module).__name__}: return an nnx.Module.",
                    code="not-an-nnx-module",
                    found=type(module).__name__,
                )
            getattr(module, mode)()
            return module

        self._nnx, self._build = nnx, build
        self.module = nnx.eval_shape(lambda: build(nnx.Rngs(0)))
        parts = self._parts(self.module)
        self.graph, self._shapes = parts[0], parts[1:]
        self._paths = [_paths(nnx, shapes) for shapes in self._shapes]

    def _parts(self, module: Any) -> Any:
        return self._nnx.split(module, self._nnx.Param, self._nnx.RngState, ...)

    def start(self, key: jax.Array) -> tuple[Tree, Tree]:
        """Parameters and statistics, drawn from a key, as nested dicts of arrays."""
        _, params, _, rest = self._parts(self._build(self._nnx.Rngs(key)))
        return self._nested(0, params), self._nested(2, rest)

    def call(self, params: Tree, state: Tree, inputs: Any, rngs: Any) -> tuple[Any, Tree]:
        """Outputs, and the statistics after them."""
        drawn = self._random(rngs.get("dropout"))
        states = (self._state(0, params), drawn, self._state(2, state))
        module = self._nnx.merge(self.graph, *states)
        outputs = module(inputs)
        return outputs, self._nested(2, self._parts(module)[3])

    def _nested(self, number: int, state: Any) -> Tree:
        leaves = dict(zip(self._paths[number], jax.tree.leaves(state), strict=True))
        return traverse_util.unflatten_dict(leaves, sep="/")

    def _state(self, number: int, nested: Tree) -> Any:
        flat = traverse_util.flatten_dict(nested, sep="/")
        structure = jax.tree.structure(self._shapes[number])
        return jax.tree.unflatten(structure, [flat[path] for path in self._paths[number]])

    def _random(self, key: jax.Array | None) -> Any:
        """Streams of random numbers that begin anew at a key, each at its own."""
        key = jax.random.key(0) if key is None else key
        shapes = jax.tree.leaves(self._shapes[1])
        leaves = [
            jax.random.fold_in(key, crc32(path.encode()))
            if jnp.issubdtype(shape.dtype, jax.dtypes.prng_key)
            else jnp.zeros(shape.shape, shape.dtype)
            for path, shape in zip(self._paths[1], shapes, strict=True)
        ]
        return jax.tree.unflatten(jax.tree.structure(self._shapes[1]), leaves)


def _paths(nnx: Any, state: Any) -> list[str]:
    """Paths of the leaves, as `layers/0/kernel`, in the order of JAX's leaves."""
    return ["/".join(map(str, path)) for path, _ in nnx.to_flat_state(state)]


def _name_of(builder: Any) -> str:
    """`module:name`; of what a script defines, by the name under which it is imported."""
    module = getattr(builder, "__module__", "?")
    if module == "__main__":
        main = sys.modules["__main__"]
        spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", "?")
        module = spec.name if spec else Path(file).stem
    return f"{module}:{getattr(builder, '__qualname__', type(builder).__name__)}"


def _found(name: str) -> Any:
    """The object that a name refers to; None if there is none."""
    module, _, path = name.partition(":")
    main = sys.modules["__main__"]
    try:
        found: Any = main if _is_main(module) else importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if callable(found) else None


def _is_main(module: str) -> bool:
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    return module == (spec.name if spec else Path(file).stem if file else "")


def _home(found: Any) -> Any:
    return getattr(found, "__qualname__", found)
