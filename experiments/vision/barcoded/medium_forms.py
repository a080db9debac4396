"""The medium form of the CNN on barcoded digits: half of the data are rare, as in the paper.

10 classes of 125 digits, 640 of 2; in 400 steps GD fits the half that is frequent.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from experiments.small.form import form_of, model_of
from experiments.small.medium import MediumForm, longer
from optexp_jax import Experiment
from optexp_jax.models import CNN


def _barcoded(experiment: Experiment) -> MediumForm:
    problem = form_of(experiment).problem
    barcodes: Any = problem.dataset
    dataset = dataclasses.replace(barcodes, bits=6)
    model = model_of(experiment, CNN).clone(
        num_classes=dataset.num_classes, channels=problem.model.channels
    )
    problem = dataclasses.replace(problem, dataset=dataset, model=model)
    rates = {"SGD + momentum": ("-1/2", "0", "1/2"), "Adam + momentum": ("-5/2", "-2", "-3/2")}
    return MediumForm(problem, 400, rates, seconds=32, eval_every=5)


FORMS = {
    "SimpleCNN_MNISTBarcodedOnly_FB_normalized_long": longer(450, eval_every=5),
    "SimpleCNN_MNISTBarcoded_FB_normalized_v2_longest_perclass": longer(
        1500, ("SGD",), eval_every=15
    ),
    "SimpleCNN_MNISTBarcoded_FB_normalized_v2_perclass": _barcoded,
}
