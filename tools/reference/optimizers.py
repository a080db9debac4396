"""Trajectories of every optimizer on softmax regression in full batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from tools.reference.losses import Arrays, class_means

INPUTS = ("X", "y", "W0", "b0")
Params = list[torch.Tensor]
Step = Callable[[], None]
_TOLERANCE = 1e-8  # of the gradient, below which the line search stands still


def recomputed(data: Arrays) -> Arrays:
    """The file of trajectories, from its data, starts and settings."""
    found = {name: data[name] for name in INPUTS}
    for key in data:
        name, _, kind = key.partition("/")
        if kind == "hyper":
            found |= {f"{name}/{k}": v for k, v in _trajectory(data, name).items()}
    return {key: found[key] for key in data}


def _trajectory(data: Arrays, name: str) -> Arrays:
    inputs, labels = torch.tensor(data["X"]), torch.tensor(data["y"])
    params = [torch.tensor(data[k], requires_grad=True) for k in ("W0", "b0")]
    hyper = json.loads(str(data[f"{name}/hyper"]))
    rate = _rate(hyper)

    def logits() -> torch.Tensor:
        return inputs @ params[0].T + params[1]

    def loss() -> torch.Tensor:
        return F.cross_entropy(logits(), labels)

    step = _step(name, params, rate, hyper, loss)
    rows: dict[str, list[Any]] = {}
    steps = len(data[f"{name}/grad_norm"])
    for t in range(steps + 1):
        for p in params:
            p.grad = None
        value = loss()
        value.backward()
        with torch.no_grad():
            row = _metrics(logits(), labels)
            if t < steps:
                row |= {"live_loss": value.item(), "grad_norm": _norm(_gradients(params), 2)}
                step()
        for key, cell in row.items():
            rows.setdefault(key, []).append(cell)
    final = {k: p.detach().numpy() for k, p in zip(("W_final", "b_final"), params, strict=True)}
    settings = {"hyper": data[f"{name}/hyper"], "learning_rate": np.array(rate)}
    return {**settings, **{k: np.array(v) for k, v in rows.items()}, **final}


def _rate(hyper: dict[str, Any]) -> float:
    base, exponent = hyper["learning_rate"].split("^")
    return float(base) ** float(Fraction(exponent))


def _metrics(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, Any]:
    losses = F.cross_entropy(logits, labels, reduction="none")
    hits = (logits.argmax(1) == labels).double()
    classes = logits.shape[1]
    return {
        "loss": losses.mean().item(),
        "accuracy": hits.mean().item(),
        "loss_per_class": class_means(losses, labels, classes),
        "accuracy_per_class": class_means(hits, labels, classes),
    }


def _step(
    name: str, params: Params, rate: float, hyper: dict[str, Any], loss: Callable[[], torch.Tensor]
) -> Step:
    """One step of an optimizer from the gradients that the parameters hold."""
    betas = hyper.get("beta1", 0.9), hyper.get("beta2", 0.999)
    if name.startswith("adamw"):
        decay = hyper.get("weight_decay", 0.01)
        return torch.optim.AdamW(params, rate, betas, weight_decay=decay).step
    if name.startswith("adam"):
        return torch.optim.Adam(params, rate, betas).step
    if name.startswith("adagrad"):
        return torch.optim.Adagrad(params, rate).step
    if name.startswith("line_search"):
        return _line_search(params, hyper, loss)
    directions: dict[str, Callable[[Params], Params]] = {
        "sgd": lambda g: g,
        "sign": lambda g: [x.sign() for x in g],
        "normalized_gd": lambda g: [x / _norm(g, 2) for x in g],
        "scaled_sign": lambda g: [x.sign() * _norm(g, 1) for x in g],
    }
    direction = next(d for prefix, d in directions.items() if name.startswith(prefix))
    return _with_momentum(params, rate, hyper.get("momentum", 0.0), direction)


def _with_momentum(
    params: Params, rate: float, momentum: float, direction: Callable[[Params], Params]
) -> Step:
    buffers = [torch.zeros_like(p) for p in params]

    def step() -> None:
        found = direction(_gradients(params))
        for p, buffer, d in zip(params, buffers, found, strict=True):
            buffer.mul_(momentum).add_(d)
            p.sub_(rate * buffer)

    return step


def _line_search(params: Params, hyper: dict[str, Any], loss: Callable[[], torch.Tensor]) -> Step:
    """Backtracking until Armijo's condition holds, from a little above the step before."""
    slope, shrink = hyper.get("gamma", 0.5), hyper.get("beta", 0.9)
    grow = hyper.get("grow", 1.5)
    last = [1.0]

    def step() -> None:
        gradients = [g.clone() for g in _gradients(params)]
        norm = _norm(gradients, 2)
        if norm < _TOLERANCE:
            return
        before, start = loss().item(), [p.clone() for p in params]
        size = grow * last[0]
        while True:
            for p, p0, g in zip(params, start, gradients, strict=True):
                p.copy_(p0 - size * g)
            if loss().item() <= before - slope * size * norm**2:
                last[0] = size
                return
            size *= shrink

    return step


def _gradients(params: Params) -> Params:
    return [p.grad for p in params if p.grad is not None]


def _norm(tensors: Params, order: float) -> float:
    return torch.cat([t.flatten() for t in tensors]).norm(order).item()
