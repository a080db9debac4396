"""Describe an experiment for wandb."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import numpy as np

from optexp_jax.config import Settings
from optexp_jax.experiment import Experiment
from optexp_jax.forms import scale_of
from optexp_jax.grid import method_name
from optexp_jax.identity import encode_fields
from optexp_jax.optim import has_rate, kind_of, momentum_of
from optexp_jax.results.selection import main_metric
from optexp_jax.results.wandb.description import RunDescription

_LONGEST_TAG = 64  # characters, of wandb


def describe(
    experiment: Experiment, class_counts: np.ndarray, wandb_id: str, settings: Settings
) -> RunDescription:
    """Describe a run for wandb beyond what its files contain.

    Args:
        experiment: the run.
        class_counts: training examples per class, `[num_classes]`; empty if unknown.
        wandb_id: of the run on wandb.
        settings: that name the project.
    """
    columns = _columns(experiment)
    problem = experiment.problem
    groups = problem.dataset.groups(class_counts) if len(class_counts) else []
    tags = [columns[name] for name in ("optimizer", "model", "dataset", "scale")]
    project, entity = settings.wandb_home(experiment.group)
    return RunDescription(
        folder=str(PurePosixPath("experiments", experiment.group, experiment.id)),
        key=experiment.id,
        wandb_id=wandb_id,
        name=_name(experiment),
        group=experiment.group,
        project=project,
        entity=entity,
        tags=list(dict.fromkeys(tag[:_LONGEST_TAG] for tag in tags)),
        config=columns | {"definition": encode_fields(experiment)},
        metric=main_metric(experiment),
        groups=[np.asarray(group).tolist() for group in groups],
    )


def _name(experiment: Experiment) -> str:
    optimizer = experiment.optimizer
    rate = f" {optimizer.learning_rate}" if has_rate(optimizer) else ""
    return f"{method_name(optimizer)}{rate} seed {experiment.seed} {experiment.short_id}"


def _columns(experiment: Experiment) -> dict[str, Any]:
    """Return flat columns, named so that people can group and filter by them."""
    optimizer, problem = experiment.optimizer, experiment.problem
    fields = encode_fields(optimizer)
    rate = optimizer.learning_rate
    return {
        "id": experiment.id,
        "group": experiment.group,
        "scale": scale_of(experiment.group),
        "optimizer": kind_of(optimizer),
        "lr": float(rate) if has_rate(optimizer) else None,
        "learning_rate": str(rate) if has_rate(optimizer) else None,
        "momentum": momentum_of(optimizer),
        "weight_decay": float(fields.get("weight_decay", 0.0)),
        "batch_size": encode_fields(problem.batching).get("size"),
        "batching": type(problem.batching).__name__,
        "model": type(problem.model).__name__,
        "dataset": type(problem.dataset).__name__,
        "loss": problem.loss.name,
        "seed": experiment.seed,
        "epochs": experiment.epochs,
        "steps": experiment.steps,
    }
