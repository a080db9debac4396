"""The small forms of ResNet-18 and the vision transformer on ImageNet and its subsets."""

from __future__ import annotations

import dataclasses

from experiments.small.form import Form, MakeForm, no_form, resized
from optexp_jax import Experiment, MiniBatch
from optexp_jax.datasets import (
    Dataset,
    HeavyTailedImageNet,
    ImageNet,
    PatternImages,
    SmallImageNet,
)
from optexp_jax.models import ResNet, SimpleViT

_UNIFORM, _HEAVY = PatternImages(power=0.0, least=10), PatternImages()
_MANY = dataclasses.replace(_UNIFORM, least=30)


def _on_patterns(dataset: PatternImages, name: str) -> MakeForm:
    def make(experiment: Experiment, paper: Dataset) -> Form:
        model, kind = _model(experiment, dataset, type(paper).__name__)
        problem = resized(experiment.problem, dataset, model, batching=MiniBatch(128))
        return Form(f"{kind}, {name} patterns", problem, 100, eval_every=10)

    return make


def _model(
    experiment: Experiment, dataset: PatternImages, paper: str
) -> tuple[ResNet | SimpleViT, str]:
    """The small model of the kind of the paper's, and the kind in words."""
    model = experiment.problem.model
    if isinstance(model, ResNet):
        small = model.clone(num_classes=dataset.num_classes, depths=(1, 1), width=8)
        return small, f"ResNet, {model.norm} norm"
    if isinstance(model, SimpleViT):
        return SimpleViT(dataset.num_classes, 4, 2, 2, width=32, width_mlp=64, head_width=16), "ViT"
    raise no_form(experiment, f"the model {type(model).__name__} on {paper}")


FORMS = {
    SmallImageNet: _on_patterns(_UNIFORM, "uniform"),
    HeavyTailedImageNet: _on_patterns(_HEAVY, "heavy-tailed"),
    ImageNet: _on_patterns(_MANY, "many"),
}
