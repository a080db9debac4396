"""The models of the families as PyTorch functions of our parameters, and an eager loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from flax import traverse_util
from torch import Tensor  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from benchmarks.lean import Way, initial
from optexp_jax.datasets.data import Data
from optexp_jax.experiment import Experiment
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import CNN, GPT, Linear, SimpleViT, Transformer
from optexp_jax.models.positions import positions_in_plane, sinusoidal_positions
from optexp_jax.models.resnet import ResNet
from optexp_jax.optim import Adam

Params = dict[str, Tensor]
Forward = Callable[[Params, Tensor], Tensor]


def device() -> str:
    """Where PyTorch computes: where JAX does."""
    return "cpu" if jax.default_backend() == "cpu" else "cuda"


def eager(experiment: Experiment, data: Data, compiled: bool = False) -> Way:
    """An eager PyTorch loop on the same parameters, which makes the same rows.

    Args:
        experiment: of one of the families.
        data: of its problem.
        compiled: whether forward pass, loss and metrics go through `torch.compile`.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    began = time.perf_counter()
    step = _step(experiment, data, compiled)
    first = float(step()["loss"])
    _wait()

    def take(steps: int) -> int:
        for _ in range(steps):
            step()
        _wait()
        return steps

    return Way(take, first, time.perf_counter() - began)


def _wait() -> None:
    if device() == "cuda":
        torch.cuda.synchronize()


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.array(array)).to(device())


def _parameters(experiment: Experiment, data: Data) -> Params:
    params = initial(experiment, data)
    flat = traverse_util.flatten_dict(params, sep="/")
    return {name: _layout(_tensor(leaf)).requires_grad_() for name, leaf in flat.items()}


def _layout(tensor: Tensor) -> Tensor:
    """Kernels of convolutions as PyTorch wants them; others serve as they are."""
    return tensor.permute(3, 2, 0, 1).contiguous() if tensor.ndim == 4 else tensor


def _step(experiment: Experiment, data: Data, compiled: bool) -> Callable[[], dict[str, Any]]:
    params = _parameters(experiment, data)
    inputs, labels = _inputs(experiment, data), _tensor(data.train.labels).long().ravel()
    classes = len(data.class_counts)
    counts = _tensor(np.bincount(data.train.labels.ravel(), minlength=classes)).float()
    squared = isinstance(experiment.problem.loss, SquaredLoss)
    one_hot = F.one_hot(labels, classes).float() if squared else None
    forward = forward_of(experiment.problem.model)
    rate = float(experiment.optimizer.learning_rate)
    make = torch.optim.Adam if isinstance(experiment.optimizer, Adam) else torch.optim.SGD
    optimizer = make(list(params.values()), lr=rate)

    def by_class(values: Tensor) -> Tensor:
        return torch.zeros(classes, device=values.device).index_add_(0, labels, values) / counts

    def losses(params: Params) -> tuple[Tensor, ...]:
        logits = forward(params, inputs).reshape(-1, classes)
        if one_hot is not None:
            values = 0.5 * (logits - one_hot).square().sum(1)
        else:
            values = F.cross_entropy(logits, labels, reduction="none")
        with torch.no_grad():
            correct = (logits.argmax(1) == labels).float()
            rows = correct.mean(), by_class(values.detach()), by_class(correct)
        return values.mean(), *rows

    losses = torch.compile(losses) if compiled else losses

    def step() -> dict[str, Any]:
        optimizer.zero_grad()
        loss, *rows = losses(params)
        loss.backward()
        norms = [torch.linalg.vector_norm(p.grad) for p in params.values()]  # pyright: ignore
        with torch.no_grad():
            sizes = [torch.linalg.vector_norm(p) for p in params.values()]
        optimizer.step()
        return {"loss": loss.detach(), "rows": rows, "grad_norms": norms, "param_norms": sizes}

    return step


def _inputs(experiment: Experiment, data: Data) -> Tensor:
    inputs = _tensor(data.train.inputs)  # pyright: ignore[reportAttributeAccessIssue]
    if not inputs.is_floating_point():
        return inputs.long()
    convolved = isinstance(experiment.problem.model, CNN | ResNet)
    return inputs.permute(0, 3, 1, 2).contiguous() if convolved else inputs


def forward_of(model: Any) -> Forward:
    """The function of a model: (parameters, inputs) -> logits."""
    forwards: dict[type, Callable[[Any], Forward]] = {
        Linear: _linear,
        CNN: _cnn,
        ResNet: _resnet,
        SimpleViT: _vit,
        Transformer: _language_model,
        GPT: _language_model,
    }
    return forwards[type(model)](model)


def _dense(params: Params, name: str, inputs: Tensor) -> Tensor:
    kernel, bias = params[f"{name}/kernel"], params.get(f"{name}/bias")
    outputs = inputs.reshape(-1, kernel.shape[0])
    outputs = outputs @ kernel if bias is None else torch.addmm(bias, outputs, kernel)
    return outputs.reshape(*inputs.shape[:-1], -1)


def _norm(params: Params, name: str, inputs: Tensor) -> Tensor:
    scale, bias = params[f"{name}/scale"], params[f"{name}/bias"]
    return F.layer_norm(inputs, scale.shape, scale, bias, 1e-5)


