"""What each family of experiments shrinks to: a smaller problem, and fewer steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn

from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax import datasets as d
from optexp_jax.errors import OptexpError
from optexp_jax.losses import Weighted
from optexp_jax.models import GPT, ResNet, SimpleViT, Transformer, TransformerInit


@dataclasses.dataclass(frozen=True)
class Form:
    """The small form of an experiment, up to its optimizer and seed.

    Args:
        name: of the family, under which its step sizes are kept; None where the paper's are right.
        problem: what is learned.
        steps: length of a run.
        eval_every: distance between recorded rows, in steps.
        sign_decades: by so many decades sign descent takes larger steps than in the paper.
        rates: exponents by kind of optimizer where the best final loss, which the pilot goes by, is
            not what the figure is about.
    """

    name: str | None
    problem: Problem
    steps: int
    eval_every: int = 1
    sign_decades: int = 0
    rates: Mapping[str, str] = dataclasses.field(default_factory=dict)


Make = Callable[[Experiment, Any], Form]  # the second argument is the paper's data set


def form_of(experiment: Experiment) -> Form:
    """The small form of an experiment.

    Raises:
        OptexpError: a family without one.
    """
    dataset = experiment.problem.dataset
    for kind, make in _FORMS.items():
        if isinstance(dataset, kind):
            return make(experiment, dataset)
    raise OptexpError(f"The group '{experiment.group}' has no small form: use --scale paper.")


def _resized(problem: Problem, dataset: d.Dataset, model: nn.Module, **fields: Any) -> Problem:
    return dataclasses.replace(problem, dataset=dataset, model=model, **fields)


def _named(base: str, problem: Problem) -> str:
    """The name of a family, with how its classes are weighted."""
    weights = {1.0: ", 1/π", 0.5: ", 1/√π"}
    loss = problem.loss
    return base + (weights[loss.power] if isinstance(loss, Weighted) else "")


# ---------------------------------------------------------------------------- linear problems

# The rarest class has π = 1/n, so GD needs steps in proportion to n: 2000 for 4000 examples,
# 150 for 300. Sign descent needs 1/η steps whatever the number of examples.
_LINREG = d.HeavyTailedOneHot(start_examples=100, base=10)
# m = 8 where classes are looked at, 7 where step sizes are compared, 6 where runs are ten times as
# long; with normal inputs few steps suffice, at the paper's size.
_LONG = 10_000
# Figure 19 is about the first 25 steps; the problem is the paper's, and so are its step sizes.
_RATES_BY_MEAN = {1.0: {"SGD": "-2", "Adam": "-3"}, 0.0: {"SGD": "2", "Adam": "-3/2"}}
# Figure 20 is of one slow run: as far in all as the paper's 10,000 steps of 10^-2.
_SLOW = {"SGD": "-3/2"}


def _linreg(experiment: Experiment, dataset: d.HeavyTailedOneHot) -> Form:
    del dataset
    sizes = {"num_inputs": _LINREG.num_inputs, "num_classes": _LINREG.num_classes}
    model = experiment.problem.model.clone(**sizes)
    smaller = _resized(experiment.problem, _LINREG, model)
    return Form(None, smaller, steps=150, sign_decades=1)


def _as_it_is(experiment: Experiment, dataset: d.Dataset) -> Form:
    del dataset
    return Form(None, experiment.problem, experiment.steps or experiment.epochs or 1)


def _random_labels(experiment: Experiment, dataset: d.RandomHeavyTailedLabels) -> Form:
    problem, paper = experiment.problem, experiment.epochs or 0
    if dataset.size == 7 and isinstance(dataset.inputs, d.Gaussian):
        inputs = f"linear, N({dataset.inputs.mean:g}, {dataset.inputs.scale:g}²)"
        inputs += ", bias" * dataset.bias_column + (f", d = {dataset.dim}" if dataset.dim else "")
        papers = dataset.inputs.scale == 1 and not dataset.bias_column and not dataset.dim
        rates = _RATES_BY_MEAN.get(dataset.inputs.mean, {}) if papers else {}
        return Form(inputs, problem, steps=200, rates=rates)
    longer = dataset.size == 7
    dataset = dataclasses.replace(dataset, size=6 if longer else 7 + experiment.per_class)
    sizes = {"num_inputs": dataset.num_inputs, "num_classes": dataset.num_classes}
    smaller = _resized(problem, dataset, problem.model.clone(**sizes))
    if paper < _LONG:
        return Form(_named(f"linear, m = {dataset.size}", problem), smaller, steps=200)
    steps = 3000 if experiment.per_class else 1000
    rates = _SLOW if experiment.per_class else {}
    return Form(f"linear, m = {dataset.size}, long", smaller, steps, eval_every=10, rates=rates)


# ---------------------------------------------------------------------------- images

_CHANNELS = (8, 24)
_CNN_STEPS = {300: 100, 500: 100, 600: 150, _LONG: 500}


def _digits(experiment: Experiment, dataset: d.MNIST) -> Form:
    del dataset
    model = experiment.problem.model.clone(channels=_CHANNELS)
    problem = _resized(experiment.problem, d.Digits(), model)
    return Form("digits", problem, _CNN_STEPS[experiment.epochs or 0], eval_every=5)


def _barcoded(experiment: Experiment, dataset: d.BarcodedMNIST) -> Form:
    """10 classes of 125 digits, 320 of 2."""
    problem = experiment.problem
    dataset = dataclasses.replace(dataset, source=d.Digits(), bits=5, per_class=2)
    model = problem.model.clone(num_classes=dataset.num_classes, channels=_CHANNELS)
    name = "barcoded digits" if dataset.joined else "barcoded digits only"
    steps = _CNN_STEPS[experiment.epochs or 0]
    return Form(_named(name, problem), _resized(problem, dataset, model), steps, eval_every=5)


def _imagenet(dataset: d.PatternImages, name: str) -> Make:
    def make(experiment: Experiment, paper: d.Dataset) -> Form:
        del paper
        problem = experiment.problem
        if isinstance(problem.model, ResNet):
            model = problem.model.clone(num_classes=dataset.num_classes, depths=(1, 1), width=8)
            kind = f"ResNet, {problem.model.norm} norm"
        else:
            model = SimpleViT(dataset.num_classes, 4, 2, 2, width=32, width_mlp=64, head_width=16)
            kind = "ViT"
        smaller = _resized(problem, dataset, model, batching=MiniBatch(128))
        return Form(_named(f"{kind}, {name} patterns", problem), smaller, 100, eval_every=10)

    return make


# ---------------------------------------------------------------------------- text

# Few words read many times, so that rare ones can be learned by heart at all: most classes of an
# excerpt have one to five examples. In one pass over much text every optimizer learns frequencies.
_SIZES: dict[str, Any] = {"num_heads": 2, "width": 64}
_SHARE, _TINY_SHARE = 0.01, 0.004


def _ptb(experiment: Experiment, paper: d.PTB) -> Form:
    del paper
    problem = experiment.problem
    dataset = d.ShakespeareExcerpt(d.Words(4000), d.Streams(16, 32), share=_SHARE, evaluated=128)
    batching = MiniBatch(16, shuffle=False)
    smaller = _resized(problem, dataset, _language_model(problem, dataset), batching=batching)
    return Form(_named("text", problem), smaller, steps=150, eval_every=15)


def _tiny_ptb(experiment: Experiment, paper: d.TinyPTB) -> Form:
    del paper
    dataset = d.ShakespeareExcerpt(d.Words(2000), share=_TINY_SHARE)
    model = _language_model(experiment.problem, dataset)
    smaller = _resized(experiment.problem, dataset, model)
    name = "text, last layer" if model.frozen else "text, full batch"
    return Form(name, smaller, steps=60, eval_every=5)


def _wikitext(experiment: Experiment, paper: d.WikiText103) -> Form:
    del paper
    problem = experiment.problem
    dataset = d.ShakespeareExcerpt(d.BPE(4000), d.Sequences(64), share=_SHARE, evaluated=128)
    batching = MiniBatch(8, shuffle=False)
    smaller = _resized(problem, dataset, _language_model(problem, dataset), batching=batching)
    steps = 150 if experiment.steps == 5000 else 250
    return Form("GPT", smaller, steps, eval_every=20)


def _language_model(problem: Problem, dataset: d.ShakespeareExcerpt) -> Transformer | GPT:
    model: Any = problem.model
    sizes = {"vocabulary": dataset.vocabulary, "num_classes": dataset.num_classes, **_SIZES}
    if isinstance(model, GPT):
        return model.clone(**sizes, depth=2, init_values=TransformerInit.of_gpt(2))
    return model.clone(**sizes, width_mlp=model.width_mlp and _SIZES["width"])


def _bigram(experiment: Experiment, dataset: d.Shakespeare) -> Form:
    # The rates of 2,000 words are right for 1,000, too.
    words = 1000
    model = experiment.problem.model.clone(num_inputs=words, num_classes=words)
    dataset = dataclasses.replace(dataset, tokens=d.Words(words))
    smaller = _resized(experiment.problem, dataset, model)
    return Form(None, smaller, steps=200, eval_every=experiment.eval_every)


def _fashion(experiment: Experiment, dataset: d.FashionMNIST) -> Form:
    dataset = dataclasses.replace(dataset, subset="tiny")
    return Form(None, dataclasses.replace(experiment.problem, dataset=dataset), steps=100)


_UNIFORM, _HEAVY = d.PatternImages(power=0.0, least=10), d.PatternImages()
_FORMS: dict[type, Make] = {
    d.HeavyTailedOneHot: _linreg,
    d.PowerLawOneHot: _as_it_is,
    d.RandomHeavyTailedLabels: _random_labels,
    d.Digits: _as_it_is,
    d.FashionMNIST: _fashion,
    d.MNIST: _digits,
    d.BarcodedMNIST: _barcoded,
    d.SmallImageNet: _imagenet(_UNIFORM, "uniform"),
    d.HeavyTailedImageNet: _imagenet(_HEAVY, "heavy-tailed"),
    d.ImageNet: _imagenet(dataclasses.replace(_UNIFORM, least=30), "many"),
    d.Shakespeare: _bigram,
    d.PTB: _ptb,
    d.TinyPTB: _tiny_ptb,
    d.WikiText103: _wikitext,
}
