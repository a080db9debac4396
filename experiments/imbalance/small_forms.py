"""The small form of the two-layer transformer: an excerpt of Shakespeare in streams."""

from __future__ import annotations

from experiments.small.form import Form, model_of, resized, steps_by_length
from experiments.small.text import SHARE, smaller
from optexp_jax import Experiment, MiniBatch
from optexp_jax.datasets import PTB, ShakespeareExcerpt, Streams, Words
from optexp_jax.models import Transformer

_ROWS, _PAPERS = 16, 512  # of a batch
_STEPS = {100: 150, 80: 120}  # of such batches, by the epochs of the paper's scale


def _ptb(experiment: Experiment, paper: PTB) -> Form:
    del paper
    dataset = ShakespeareExcerpt(Words(4000), Streams(_ROWS, 32), share=SHARE, evaluated=128)
    model = smaller(model_of(experiment, Transformer), dataset)
    parts = _PAPERS // experiment.problem.batching.batch_size(_PAPERS)
    batching = MiniBatch(_ROWS // parts, shuffle=False)
    problem = resized(experiment.problem, dataset, model, batching=batching)
    steps = steps_by_length(experiment, _STEPS) * parts
    return Form("text" + _setting(experiment, parts), problem, steps, eval_every=15 * parts)


def _setting(experiment: Experiment, parts: int) -> str:
    """What is unlike the paper, as names of families end: learning rates depend on it."""
    optimizer = experiment.optimizer
    differs = {
        "smaller batches": parts > 1,
        "clipped": getattr(optimizer, "clip", None) is not None,
        "scheduled": getattr(optimizer, "schedule", None) is not None,
        "no dropout": model_of(experiment, Transformer).dropout == 0,
    }
    return "".join(f", {words}" for words, does in differs.items() if does)


FORMS = {PTB: _ptb}