def _linear(model: Linear) -> Forward:
    def forward(params: Params, inputs: Tensor) -> Tensor:
        if inputs.is_floating_point():
            return torch.addmm(params["bias"], inputs, params["kernel"])
        return F.embedding(inputs, params["kernel"]) + params["bias"]

    return forward


def _cnn(model: CNN) -> Forward:
    def forward(params: Params, images: Tensor) -> Tensor:
        outputs = images
        for number in range(len(model.channels)):
            name = f"conv_{number}"
            outputs = F.conv2d(outputs, params[f"{name}/kernel"], params[f"{name}/bias"], padding=2)
            outputs = F.relu(F.max_pool2d(outputs, 2))
        return _dense(params, "head", outputs.permute(0, 2, 3, 1).flatten(1))

    return forward


def _resnet(model: ResNet) -> Forward:
    def norm(params: Params, name: str, images: Tensor) -> Tensor:
        return F.group_norm(images, 1, params[f"{name}/scale"], params[f"{name}/bias"], 1e-5)

    def block(params: Params, name: str, images: Tensor, stride: int) -> Tensor:
        outputs = F.conv2d(images, params[f"{name}/conv_0/kernel"], stride=stride, padding=1)
        outputs = F.relu(norm(params, f"{name}/norm_0", outputs))
        outputs = F.conv2d(outputs, params[f"{name}/conv_1/kernel"], padding=1)
        outputs = norm(params, f"{name}/norm_1", outputs)
        if f"{name}/conv_shortcut/kernel" in params:
            images = F.conv2d(images, params[f"{name}/conv_shortcut/kernel"], stride=stride)
            images = norm(params, f"{name}/norm_shortcut", images)
        return F.relu(outputs + images)

    def forward(params: Params, images: Tensor) -> Tensor:
        outputs = F.conv2d(images, params["conv/kernel"], stride=2, padding=3)
        outputs = F.max_pool2d(F.relu(norm(params, "norm", outputs)), 3, 2, 1)
        for stage, depth in enumerate(model.depths):
            for number in range(depth):
                stride = 2 if stage and not number else 1
                outputs = block(params, f"block_{stage}_{number}", outputs, stride)
        return _dense(params, "head", outputs.mean((2, 3)))

    return forward


def _attention(params: Params, name: str, inputs: Tensor, causal: bool) -> Tensor:
    def project(part: str) -> Tensor:
        kernel, bias = params[f"{name}/{part}/kernel"], params.get(f"{name}/{part}/bias")
        outputs = inputs.reshape(-1, inputs.shape[-1]) @ kernel.flatten(1)
        outputs = outputs if bias is None else outputs + bias.flatten()
        return outputs.reshape(*inputs.shape[:2], *kernel.shape[1:]).transpose(1, 2)

    query, key, value = project("query"), project("key"), project("value")
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    kernel, bias = params[f"{name}/out/kernel"], params.get(f"{name}/out/bias")
    outputs = mixed.transpose(1, 2).flatten(2) @ kernel.flatten(0, 1)
    return outputs if bias is None else outputs + bias


def _block(
    params: Params, name: str, stream: Tensor, norm: str, activation: Any, causal: bool
) -> Tensor:
    def attention(inputs: Tensor) -> Tensor:
        return _attention(params, f"{name}/attention", inputs, causal)

    def mlp(inputs: Tensor) -> Tensor:
        hidden = activation(_dense(params, f"{name}/mlp_in", inputs))
        return _dense(params, f"{name}/mlp_out", hidden)

    for branch, own in ((attention, "attention_norm"), (mlp, "mlp_norm")):
        if norm == "post":
            stream = _norm(params, f"{name}/{own}", stream + branch(stream))
        elif norm == "pre":
            stream = stream + branch(_norm(params, f"{name}/{own}", stream))
        else:  # stream
            stream = _norm(params, f"{name}/{own}", stream)
            stream = stream + branch(stream)
    return stream


def _vit(model: SimpleViT) -> Forward:
    def forward(params: Params, images: Tensor) -> Tensor:
        n, height, width, channels = images.shape
        rows, columns = height // model.patch, width // model.patch
        patches = images.reshape(n, rows, model.patch, columns, model.patch, channels)
        patches = patches.transpose(2, 3).reshape(n, rows * columns, -1)
        stream = _dense(params, "embedding", _norm(params, "patch_norm", patches))
        places = positions_in_plane(rows, columns, model.width).astype(np.float32)
        stream = _norm(params, "embedding_norm", stream) + _tensor(places)
        for number in range(model.depth):
            stream = _block(params, f"block_{number}", stream, "pre", F.gelu, causal=False)
        return _dense(params, "head", _norm(params, "norm", stream).mean(1))

    return forward


def _language_model(model: Any) -> Forward:
    gpt = isinstance(model, GPT)
    activation = (lambda x: F.gelu(x, approximate="tanh")) if gpt else F.relu
    places: dict[int, Tensor] = {}

    def forward(params: Params, tokens: Tensor) -> Tensor:
        time = tokens.shape[1]
        if time not in places:
            table = sinusoidal_positions(time, model.width).astype(np.float32)
            places[time] = _tensor(table)
        stream = F.embedding(tokens, params["embedding"]) * model.width**0.5 + places[time]
        for number in range(model.depth):
            stream = _block(params, f"block_{number}", stream, model.norm, activation, True)
        return _dense(params, "head", _norm(params, "norm", stream) if gpt else stream)

    return forward
