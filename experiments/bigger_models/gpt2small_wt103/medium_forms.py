"""The medium form of figures 1, 8, 11 and 28: two blocks on all of Shakespeare, word by word.

Four passes over 940,000 words. An excerpt that is read often is learned by heart by SGD, too; with
pieces of words there are no rare ones, and with 16,000 words these are too few steps. Sequences are
shuffled: in the order of the plays, the rare words of a play come all at once, and are forgotten.
"""

from __future__ import annotations

from experiments.small.form import model_of
from experiments.small.medium import MediumForm
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.datasets import Shakespeare
from optexp_jax.models import GPT, TransformerInit

_DEPTH = 2
_WIDTH = 64


def _gpt(experiment: Experiment) -> MediumForm:
    dataset = Shakespeare(evaluated=1024)
    model = model_of(experiment, GPT).clone(
        vocabulary=dataset.vocabulary,
        num_classes=dataset.num_classes,
        num_heads=2,
        width=_WIDTH,
        depth=_DEPTH,
        dropout=0.0,
        init_values=TransformerInit.of_gpt(_DEPTH),
    )
    problem = Problem(model, dataset, experiment.problem.loss, MiniBatch(64))
    rates = {"SGD + momentum": ("-1", "-1/2", "0"), "Adam + momentum": ("-3", "-5/2", "-2")}
    return MediumForm(problem, 900, rates, seconds=330, eval_every=50)


FORMS = {"GPT2Small_Wikitext103_Per_Class_Stats_15k_Steps": _gpt}
