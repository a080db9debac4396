"""A Flax model as a feature extractor and the softmax output layer on top of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

from optexp_jax.analysis.rows import OutputLayer
from optexp_jax.errors import OptexpError
from optexp_jax.per_class import class_indices
from optexp_jax.shapes import Array, Shaped


def head_of(params: Mapping[str, Any], num_classes: int) -> str:
    """Path of the module that makes the logits: the one whose kernel has a column for each class.

    Args:
        params: nested parameters of a Flax model.
        num_classes: number of logits.

    Returns:
        such as `head`; the empty path where the model is itself that layer.

    Raises:
        OptexpError: none, or several: then name the path.

    >>> head_of({"Dense_0": {"kernel": jnp.ones((3, 8))}, "out": {"kernel": jnp.ones((8, 5))}}, 5)
    'out'
    """
    flat: dict[Any, Any] = traverse_util.flatten_dict(dict(params))
    found = [
        "/".join(path[:-1])
        for path, leaf in flat.items()
        if path[-1] == "kernel" and leaf.ndim == 2 and leaf.shape[-1] == num_classes
    ]
    if len(found) != 1:
        which = f"Several layers have ({', '.join(found)})" if found else "No layer has"
        raise OptexpError(
            f"{which} {num_classes} columns, one for each class: give the path of the output "
            "layer.",
            code="output-layer-not-found",
            found=found,
            num_classes=num_classes,
        )
    return found[0]


def output_layer(params: Mapping[str, Any], head: str) -> OutputLayer:
    """The output layer at a path of nested parameters.

    Args:
        params: nested parameters of a Flax model.
        head: path of a dense layer, as `head_of` returns it.

    Raises:
        OptexpError: there is no such layer.
    """
    flat: dict[Any, Any] = traverse_util.flatten_dict(dict(params))
    path = tuple(filter(None, head.split("/")))
    if (*path, "kernel") not in flat:
        raise OptexpError(
            f"The parameters have no layer '{head}': give the path of the last layer.",
            code="no-such-layer",
            head=head,
        )
    return OutputLayer(flat[*path, "kernel"], flat.get((*path, "bias")))


def feature_extractor(
    model: nn.Module, head: str, **kwargs: Any
) -> Callable[[Mapping[str, Any], Shaped[Array, "n ..."]], Shaped[jax.Array, "*batch d"]]:
    """A function of the variables and inputs of a model that returns what goes into its head.

    Args:
        model: any Linen module, in evaluation mode if `kwargs` or its defaults say so.
        head: path of a dense layer, as `head_of` returns it.
        kwargs: of the model's call, such as `train=False`.

    Returns:
        (variables, inputs) -> features `[..., d]`. Integers that go into the head, as into our
        `Linear`, stand for one-hot vectors.

    Raises:
        OptexpError: when called: the model does not call such a layer.

    >>> model = nn.Sequential([nn.Dense(4), nn.relu, nn.Dense(3)])
    >>> variables = model.init(jax.random.key(0), jnp.ones((2, 5)))
    >>> head = head_of(variables["params"], 3)
    >>> feature_extractor(model, head)(variables, jnp.ones((2, 5))).shape
    (2, 4)
    """

    def features(
        variables: Mapping[str, Any], inputs: Shaped[Array, "n ..."]
    ) -> Shaped[jax.Array, "*batch d"]:
        seen: list[jax.Array] = []

        def note(call: Any, args: Any, keywords: Any, context: Any) -> Any:
            path = "/".join(context.module.path)
            if path == head and context.method_name == "__call__" and args:
                seen.append(args[0])
            return call(*args, **keywords)

        with nn.intercept_methods(note):
            model.apply(variables, inputs, **kwargs)
        if not seen:
            raise OptexpError(
                f"{type(model).__name__} does not call a layer '{head}': give the path of its "
                "last layer.",
                code="layer-not-called",
                model=type(model).__name__,
                head=head,
            )
        # The model's own path is empty, too, so the outermost call comes first.
        return _as_vectors(seen[0], output_layer(variables["params"], head))

    return features


def _as_vectors(features: jax.Array, layer: OutputLayer) -> jax.Array:
    if jnp.issubdtype(features.dtype, jnp.integer):
        return jax.nn.one_hot(class_indices(features), len(layer.kernel), dtype=layer.kernel.dtype)
    return features
