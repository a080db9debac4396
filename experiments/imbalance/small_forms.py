"""The small form of the two-layer transformer: an excerpt of Shakespeare in streams."""

from __future__ import annotations

from experiments.small.form import Form, model_of, resized
from experiments.small.text import SHARE, smaller
from optexp_jax import Experiment, MiniBatch
from optexp_jax.datasets import PTB, ShakespeareExcerpt, Streams, Words
from optexp_jax.models import Transformer


def _ptb(experiment: Experiment, paper: PTB) -> Form:
    del paper
    dataset = ShakespeareExcerpt(Words(4000), Streams(16, 32), share=SHARE, evaluated=128)
    model = smaller(model_of(experiment, Transformer), dataset)
    batching = MiniBatch(16, shuffle=False)
    problem = resized(experiment.problem, dataset, model, batching=batching)
    return Form("text", problem, steps=150, eval_every=15)


FORMS = {PTB: _ptb}
