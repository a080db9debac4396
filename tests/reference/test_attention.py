"""Attention features against the paper's code, under the MLP and the head of its transformer."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference_files import arrays, assert_close_to_largest

from optexp_jax.models import AttentionFeatures

DATA = arrays("model_transformer_no_norm_no_pos.npz")
PARAMS = {k.removeprefix("param/"): v for k, v in DATA.items() if k.startswith("param/")}
GRADS = {k.removeprefix("grad/"): v for k, v in DATA.items() if k.startswith("grad/")}
LAYER = "transformer_encoder.layers.0"
HEADS = int(DATA["heads"])
VOCABULARY, WIDTH = PARAMS["embedding.weight"].shape
TOKENS = DATA["input"].T  # [n, time]


def as_flax(arrays):
    """Arrays in PyTorch's names and layouts as the tree of our module."""
    stacked = (arrays[f"{LAYER}.self_attn.in_proj_{kind}"] for kind in ("weight", "bias"))
    weights, biases = (np.split(array, 3) for array in stacked)
    attention = {
        name: {"kernel": w.T.reshape(WIDTH, HEADS, -1), "bias": b.reshape(HEADS, -1)}
        for name, w, b in zip(("query", "key", "value"), weights, biases, strict=True)
    }
    attention["out"] = {
        "kernel": arrays[f"{LAYER}.self_attn.out_proj.weight"].T.reshape(HEADS, -1, WIDTH),
        "bias": arrays[f"{LAYER}.self_attn.out_proj.bias"],
    }
    return {"embedding": arrays["embedding.weight"], "block": {"attention": attention}}


def logits_of(params):
    model = AttentionFeatures(VOCABULARY, WIDTH, HEADS, positions=False)
    features = model.apply({"params": params}, TOKENS)
    layer = {k.removeprefix(f"{LAYER}."): v for k, v in PARAMS.items()}
    hidden = jax.nn.relu(features @ layer["linear1.weight"].T + layer["linear1.bias"])
    features += hidden @ layer["linear2.weight"].T + layer["linear2.bias"]
    logits = features @ PARAMS["classifier_head.weight"].T + PARAMS["classifier_head.bias"]
    return logits.swapaxes(0, 1).reshape(-1, VOCABULARY)  # [time * n, V]


def loss_of(params):
    return -jnp.mean(jax.nn.log_softmax(logits_of(params))[jnp.arange(TOKENS.size), DATA["labels"]])


@pytest.mark.usefixtures("x64")
def test_logits_and_gradients_are_those_of_the_paper():
    params = as_flax(PARAMS)
    assert_close_to_largest(logits_of(params), DATA["logits"])
    assert float(loss_of(params)) == pytest.approx(float(DATA["loss"]), rel=1e-12)
    largest = max(np.abs(g).max() for g in GRADS.values())
    for found, expected in zip(
        jax.tree.leaves(jax.grad(loss_of)(params)), jax.tree.leaves(as_flax(GRADS)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * largest)


def test_the_reference_holds_nothing_else():
    assert {k.partition("/")[0] for k in DATA} == {
        "heads", "input", "labels", "logits", "loss", "param", "grad",
    }  # fmt: skip
    assert json.dumps(sorted(PARAMS)) == json.dumps(sorted(GRADS))
