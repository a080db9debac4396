"""Forward pass, loss and every gradient against the paper's code, in 64-bit floats."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util
from reference_files import arrays, assert_close_to_largest
from torch_layouts import as_flax

from optexp_jax.models import CNN, GPT, MLP, AttentionFeatures, Transformer
from optexp_jax.models.convolution import convolve, form
from optexp_jax.models.functional import functional


def parts(data, kind):
    return {k.removeprefix(f"{kind}/"): v for k, v in data.items() if k.startswith(f"{kind}/")}


def sizes(data):
    """Fields of a transformer, read off its weights."""
    params = parts(data, "param")
    vocabulary, width = params["embedding.weight"].shape
    layers = [name for name in params if name.endswith("linear1.weight")]
    return {
        "vocabulary": vocabulary,
        "num_classes": len(params["classifier_head.bias"]),
        "depth": len(layers),
        "num_heads": int(data["heads"]),
        "width": width,
        "width_mlp": len(params[layers[0]]),
        "dropout": 0.0,
    }


def tokens_first(logits):
    """Logits `[n, time, V]` in the reference's order, `[time * n, V]`."""
    return logits.swapaxes(0, 1).reshape(-1, logits.shape[-1])


def mlp(data):
    layers = [len(b) for name, b in parts(data, "param").items() if name.endswith("bias")]
    return MLP(layers[-1], tuple(layers[:-1])), data["input"], lambda logits: logits


def cnn(data):
    params = parts(data, "param")
    channels = tuple(len(params[f"conv{k}.bias"]) for k in (1, 2))
    images = data["input"].astype(np.float64).transpose(0, 2, 3, 1)
    return CNN(len(params["fc1.bias"]), channels), images, lambda logits: logits


def encoder(data):
    return Transformer(**sizes(data)), data["input"].T, tokens_first


def bare_encoder(data):
    model = Transformer(**sizes(data), norm="none", positions=False)
    return model, data["input"].T, tokens_first


def gpt(data):
    return GPT(**sizes(data)), data["input"].T, tokens_first


CASES = {
    "model_mlp.npz": mlp,
    "model_mnist_cnn.npz": cnn,
    "model_transformer_encoder.npz": encoder,
    "model_transformer_no_norm_no_pos.npz": bare_encoder,
    "model_gpt.npz": gpt,
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    """One reference: its arrays, and our parameters' shapes, loss, logits and gradients."""
    data = arrays(request.param)
    model, inputs, ordered = CASES[request.param](data)
    heads = int(data.get("heads", 0))
    functions = functional(model, "float64")

    def loss_of(flat):
        params = traverse_util.unflatten_dict(flat, sep="/")
        logits = ordered(functions.apply(params, {}, jnp.asarray(inputs), {}, train=False)[0])
        losses = -jax.nn.log_softmax(logits)[jnp.arange(len(logits)), data["labels"]]
        return losses.mean(), logits

    with jax.enable_x64(True):
        params = as_flax(parts(data, "param"), heads)
        ours = jax.eval_shape(functions.init, jax.random.key(0), jnp.asarray(inputs))[0]
        measured = jax.jit(jax.value_and_grad(loss_of, has_aux=True))(params)
    return (
        data,
        params,
        traverse_util.flatten_dict(ours, sep="/"),
        *jax.tree.map(np.asarray, measured),
    )


def test_parameters_are_those_of_the_paper(case):
    _, params, ours, *_ = case
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in params.items()}


def test_logits_and_loss_are_those_of_the_paper(case):
    data, _, _, (loss, logits), _ = case
    assert logits.dtype == np.float64
    assert_close_to_largest(logits, data["logits"])
    assert float(loss) == pytest.approx(float(data["loss"]), rel=1e-9)


def test_gradients_are_those_of_the_paper(case):
    data, params, _, _, found = case
    heads = int(data.get("heads", 0))
    if norms := parts(data, "grad_norm"):
        paths = {name: next(iter(as_flax({name: data[f"param/{name}"]}))) for name in norms}
        assert set(paths.values()) == set(params)
        for name, norm in norms.items():
            assert np.linalg.norm(found[paths[name]]) == pytest.approx(float(norm), rel=1e-9)
        return
    expected = as_flax(parts(data, "grad"), heads)
    largest = max(np.abs(g).max() for g in expected.values())
    assert set(found) == set(expected)
    for path, gradient in expected.items():
        np.testing.assert_allclose(found[path], gradient, rtol=0, atol=1e-9 * largest)


@pytest.mark.usefixtures("x64")
def test_both_forms_of_a_convolution_are_those_of_the_paper():
    data = arrays("model_mnist_cnn.npz")
    params = as_flax(parts(data, "param"))
    images = jnp.asarray(data["input"].astype(np.float64).transpose(0, 2, 3, 1))
    kernel = jnp.asarray(params["conv_0/kernel"])
    both = []
    for name in ("slices", "convolution"):
        with form(name):
            both.append(convolve(images, kernel, padding=2))
    assert_close_to_largest(both[0], both[1], 1e-12)


@pytest.mark.usefixtures("x64")
def test_attention_features_are_those_under_the_mlp_of_the_paper():
    data = arrays("model_transformer_no_norm_no_pos.npz")
    model, tokens, _ = bare_encoder(data)
    params = as_flax(parts(data, "param"), model.num_heads)
    kept = {k.replace("block_0", "block"): v for k, v in params.items() if "attention" in k}
    kept["embedding"] = params["embedding"]
    features = AttentionFeatures(model.vocabulary, model.width, model.num_heads, positions=False)
    params = {k: jnp.asarray(v) for k, v in params.items()}
    found = features.apply({"params": traverse_util.unflatten_dict(kept, sep="/")}, tokens)
    hidden = jax.nn.relu(found @ params["block_0/mlp_in/kernel"] + params["block_0/mlp_in/bias"])
    found += hidden @ params["block_0/mlp_out/kernel"] + params["block_0/mlp_out/bias"]
    logits = found @ params["head/kernel"] + params["head/bias"]
    assert_close_to_largest(tokens_first(logits), data["logits"])


@pytest.mark.parametrize("name", CASES)
def test_the_reference_holds_nothing_else(name):
    data = arrays(name)
    kinds = {k.partition("/")[0] for k in data} - {"heads"}
    gradients = "grad_norm" if "grad_norm" in kinds else "grad"
    assert kinds == {"input", "labels", "logits", "loss", "param", gradients}
    assert set(parts(data, "param")) == set(parts(data, gradients))
