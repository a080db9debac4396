"""Ids know every field of the experiments of the paper, and of those that others may want."""

import dataclasses
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flax.linen as nn
import pytest

from experiments.bigger_models.gpt2small_wt103 import gpt2small_wt103
from experiments.imbalance import PTB as imbalance
from experiments.simpler_transformers import basic_one_layer
from optexp_jax import identity
from optexp_jax.cli.package_main import discover
from optexp_jax.datasets import (
    BPE,
    MNIST,
    PTB,
    BarcodedMNIST,
    Gaussian,
    HeavyTailedImageNet,
    ImageNet,
    RandomHeavyTailedLabels,
    SmallImageNet,
    TinyPTB,
    WikiText103,
)
from optexp_jax.experiment import Experiment
from optexp_jax.losses import CrossEntropy, LogitAdjusted, Weighted
from optexp_jax.metrics import TopK
from optexp_jax.models import CNN, MLP, Linear, Normal, SimpleViT, Zeros, resnet18
from optexp_jax.optim import SGD, Adam, AdamW, Cosine
from optexp_jax.problem import MiniBatch, Problem

CE = CrossEntropy()
SQRT, INVERSE = Weighted(CE, 0.5), Weighted(CE, 1)


def linear(dataset: RandomHeavyTailedLabels, loss: Any = CE, **fields: Any) -> Problem:
    return Problem(Linear(dataset.num_inputs, dataset.num_classes), dataset, loss, **fields)


def gaussian(mean: float, scale: float = 1.0, **fields: Any) -> Problem:
    return linear(RandomHeavyTailedLabels(7, Gaussian(mean, scale), **fields))


def cnn(dataset: Any, loss: Any = CE) -> Problem:
    return Problem(CNN(dataset.num_classes), dataset, loss)


def imagenet(model: nn.Module, dataset: Any) -> Problem:
    return Problem(model, dataset, CE, MiniBatch(1024))


def text(model: nn.Module, dataset: Any, loss: Any = CE, **fields: Any) -> Problem:
    return Problem(model, dataset, loss, MiniBatch(512, shuffle=False), **fields)


def interpolation(mean: float, std: float) -> Experiment:
    group = f"LogReg_BalancedXImbalancedY_interp_inputs_mean={mean}_std={std}"
    return Experiment(gaussian(mean, std), SGD("10^-2"), group, epochs=500, per_class=True)


m11, m7 = linear(RandomHeavyTailedLabels(11)), linear(RandomHeavyTailedLabels(7))
wikitext = gpt2small_wt103.problem
encoder, one_layer = imbalance.model, basic_one_layer.model


def last(module: str, kind: type) -> Experiment:
    """The last experiment of a module with an optimizer of a kind."""
    return [e for e in PAPER[module] if isinstance(e.optimizer, kind)][-1]


PAPER = discover("experiments")
MODULES = {
    "toy_models.balanced_x_perclass": last("toy_models.balanced_x_perclass", Adam),
    "bigger_models.gpt2small_wt103.gpt2small_wt103": last(
        "bigger_models.gpt2small_wt103.gpt2small_wt103", AdamW
    ),
    "vision.barcoded.mnist_and_barcoded_reweighted_sqrt": last(
        "vision.barcoded.mnist_and_barcoded_reweighted_sqrt", SGD
    ),
    "vision.mnist_only": PAPER["vision.mnist_only"][0],
}

