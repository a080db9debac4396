"""The small forms of problems beyond the paper: most are small as they are declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiments.small.form import Form
from optexp_jax import Experiment
from optexp_jax.datasets import ZipfBigram, ZipfMandelbrot, ZipfUnigram
from optexp_jax.models import AssociativeMemory


def _as_declared(ms_per_step: float) -> Callable[[Experiment, Any], Form]:
    """A small form that changes nothing, with about what a step takes."""

    def form(experiment: Experiment, dataset: Any) -> Form:
        del dataset
        problem, steps = experiment.problem, experiment.steps or 1
        return Form(None, problem, steps, experiment.eval_every, ms_per_step=ms_per_step)

    return form


FORMS = {
    AssociativeMemory: _as_declared(10.0),
    ZipfBigram: _as_declared(20.0),
    ZipfMandelbrot: _as_declared(15.0),
    ZipfUnigram: _as_declared(1.0),
}
