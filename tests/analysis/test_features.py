"""Features of any model, such that the head on top of them gives the model's logits."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses

from optexp_jax.analysis import feature_extractor, head_of, output_layer
from optexp_jax.models import Linear, SimpleViT, Transformer

TOKENS = jnp.array([[1, 2, 3, 0]])
IMAGES = jnp.ones((2, 16, 16, 3))
TEXT = {"vocabulary": 11, "num_classes": 11, "depth": 1, "num_heads": 2, "width": 8}
MODELS = {
    "linear": (Linear(3, 7), jnp.ones((2, 3))),
    "one-hot": (Linear(5, 7), jnp.array([4, 0])),
    "transformer": (Transformer(**TEXT), TOKENS),
    "vit": (SimpleViT(7, 4, 1, 2, width=16, width_mlp=16, head_width=8), IMAGES),
}


@pytest.mark.parametrize(
    "name",
    [
        "linear",
        "one-hot",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("transformer", "vit")),
    ],
)
def test_the_head_on_the_features_gives_the_logits(name):
    model, inputs = MODELS[name]
    variables = model.init(jax.random.key(0), inputs)
    logits = model.apply(variables, inputs)
    head = head_of(variables["params"], logits.shape[-1])
    features = jax.jit(feature_extractor(model, head))(variables, inputs)
    layer = output_layer(variables["params"], head)
    np.testing.assert_allclose(features @ layer.kernel + layer.bias, logits, atol=1e-5)


def test_a_head_that_is_not_there_is_named():
    model = nn.Dense(3)
    variables = model.init(jax.random.key(0), jnp.ones((1, 2)))
    with refuses("output-layer-not-found", num_classes=4, found=[]):
        head_of(variables["params"], 4)
    with refuses("layer-not-called", model="Dense", head="head"):
        feature_extractor(model, "head")(variables, jnp.ones((1, 2)))
    with refuses("no-such-layer", head="head"):
        output_layer(variables["params"], "head")


def test_several_heads_are_named():
    params = {name: {"kernel": jnp.ones((2, 3))} for name in ("a", "b")}
    with refuses("output-layer-not-found", num_classes=3, found=["a", "b"]):
        head_of(params, 3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
def test_tokens_of_any_integer_type_are_one_hot_vectors(dtype):
    """Of 300 tokens in uint8, 44 was also the last."""
    model, tokens = Linear(301, 3), jnp.array([44, 0, 127], dtype)
    variables = model.init(jax.random.key(0), tokens)
    features = feature_extractor(model, "")(variables, tokens)
    np.testing.assert_array_equal(np.argwhere(features), [[0, 44], [1, 0], [2, 127]])