# What the paper shows or the corrections need and no module of its code runs.
HEAVY = HeavyTailedImageNet()
PROBLEMS = {
    "figure 3, uniform": imagenet(resnet18(1000), SmallImageNet()),
    "figure 3, heavy-tailed": imagenet(resnet18(1000), HEAVY),
    "figure 15": imagenet(resnet18(1000, norm="layer"), HEAVY),
    "figure 16": imagenet(SimpleViT(1000), ImageNet()),
    "figure 17": imagenet(SimpleViT(1000), HEAVY),
    "figure 21, lambda 1e-4": replace(m11, l2=1e-4),
    "figure 21, lambda 1e-3": replace(m11, l2=1e-3),
    "figure 25, text 1/pi": text(encoder, PTB(), INVERSE),
    "figure 25, images 1/pi": Problem(resnet18(1000), HEAVY, INVERSE, MiniBatch(1024)),
    "logit adjustment": linear(RandomHeavyTailedLabels(11), LogitAdjusted()),
    "bfloat16 activations": replace(wikitext, precision="bfloat16"),
    "float64": replace(m7, precision="float64"),
    "GPT-2 as it should be": text(wikitext.model.clone(norm="pre"), wikitext.dataset),
    "whole training set evaluated": text(wikitext.model, WikiText103()),
    "deterministic full batch": Problem(one_layer.clone(dropout=0.0), TinyPTB(), CE),
    "attention as initialised by the paper": text(
        encoder.clone(init_values=replace(encoder.init_values, attention=Normal(0.02))), PTB()
    ),
    "merged classes": text(encoder.clone(num_classes=4961, merge_factor=2), PTB(merge_factor=2)),
    "other tokens": text(
        encoder.clone(vocabulary=4000, num_classes=4000), PTB(tokens=BPE(4000))
    ),
    "start at zero": replace(m11, model=m11.model.clone(init_values=Zeros())),
    "data of a fixed seed": linear(RandomHeavyTailedLabels(11, seed=0)),
    "no bias": replace(m11, model=m11.model.clone(use_bias=False)),
    "without the zero barcode": cnn(BarcodedMNIST(zero_barcode=False)),
    "barcodes of a fixed seed": cnn(BarcodedMNIST(seed=0)),
    "the same pixels everywhere": cnn(MNIST(pixels="standardised")),
    "two-layer network": Problem(MLP(2047, (512, 512)), m11.dataset, CE),
}  # fmt: skip
INTERPOLATIONS = {
    f"inputs N({mean}, {std}²)": interpolation(mean, std)
    for mean, std in [
        *((mean, 1.0) for mean in (1.0, 0.75, 0.5, 0.25, 0.1, 0.0)),
        *((0.0, std) for std in (0.75, 0.5, 0.25, 0.1)),
    ]
}
VARIANTS = {
    name: Experiment(problem, SGD("10^-2", 0.9), "variants", steps=1000)
    for name, problem in PROBLEMS.items()
} | INTERPOLATIONS
ALL = MODULES | VARIANTS


def test_ids_are_distinct_for_every_module_variant_and_seed():
    grid = [replace(e, seed=seed) for e in ALL.values() for seed in range(3)]
    assert len({e.id for e in grid}) == len(grid) == 3 * len(ALL)


@pytest.mark.parametrize("name", ALL)
def test_json_round_trip(name):
    experiment = ALL[name]
    again = Experiment.from_json(experiment.to_json())
    assert again == experiment
    # Equality of experiments is that of ids; every field, its type too, is back as well.
    assert repr(again) == repr(experiment)


@pytest.mark.parametrize("name", ALL)
def test_group_and_kept_steps_are_not_part_of_the_id(name):
    experiment = ALL[name]
    assert replace(experiment, group="elsewhere", keep_steps=(7,)).id == experiment.id


def leaves(value: Any, path: str = "") -> set[str]:
    """Paths of the scientific fields, down to plain values."""
    if not dataclasses.is_dataclass(value) or not identity.field_names(type(value)):
        return {path}
    paths = (f"{path}.{name}".lstrip(".") for name in identity.field_names(type(value)))
    return set().union(*(leaves(_get(value, p.removeprefix(f"{path}.")), p) for p in paths))


