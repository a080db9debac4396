"""The forward pass, the loss and every gradient of the paper's models."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from tools.reference.losses import Arrays

Params = dict[str, torch.Tensor]
Model = Callable[[Params, torch.Tensor, int], torch.Tensor]
_LAYERS = "transformer_encoder.layers"


def recomputed(data: Arrays, model: Model) -> Arrays:
    """The file of a model, from its input, labels and parameters."""
    params = {
        name.removeprefix("param/"): torch.tensor(array.astype(np.float64), requires_grad=True)
        for name, array in data.items()
        if name.startswith("param/")
    }
    inputs = torch.tensor(data["input"])
    if inputs.is_floating_point():
        inputs = inputs.double()
    logits = model(params, inputs, int(data.get("heads", 0)))
    loss = F.cross_entropy(logits, torch.tensor(data["labels"]))
    loss.backward()
    found: Arrays = {"logits": logits.detach().numpy(), "loss": loss.detach().numpy()}
    for name, p in params.items():
        gradient = p.grad.numpy()  # pyright: ignore[reportOptionalMemberAccess]
        found[f"grad/{name}"] = gradient
        found[f"grad_norm/{name}"] = np.array(np.linalg.norm(gradient))
    return {key: found.get(key, array) for key, array in data.items()}


def mlp(params: Params, x: torch.Tensor, heads: int) -> torch.Tensor:
    """Layers with ReLU between them."""
    del heads
    layers = [name.removesuffix(".weight") for name in params if name.endswith("weight")]
    for name in layers:
        x = _linear(params, name, x.relu() if name != layers[0] else x)
    return x


def cnn(params: Params, x: torch.Tensor, heads: int) -> torch.Tensor:
    """Two convolutions with pooling, and a layer on [channels, height, width]."""
    del heads
    for name in ("conv1", "conv2"):
        x = F.conv2d(x, params[f"{name}.weight"], params[f"{name}.bias"], padding=2)
        x = F.max_pool2d(x.relu(), 2)
    return _linear(params, "fc1", x.flatten(1))


def encoder(params: Params, tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """Blocks that normalise after each part, on scaled embeddings with positions."""
    x = _embedded(params, tokens)
    for name in _layers(params):
        x = _normed(params, f"{name}.norm1", x + _attention(params, name, x, heads))
        x = _normed(params, f"{name}.norm2", x + _mlp(params, name, x, torch.relu))
    return _head(params, x)


def bare_encoder(params: Params, tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """The same without norms and positions."""
    x = _embedded(params, tokens, positions=False)
    for name in _layers(params):
        x = x + _attention(params, name, x, heads)
        x = x + _mlp(params, name, x, torch.relu)
    return _head(params, x)


def gpt(params: Params, tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """Blocks that normalise the residual stream itself, and a last norm."""
    x = _embedded(params, tokens)
    for name in _layers(params):
        x = _normed(params, f"{name}.norm1", x)
        x = x + _attention(params, name, x, heads)
        x = _normed(params, f"{name}.norm2", x)
        x = x + _mlp(params, name, x, lambda h: F.gelu(h, approximate="tanh"))
    return _head(params, _normed(params, "transformer_encoder.norm", x))


def _layers(params: Params) -> list[str]:
    numbers = {n.split(".")[2] for n in params if n.startswith(_LAYERS)}
    return [f"{_LAYERS}.{number}" for number in sorted(numbers, key=int)]


def _linear(params: Params, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, params[f"{name}.weight"], params[f"{name}.bias"])


def _normed(params: Params, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], params[f"{name}.weight"], params[f"{name}.bias"])


def _embedded(params: Params, tokens: torch.Tensor, positions: bool = True) -> torch.Tensor:
    """Embeddings [time, batch, width], scaled, with sines and cosines of the position."""
    table = params["embedding.weight"]
    x = table[tokens] * math.sqrt(table.shape[1])
    if not positions:
        return x
    width = table.shape[1]
    rates = torch.exp(-math.log(10_000) * torch.arange(0, width, 2).double() / width)
    angles = torch.arange(len(tokens)).double()[:, None] * rates
    waves = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    return x + waves[:, None]


def _attention(params: Params, name: str, x: torch.Tensor, heads: int) -> torch.Tensor:
    """Causal attention over the first axis."""
    weight, bias = (params[f"{name}.self_attn.in_proj_{k}"] for k in ("weight", "bias"))
    time, batch, width = x.shape
    parts = F.linear(x, weight, bias).view(time, batch, 3, heads, width // heads)
    query, key, value = parts.permute(2, 1, 3, 0, 4)
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return _linear(params, f"{name}.self_attn.out_proj", mixed.permute(2, 0, 1, 3).flatten(2))


def _mlp(
    params: Params, name: str, x: torch.Tensor, activation: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    return _linear(params, f"{name}.linear2", activation(_linear(params, f"{name}.linear1", x)))


def _head(params: Params, x: torch.Tensor) -> torch.Tensor:
    return _linear(params, "classifier_head", x).flatten(0, 1)


MODELS: dict[str, Model] = {
    "mlp": mlp,
    "mnist_cnn": cnn,
    "transformer_encoder": encoder,
    "transformer_no_norm_no_pos": bare_encoder,
    "gpt": gpt,
}
