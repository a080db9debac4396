"""The small form of an experiment, and what families declare theirs with.

Each family has its forms in a module `small_forms` beside it: `FORMS`, from the type of the paper's
data set, or of a model that has forms of its own, to a function of the experiment. They are found
there; nothing else lists them.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import flax.linen as nn

import experiments
from optexp_jax import Experiment, Problem
from optexp_jax import datasets as d
from optexp_jax.errors import OptexpError
from optexp_jax.losses import CrossEntropy, Weighted

Model = TypeVar("Model", bound=nn.Module)
_MODULE = "small_forms"


@dataclasses.dataclass(frozen=True)
class Form:
    """The small form of an experiment, up to its optimizer and seed.

    Args:
        name: of the family, under which its learning rates are kept, less how classes are weighted;
            None where the paper's learning rates are right.
        problem: what is learned.
        steps: length of a run.
        eval_every: distance between recorded rows, in steps.
        sign_decades: by so many decades sign descent takes larger steps than in the paper.
        rates: exponents by method where the best final loss, which the pilot goes by, is not what
            the figure is about.
        ms_per_step: on two cores, where the pilot does not run it.
    """

    name: str | None
    problem: Problem
    steps: int
    eval_every: int = 1
    sign_decades: int = 0
    rates: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ms_per_step: float | None = None


MakeForm = Callable[[Experiment, Any], Form]  # the second argument is the paper's data set


def form_of(experiment: Experiment) -> Form:
    """The small form of an experiment, named by its family and how its classes are weighted.

    Raises:
        OptexpError: a data set, model, loss or length that no family has a small form of.
    """
    dataset = experiment.problem.dataset
    known = families()
    make = known.get(type(experiment.problem.model)) or known.get(type(dataset))
    if make is None:
        raise no_form(experiment, f"the data set {type(dataset).__name__}")
    form = make(experiment, dataset)
    if form.name is None:
        return form
    return dataclasses.replace(form, name=form.name + _weights(experiment))


@functools.cache
def families() -> dict[type, MakeForm]:
    """What makes the small form of an experiment, by the type of its data set or model."""
    return declared_forms(_MODULE)


def declared_forms(file: str) -> dict[Any, Any]:
    """The `FORMS` of all modules of `experiments` that have the name of a file.

    Raises:
        ValueError: two modules have a form of the same thing.
    """
    packages = pkgutil.walk_packages(experiments.__path__, prefix="experiments.")
    found: dict[Any, Any] = {}
    for name in sorted(module.name for module in packages):
        if name.endswith(f".{file}"):
            forms = importlib.import_module(name).FORMS
            if twice := found.keys() & forms.keys():
                raise ValueError(f"{name} has a form of {twice}, which another module has.")
            found |= forms
    return found


def no_form(experiment: Experiment, what: str) -> OptexpError:
    """The error for an experiment without a small form."""
    return OptexpError(
        f"The group '{experiment.group}' has no small form, since {what} has none: use --scale "
        f"paper, or declare one in a module {_MODULE} of experiments/.",
        code="no-small-form",
        group=experiment.group,
        what=what,
    )


def model_of(experiment: Experiment, kind: type[Model]) -> Model:
    """The model of an experiment, which a form expects to be of a kind.

    Raises:
        OptexpError: it is of another.
    """
    model = experiment.problem.model
    if not isinstance(model, kind):
        name = type(experiment.problem.dataset).__name__
        raise no_form(experiment, f"the model {type(model).__name__} on {name}")
    return model


def steps_by_length(experiment: Experiment, small: Mapping[int, int]) -> int:
    """The length of a small run, by the length of the paper's.

    Raises:
        OptexpError: a length that is not there.
    """
    length = experiment.steps or experiment.epochs or 0
    if length not in small:
        unit = "steps" if experiment.steps else "epochs"
        raise no_form(experiment, f"a run of {length} {unit}")
    return small[length]


def resized(problem: Problem, dataset: d.Dataset, model: nn.Module, **fields: Any) -> Problem:
    """A problem on other data, with the model that belongs to them."""
    return dataclasses.replace(problem, dataset=dataset, model=model, **fields)


def _weights(experiment: Experiment) -> str:
    """How labels are weighted or smoothed, as names of families end: rates depend on it."""
    loss = experiment.problem.loss
    if isinstance(loss, CrossEntropy):
        return ", smoothed" if loss.label_smoothing else ""
    for power, weights in {1.0: ", 1/π", 0.5: ", 1/√π"}.items():
        if loss == Weighted(CrossEntropy(), power):
            return weights
    raise no_form(experiment, f"the loss {loss}")
