"""The small form of the one-layer transformer in full batches, whole or its last layer alone."""

from __future__ import annotations

from experiments.small.form import Form, model_of, resized
from experiments.small.text import smaller
from optexp_jax import Experiment
from optexp_jax.datasets import ShakespeareExcerpt, TinyPTB, Words
from optexp_jax.models import Transformer

_SHARE = 0.004  # as every step reads all of it


def _tiny_ptb(experiment: Experiment, paper: TinyPTB) -> Form:
    del paper
    dataset = ShakespeareExcerpt(Words(2000), share=_SHARE)
    model = smaller(model_of(experiment, Transformer), dataset)
    name = "text, last layer" if model.frozen else "text, full batch"
    return Form(name, resized(experiment.problem, dataset, model), steps=60, eval_every=5)


FORMS = {TinyPTB: _tiny_ptb}
