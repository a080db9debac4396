"""Trajectories of the optimizers that the paper does not have, written from their equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from tools.reference.losses import Arrays

INPUTS = ("W0", "b0", "W_gradients", "b_gradients")
RATE = 0.1
# A matrix has eigenvectors of its own, but for their signs, if one eigenvalue at most is zero.
COLUMNS = {"soap": 6}
_NEWTON_SCHULZ = (3.4445, -4.775, 2.0315)
Update = Callable[[Any, Any, int], Any]  # of a parameter, a gradient and a step from 1


def recomputed(data: Arrays) -> Arrays:
    """The file of trajectories `[steps, ...]`, from its starts and gradients."""
    found = {name: data[name] for name in INPUTS}
    for name, make in METHODS.items():
        for leaf in ("W", "b"):
            start, gradients = (data[key] for key in (f"{leaf}0", f"{leaf}_gradients"))
            if name in COLUMNS and leaf == "W":
                start, gradients = start[:, : COLUMNS[name]], gradients[..., : COLUMNS[name]]
            update, parameter = make(), torch.tensor(start)
            path = []
            for t, gradient in enumerate(torch.tensor(gradients), 1):
                parameter = update(parameter, gradient, t)
                path.append(parameter.numpy().copy())
            found[f"{name}/{leaf}"] = np.stack(path)
    return found


def _lion() -> Update:
    state: dict[str, Any] = {"m": 0.0}

    def update(w: Any, g: Any, t: int) -> Any:
        direction = (0.9 * state["m"] + 0.1 * g).sign()
        state["m"] = 0.99 * state["m"] + 0.01 * g
        return w - RATE * (direction + 0.1 * w)  # decoupled decay of 0.1

    return update


def _signum() -> Update:
    state: dict[str, Any] = {"m": 0.0}

    def update(w: Any, g: Any, t: int) -> Any:
        state["m"] = 0.9 * state["m"] + 0.1 * g
        return w - RATE * state["m"].sign()

    return update


def _adafactor() -> Update:
    state: dict[str, Any] = {"rows": 0.0, "columns": 0.0, "v": 0.0}

    def update(w: Any, g: Any, t: int) -> Any:
        kept, squares = 1 - t**-0.8, g**2 + 1e-30
        if g.ndim == 2:
            state["rows"] = kept * state["rows"] + (1 - kept) * squares.mean(1)
            state["columns"] = kept * state["columns"] + (1 - kept) * squares.mean(0)
            v = torch.outer(state["rows"], state["columns"]) / state["rows"].mean()
        else:
            v = state["v"] = kept * state["v"] + (1 - kept) * squares
        direction = g / v.sqrt()
        direction = direction / direction.square().mean().sqrt().clamp(min=1.0)
        return w - RATE * w.square().mean().sqrt().clamp(min=1e-3) * direction

    return update


def _schedule_free() -> Update:
    state: dict[str, Any] = {"v": 0.0}

    def update(y: Any, g: Any, t: int) -> Any:
        x, z = state.get("x", y), state.get("z", y)
        state["v"] = 0.999 * state["v"] + 0.001 * g**2
        root = (state["v"] / (1 - 0.999**t)).sqrt() + 1e-8
        state["z"] = z - RATE * (g / root + 0.1 * y)
        state["x"] = (1 - 1 / t) * x + state["z"] / t  # the rate is constant
        return 0.9 * state["x"] + 0.1 * state["z"]

    return update


def _muon() -> Update:
    state: dict[str, Any] = {"m": 0.0, "v": 0.0}

    def looked_ahead(g: Any, beta: float, t: int) -> Any:
        """The momentum after one more such gradient, both unbiased."""
        state["m"] = beta * state["m"] + (1 - beta) * g
        return beta * state["m"] / (1 - beta ** (t + 1)) + (1 - beta) * g / (1 - beta**t)

    def update(w: Any, g: Any, t: int) -> Any:
        if g.ndim == 1:  # Adam with Nesterov momentum
            m = looked_ahead(g, 0.9, t)
            state["v"] = 0.999 * state["v"] + 0.001 * g**2
            return w - RATE * m / ((state["v"] / (1 - 0.999**t)).sqrt() + 1e-8)
        inputs, outputs = g.shape
        direction = _orthogonal(looked_ahead(g, 0.95, t))
        return w - RATE * max(1.0, outputs / inputs) ** 0.5 * direction

    return update


def _orthogonal(matrix: Any) -> Any:
    a, b, c = _NEWTON_SCHULZ
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (torch.linalg.norm(x) + 1e-8)
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def _soap() -> Update:
    """The basis is refreshed at every third gradient after the first."""
    state: dict[str, Any] = {"m": 0.0, "v": 0.0}

    def average(g: Any) -> None:
        products = (g @ g.T, g.T @ g)
        old = state.get("grams", (0.0, 0.0))
        state["grams"] = [0.95 * a + 0.05 * b for a, b in zip(old, products, strict=True)]

    def refresh() -> None:
        for axis, gram in enumerate(state["grams"]):
            product = gram @ state["bases"][axis]
            order = (state["bases"][axis] * product).sum(0).argsort(descending=True)
            state["v"] = state["v"].index_select(axis, order)
            state["bases"][axis] = torch.linalg.qr(product[:, order])[0]

    def update(w: Any, g: Any, t: int) -> Any:
        is_matrix, count = g.ndim == 2, t - 1
        if count == 0:  # finds the basis and moves nothing
            if is_matrix:
                average(g)
                state["bases"] = [torch.linalg.eigh(gram)[1].flip(1) for gram in state["grams"]]
            return w
        left, right = state["bases"] if is_matrix else (torch.eye(1), torch.eye(1))
        state["m"] = 0.95 * state["m"] + 0.05 * g
        rotated = [left.T @ x @ right if is_matrix else x for x in (state["m"], g)]
        state["v"] = 0.95 * state["v"] + 0.05 * rotated[1] ** 2
        direction = rotated[0] / (state["v"].sqrt() + 1e-8)
        rate = RATE * (1 - 0.95**count) ** 0.5 / (1 - 0.95**count)
        w = w - rate * (left @ direction @ right.T if is_matrix else direction)
        if is_matrix:
            average(g)
            if count % 3 == 0:
                refresh()
        return w

    return update


def _adam_mini() -> Update:
    """A matrix is a query of two heads, whose columns are outputs; a vector is a bias."""
    state: dict[str, Any] = {"m": 0.0, "v": 0.0}

    def update(w: Any, g: Any, t: int) -> Any:
        heads = g.reshape(len(g), 2, -1) if g.ndim == 2 else g
        squares = heads.square()
        squares = squares.mean((0, 2), keepdim=True) if g.ndim == 2 else squares
        state["m"] = 0.9 * state["m"] + 0.1 * heads
        state["v"] = 0.999 * state["v"] + 0.001 * squares
        root = (state["v"] / (1 - 0.999**t)).sqrt() + 1e-8
        return w - RATE * (state["m"] / (1 - 0.9**t) / root).reshape(w.shape)

    return update


METHODS: dict[str, Callable[[], Update]] = {
    "lion": _lion,
    "signum": _signum,
    "adafactor": _adafactor,
    "schedule_free": _schedule_free,
    "muon": _muon,
    "soap": _soap,
    "adam_mini": _adam_mini,
}