def _get(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = getattr(value, name)
    return value


def changed(value: Any, path: str, new: Any) -> Any:
    """The value with one field, possibly deep inside, replaced."""
    name, _, rest = path.partition(".")
    if rest:
        new = changed(getattr(value, name), rest, new)
    replaced = object.__new__(type(value))  # past the checks: a model may miss its data set
    replaced.__dict__.update({k: v for k, v in vars(value).items() if k != "id"} | {name: new})
    return replaced


# The experiments that between them hold every kind of field, and another value for each field.
EXPERIMENT = {
    "seed": 7, "eval_every": 9, "per_class": False, "metrics": (TopK(),),
    "problem.precision": "bfloat16",
    "optimizer.learning_rate.exponent": Fraction(7), "optimizer.learning_rate.base": 2,
    "optimizer.learning_rate.coefficient": 3,
    "optimizer.schedule": Cosine(), "optimizer.clip": 1.0, "optimizer.weight_decay": 0.1,
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "toy_models.balanced_x_perclass": EXPERIMENT | {
        "epochs": 999, "steps": 1, "optimizer.beta1": 0.0,
        "optimizer.beta2": 0.99, "optimizer.eps": 1e-7,
        "problem.loss.label_smoothing": 0.1, "problem.l2": 1e-4,
        "problem.batching": MiniBatch(22_528), "problem.model.num_inputs": 24_577,
        "problem.model.num_classes": 2_048, "problem.model.use_bias": False,
        "problem.model.init_values": Zeros(), "problem.dataset.size": 10,
        "problem.dataset.inputs": Gaussian(), "problem.dataset.dim": 24_576,
        "problem.dataset.bias_column": True, "problem.dataset.seed": 0,
    },
    "bigger_models.gpt2small_wt103.gpt2small_wt103": EXPERIMENT | {
        "epochs": 24, "steps": 15_000, "per_class": True,
        "optimizer.beta1": 0.8, "optimizer.beta2": 0.999, "optimizer.eps": 1e-7,
        "optimizer.split_decay": False,
        "problem.loss.label_smoothing": 0.1, "problem.l2": 1e-4,
        "problem.batching.size": 256, "problem.batching.shuffle": True,
        "problem.model.vocabulary": 50_609, "problem.model.num_classes": 50_609,
        "problem.model.depth": 6, "problem.model.num_heads": 6, "problem.model.width": 384,
        "problem.model.dropout": 0.0, "problem.model.norm": "pre",
        "problem.model.width_mlp": 100, "problem.model.merge_factor": 2,
        "problem.model.init_values.weights.std": 0.01,
        "problem.model.init_values.weights.mean": 0.01,
        "problem.model.init_values.mlp_out.std": 0.01,
        "problem.model.init_values.mlp_out.mean": 0.01,
        "problem.model.init_values.attention": Normal(0.02),
        "problem.model.init_values.attention_out": Normal(0.02),
        "problem.model.init_values.norm_weight.std": 0.02,
        "problem.model.init_values.norm_weight.mean": 0.0,
        "problem.model.init_values.biases": Normal(0.02),
        "problem.model.frozen": ("embedding",), "problem.dataset.layout.length": 512,
        "problem.dataset.tokens.size": 50_000, "problem.dataset.evaluated": None,
        "problem.dataset.merge_factor": 2,
    },
    "vision.barcoded.mnist_and_barcoded_reweighted_sqrt": EXPERIMENT | {
        "epochs": 300, "steps": 1, "per_class": True,
        "optimizer.momentum": 0.0, "problem.loss.loss.label_smoothing": 0.1,
        "problem.loss.power": 1.0,
        "problem.l2": 1.0, "problem.batching": MiniBatch(1024), "problem.model.num_classes": 10,
        "problem.model.channels": (32, 32), "problem.dataset.zero_barcode": False,
        "problem.dataset.seed": 0, "problem.dataset.joined": False,
        "problem.dataset.normalised": False, "problem.dataset.bits": 9,
        "problem.dataset.per_class": 4, "problem.dataset.source.subset": "tiny",
        "problem.dataset.source.pixels": "unit", "problem.dataset.source.flatten": True,
    },
    "inputs N(0.1, 1.0²)": EXPERIMENT | {
        "epochs": 1, "steps": 1, "optimizer.momentum": 0.9,
        "problem.loss.label_smoothing": 0.1, "problem.l2": 1.0, "problem.batching": MiniBatch(896),
        "problem.model.num_inputs": 1, "problem.model.num_classes": 1,
        "problem.model.use_bias": False, "problem.model.init_values": Normal(1.0),
        "problem.dataset.size": 8, "problem.dataset.inputs.mean": 0.0,
        "problem.dataset.inputs.scale": 2.0, "problem.dataset.dim": 400,
        "problem.dataset.bias_column": True, "problem.dataset.seed": 0,
    },
}  # fmt: skip
ALWAYS_NONE = {"problem.model.dtype"}


@pytest.mark.parametrize("name", CHANGES)
def test_the_changes_below_cover_every_field(name):
    fields = {f for f in identity.field_names(Experiment) if f not in ("problem", "optimizer")}
    experiment = ALL[name]
    for name_of_value in ("problem", "optimizer"):
        fields |= leaves(getattr(experiment, name_of_value), name_of_value)
    assert fields - ALWAYS_NONE == set(CHANGES[name])


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, changes in CHANGES.items() for path in changes]
)
def test_changing_any_one_field_changes_the_id(name, path):
    new = CHANGES[name][path]
    assert _get(ALL[name], path) != new
    assert changed(ALL[name], path, new).id != ALL[name].id


@pytest.mark.parametrize("loss", [SQRT, Weighted(CE), LogitAdjusted()])
def test_another_loss_changes_the_id(loss):
    experiment = ALL["bigger_models.gpt2small_wt103.gpt2small_wt103"]
    assert changed(experiment, "problem.loss", loss).id != experiment.id


def test_a_change_to_the_same_value_keeps_the_id():
    experiment = ALL["vision.mnist_only"]
    assert changed(experiment, "problem.model.channels", (32, 100)).id == experiment.id


def test_data_seed_is_that_of_the_run_unless_fixed():
    assert m11.with_data_seed(2).dataset.seed == 2
    assert cnn(BarcodedMNIST(seed=5)).with_data_seed(2).dataset.seed == 5
    assert m11.with_data_seed(2) == linear(RandomHeavyTailedLabels(11, seed=2))
    assert wikitext.with_data_seed(2) is wikitext  # a data set without a seed
