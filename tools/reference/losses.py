"""Losses, their gradients with respect to the logits, and their means by class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

Arrays = dict[str, np.ndarray]
INPUTS = ("logits", "labels", "class_counts")


def recomputed(data: Arrays) -> Arrays:
    """The file of losses, from its logits, labels and counts."""
    labels = torch.tensor(data["labels"])
    counts = torch.tensor(data["class_counts"])
    classes = len(counts)

    def cross_entropies(z: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(z, labels, reduction="none")

    def squares(z: torch.Tensor) -> torch.Tensor:
        return ((z - F.one_hot(labels, classes)) ** 2).sum(1)

    def adjusted(z: torch.Tensor) -> torch.Tensor:
        return cross_entropies(z + torch.log(counts / counts.sum()))

    def weighted(z: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (weights[labels] * cross_entropies(z)).sum() / weights[labels].sum()

    losses: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "cross_entropy": lambda z: cross_entropies(z).mean(),
        "weighted_cross_entropy": lambda z: weighted(z, 1 / counts),
        "sqrt_weighted_cross_entropy": lambda z: weighted(z, 1 / counts.sqrt()),
        "squared_loss_reference_scale": lambda z: squares(z).sum() / classes,
        "weighted_squared_loss_reference_scale": lambda z: (
            (squares(z) / counts[labels]).sum() / classes
        ),
        "logit_adjusted_cross_entropy": lambda z: adjusted(z).mean(),
    }
    found = {name: data[name] for name in INPUTS}
    for name, loss in losses.items():
        logits = torch.tensor(data["logits"], requires_grad=True)
        value = loss(logits)
        value.backward()
        found[name] = value.detach().numpy()
        found[f"{name}/grad"] = logits.grad.numpy()  # pyright: ignore[reportOptionalMemberAccess]
    logits = torch.tensor(data["logits"])
    hits = (logits.argmax(1) == labels).double()
    by_class = {
        "cross_entropy_per_class": cross_entropies(logits),
        "weighted_cross_entropy_per_class": cross_entropies(logits),
        "sqrt_weighted_cross_entropy_per_class": cross_entropies(logits),
        "mse_per_class": squares(logits) / classes,
        "logit_adjusted_cross_entropy_per_class": adjusted(logits),
        "accuracy_per_class": hits,
    }
    found["accuracy"] = hits.mean().numpy()
    found |= {name: class_means(v, labels, classes) for name, v in by_class.items()}
    return {name: found[name] for name in data}


def class_means(values: torch.Tensor, labels: torch.Tensor, classes: int) -> np.ndarray:
    """The mean over the examples of each class; NaN where a class has none."""
    sums = torch.zeros(classes, dtype=torch.float64).index_add(0, labels, values)
    return (sums / torch.bincount(labels, minlength=classes)).numpy()
