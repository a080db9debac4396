"""The small form of linear regression on the identity.

The rarest class has π = 1/n, so GD needs steps in proportion to n: 2000 for 4000 examples, 150 for
300. Sign descent needs 1/η steps whatever the number of examples.
"""

from __future__ import annotations

from typing import Any

from experiments.small.form import Form, model_of, resized
from optexp_jax import Experiment
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.models import Linear

_DATASET = HeavyTailedOneHot(start_examples=100, base=10)


def _linreg(experiment: Experiment, dataset: HeavyTailedOneHot) -> Form:
    del dataset
    sizes: dict[str, Any] = {"num_inputs": _DATASET.num_inputs, "num_classes": _DATASET.num_classes}
    model = model_of(experiment, Linear).clone(**sizes)
    problem = resized(experiment.problem, _DATASET, model)
    return Form(None, problem, steps=150, sign_decades=1)


FORMS = {HeavyTailedOneHot: _linreg}
