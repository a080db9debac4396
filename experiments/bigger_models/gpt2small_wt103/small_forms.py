"""The small form of GPT-2: two layers on an excerpt of Shakespeare, in pieces of words."""

from __future__ import annotations

from experiments.small.form import Form, model_of, resized, steps_by_length
from experiments.small.text import SHARE, sizes_for
from optexp_jax import Experiment, MiniBatch
from optexp_jax.datasets import BPE, Sequences, ShakespeareExcerpt, WikiText103
from optexp_jax.models import GPT, TransformerInit

_STEPS = {5000: 150, 15_000: 250}
_DEPTH = 2


def _wikitext(experiment: Experiment, paper: WikiText103) -> Form:
    del paper
    dataset = ShakespeareExcerpt(BPE(4000), Sequences(64), share=SHARE, evaluated=128)
    init_values = TransformerInit.of_gpt(_DEPTH)
    model = model_of(experiment, GPT).clone(
        **sizes_for(dataset), depth=_DEPTH, init_values=init_values
    )
    batching = MiniBatch(8, shuffle=False)
    problem = resized(experiment.problem, dataset, model, batching=batching)
    return Form("GPT", problem, steps_by_length(experiment, _STEPS), eval_every=20)


FORMS = {WikiText103: _wikitext}
