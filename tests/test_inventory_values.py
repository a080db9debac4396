"""Every experiment of the paper can be written down as a value: the fields of ids suffice."""

import dataclasses
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flax.linen as nn
import pytest
from paper_values import CNN, ENCODER_INIT, GPT, MLP, ResNet, Transformer, ViT

from optexp_jax import identity
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
from optexp_jax.models import Linear, Normal, Zeros
from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
)
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


encoder = Transformer(9922, 9922, depth=2, num_heads=4, width=1000, width_mlp=1000, dropout=0.2)
one_layer = Transformer(9922, 9922, depth=1, num_heads=1, width=1200, width_mlp=1200, dropout=0.2)
last_layer = Transformer(
    9922, 9922, depth=1, num_heads=1, width=1200, width_mlp=None, layer_norm=False,
    frozen=("embedding", "attention"),
)  # fmt: skip

m11, m7 = linear(RandomHeavyTailedLabels(11)), linear(RandomHeavyTailedLabels(7))
m11_inverse = linear(RandomHeavyTailedLabels(11), INVERSE)
m11_sqrt = linear(RandomHeavyTailedLabels(11), SQRT)
ptb, ptb_sqrt = text(encoder, PTB()), text(encoder, PTB(), SQRT)
wikitext = text(GPT(50_608, 50_608), WikiText103(evaluated=2048))
tiny = Problem(one_layer, TinyPTB(), CE)
frozen = Problem(last_layer, TinyPTB(), CE)
barcoded, barcoded_inverse = cnn(BarcodedMNIST()), cnn(BarcodedMNIST(), INVERSE)

# fmt: off
# One row for each of the 38 modules of the paper's code: its name, group, and one experiment of it.
ROWS: list[tuple[str, str, Problem, Any, dict[str, Any]]] = [
    ("bigger_models.gpt2small_wt103.gpt2small_wt103", "gpt_test",
     wikitext, AdamW("10^-9/2", 0.9, 0.95, split_decay=True),
     {"steps": 5000, "eval_every": 50, "seed": 1}),
    ("bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats",
     "GPT2Small_Wikitext103_Per_Class_Stats_5k_Steps",
     wikitext, Adam("10^-9/2"), {"steps": 5000, "eval_every": 100, "per_class": True}),
    ("bigger_models.gpt2small_wt103.gpt2small_wt103_with_class_stats_long",
     "GPT2Small_Wikitext103_Per_Class_Stats_15k_Steps",
     wikitext, SGD("10^-2", 0.9), {"steps": 15000, "eval_every": 100, "per_class": True}),
    ("imbalance.PTB", "TEnc_standard_training_PTB",
     ptb, SGD("10^-1"), {"epochs": 100, "seed": 2}),
    ("imbalance.PTB_class_weighted", "TEnc_standard_training_class_weighted_PTB",
     ptb_sqrt, Adam("10^-7/2", 0), {"epochs": 100, "seed": 1}),
    ("imbalance.PTB_class_weighted_per_class",
     "TEnc_standard_training_class_weighted_PTB_per_class",
     ptb_sqrt, SGD("10^-1/2", 0.9), {"epochs": 100, "per_class": True}),
    ("imbalance.PTB_with_class_stats", "TEnc_standard_training_PTB_per_class",
     ptb, Adam("10^-7/2"), {"epochs": 100, "per_class": True}),
    ("imbalance.PTB_with_class_stats_alt_opt", "TEnc_standard_training_PTB_per_class",
     ptb, LineSearchGD(), {"epochs": 100, "per_class": True}),
    ("simpler_transformers.basic_one_layer", "TransformerEncoder_TinyPTB_FB_Width_EmbDim_1200",
     tiny, NormalizedGD("10^-1", 0.9), {"epochs": 3200}),
    ("simpler_transformers.basic_one_layer_perclass",
     "TransformerEncoder_TinyPTB_FB_Width_EmbDim_1200_perclass_smaller",
     tiny, SignDescent("10^-7/2"), {"epochs": 500, "per_class": True}),
    ("simpler_transformers.train_only_last_layer", "TransformerEncoder_TinyPTB_FB_Base_TTF",
     frozen, SGD("10^-3/2", 0.9), {"epochs": 3200}),
    ("simpler_transformers.train_only_last_layer_perclass", "MLP_Frozen_split_by_class",
     frozen, Adam("10^-5/2"), {"epochs": 1000, "per_class": True}),
    ("toy_models.balanced_x", "LogReg_BalancedXImbalancedY",
     m11, Adagrad("10^-2"), {"epochs": 1000, "seed": 2}),
    ("toy_models.balanced_x_class_weighted", "LogReg_ClassWeighted_BalancedXImbalancedY",
     m11_inverse, SGD("10^-1/2"), {"epochs": 1000}),
    ("toy_models.balanced_x_class_weighted_perclass",
     "LogReg_ClassWeighted_BalancedXImbalancedY_PerClass",
     m11_inverse, SGD("10^-1/2"), {"epochs": 500, "per_class": True}),
    ("toy_models.balanced_x_class_weighted_sqrt", "LogReg_ClassWeighted_BalancedXImbalancedY_sqrt",
     m11_sqrt, SGD("10^-2", 0.9), {"epochs": 1000}),
    ("toy_models.balanced_x_class_weighted_sqrt_perclass",
     "LogReg_ClassWeighted_BalancedXImbalancedY_sqrt_perclass",
     m11_sqrt, SGD("10^-2", 0.9), {"epochs": 500}),
    ("toy_models.balanced_x_largescale", "LogReg_BalancedXImbalancedY_largescale",
     m11, Adam("10^-19/4", 0), {"epochs": 10000, "seed": 1}),
    ("toy_models.balanced_x_perclass", "LogReg_BalancedXImbalancedY_PerClass",
     m11, Adam("10^-7/2"),
     {"epochs": 1000, "per_class": True, "keep_steps": (0, 1, 5, 10, 50, 100)}),
    ("toy_models.balanced_x_perclass_alt_opt", "LogReg_BalancedXImbalancedY_PerClass",
     m11, ScaledSignDescent("10^-8", 0.9), {"epochs": 1000, "per_class": True}),
    ("toy_models.smaller.balanced_x_smaller_longer", "LogReg_BalancedXImbalancedY_smaller_longer",
     m7, SGD("10^-2"), {"epochs": 10000, "seed": 1}),
    ("toy_models.smaller.balanced_x_smaller_longer_perclass",
     "LogReg_BalancedXImbalancedY_smaller_longer_perclass",
     m7, SGD("10^-2"), {"epochs": 10000, "per_class": True}),
    ("toy_models.smaller.builtin_bias", "LogReg_BalancedXImbalancedY_smaller_longer_withbias",
     gaussian(0, bias_column=True), SGD("10^0"), {"epochs": 1000}),
    ("toy_models.smaller.changing_input.interpolating_dataset",
     "LogReg_BalancedXImbalancedY_interp_inputs_mean=0.1_std=1.0",
     gaussian(0.1), Adam("10^-2", 0), {"epochs": 500, "per_class": True}),
    ("toy_models.smaller.changing_input.nnz_mean",
     "LogReg_BalancedXImbalancedY_changing_inputs_nnz_mean",
     gaussian(1), SGD("10^-2"), {"epochs": 10000, "per_class": True}),
    ("toy_models.smaller.changing_input.zero_mean",
     "LogReg_BalancedXImbalancedY_changing_inputs_zero_mean",
     gaussian(0), SGD("10^2"), {"epochs": 10000, "per_class": True}),
    ("toy_models.smaller.small_d", "LogReg_BalancedXImbalancedY_smaller_longer_smalld",
     gaussian(0, dim=400), SGD("10^0"), {"epochs": 1000, "seed": 2}),
    ("vision.barcoded.mnist_and_barcoded", "SimpleCNN_MNISTBarcoded_FB_normalized_v2",
     barcoded, SGD("10^-2", 0.9), {"epochs": 300}),
    ("vision.barcoded.mnist_and_barcoded_long", "SimpleCNN_MNISTBarcoded_FB_normalized_v2_long",
     barcoded, SGD("10^-2", 0.9), {"epochs": 600}),
    ("vision.barcoded.mnist_and_barcoded_long_perclass",
     "SimpleCNN_MNISTBarcoded_FB_normalized_v2_long_perclass",
     barcoded, SGD("10^-5/2", 0.9), {"epochs": 600, "per_class": True}),
    ("vision.barcoded.mnist_and_barcoded_perclass",
     "SimpleCNN_MNISTBarcoded_FB_normalized_v2_perclass",
     barcoded, SGD("10^-2", 0.9), {"epochs": 300, "per_class": True}),
    # This group is shared with the run without weights: the ids keep the two apart.
    ("vision.barcoded.mnist_and_barcoded_reweighted", "SimpleCNN_MNISTBarcoded_FB_normalized_v2",
     barcoded_inverse, SGD("10^-2", 0.9), {"epochs": 300}),
    ("vision.barcoded.mnist_and_barcoded_reweighted_long",
     "SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted_long",
     barcoded_inverse, SGD("10^-1/2", 0.9), {"epochs": 600}),
    ("vision.barcoded.mnist_and_barcoded_reweighted_long_perclass",
     "SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted_long_perclass",
     barcoded_inverse, SGD("10^-1/2", 0.9), {"epochs": 600, "per_class": True}),
    ("vision.barcoded.mnist_and_barcoded_reweighted_sqrt",
     "SimpleCNN_MNISTBarcoded_FB_normalized_v2_reweighted_sqrt",
     cnn(BarcodedMNIST(), SQRT), SGD("10^-2", 0.9), {"epochs": 500, "seed": 2}),
    ("vision.barcoded.mnist_barcoded_only", "SimpleCNN_MNISTBarcodedOnly_FB_normalized",
     cnn(BarcodedMNIST(joined=False)), SGD("10^1"), {"epochs": 300}),
    ("vision.barcoded.mnist_barcoded_only_long", "SimpleCNN_MNISTBarcodedOnly_FB_normalized_long",
     cnn(BarcodedMNIST(joined=False)), SGD("10^1"), {"epochs": 600}),
    ("vision.mnist_only", "SimpleCNN_MNIST_FB_Base",
     cnn(MNIST()), Adam("10^-3"), {"epochs": 300}),
]
# fmt: on
MODULES = {
    module: Experiment(problem, optimizer, group, **fields)
    for module, group, problem, optimizer, fields in ROWS
}

# What the paper shows or the corrections need and no module of its code runs.
HEAVY = HeavyTailedImageNet()
PROBLEMS = {
    "figure 3, uniform": imagenet(ResNet(1000), SmallImageNet()),
    "figure 3, heavy-tailed": imagenet(ResNet(1000), HEAVY),
    "figure 15": imagenet(ResNet(1000, norm="layer"), HEAVY),
    "figure 16": imagenet(ViT(1000), ImageNet()),
    "figure 17": imagenet(ViT(1000), HEAVY),
    "figure 21, lambda 1e-4": replace(m11, l2=1e-4),
    "figure 21, lambda 1e-3": replace(m11, l2=1e-3),
    "figure 25, text 1/pi": text(encoder, PTB(), INVERSE),
    "figure 25, images 1/pi": Problem(ResNet(1000), HEAVY, INVERSE, MiniBatch(1024)),
    "logit adjustment": linear(RandomHeavyTailedLabels(11), LogitAdjusted()),
    "bfloat16 activations": replace(wikitext, precision="bfloat16"),
    "float64": replace(m7, precision="float64"),
    "GPT-2 as it should be": text(GPT(50_608, 50_608, residual="pre-norm"), wikitext.dataset),
    "whole training set evaluated": text(wikitext.model, WikiText103()),
    "deterministic full batch": Problem(one_layer.clone(dropout=0.0), TinyPTB(), CE),
    "attention as initialised by the paper": text(
        encoder.clone(init_values=replace(ENCODER_INIT, attention=Normal(0.02))), PTB()
    ),
    "merged classes": text(encoder.clone(num_classes=4961), PTB(merge_factor=2)),
    "other tokens": text(
        Transformer(4000, 4000, 2, 4, 1000, 1000, 0.2), PTB(tokens=BPE(4000))
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


def test_every_module_of_the_paper_has_an_experiment():
    assert len(ROWS) == len(MODULES) == 38


def test_ids_are_distinct_for_every_module_variant_and_seed():
    grid = [replace(e, seed=seed) for e in ALL.values() for seed in range(3)]
    assert len({e.id for e in grid}) == len(grid) == 3 * (38 + len(PROBLEMS) + 10)


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
    "seed": 7, "eval_every": 9, "per_class": False, "problem.precision": "bfloat16",
    "optimizer.learning_rate.exponent": Fraction(7), "optimizer.learning_rate.base": 2,
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "toy_models.balanced_x_perclass": EXPERIMENT | {
        "epochs": 999, "steps": 1, "optimizer.beta1": 0.0,
        "optimizer.beta2": 0.99, "optimizer.eps": 1e-7, "problem.loss": SQRT, "problem.l2": 1e-4,
        "problem.batching": MiniBatch(22_528), "problem.model.num_inputs": 24_577,
        "problem.model.num_classes": 2_048, "problem.model.use_bias": False,
        "problem.model.init_values": Zeros(), "problem.dataset.size": 10,
        "problem.dataset.inputs": Gaussian(), "problem.dataset.dim": 24_576,
        "problem.dataset.bias_column": True, "problem.dataset.seed": 0,
    },
    "bigger_models.gpt2small_wt103.gpt2small_wt103": EXPERIMENT | {
        "epochs": 24, "steps": 15_000, "per_class": True,
        "optimizer.beta1": 0.8, "optimizer.beta2": 0.999, "optimizer.eps": 1e-7,
        "optimizer.weight_decay": 0.1, "optimizer.split_decay": False,
        "problem.loss": Weighted(CE), "problem.l2": 1e-4,
        "problem.batching.size": 256, "problem.batching.shuffle": True,
        "problem.model.vocabulary": 50_609, "problem.model.num_classes": 50_609,
        "problem.model.depth": 6, "problem.model.num_heads": 6, "problem.model.width": 384,
        "problem.model.dropout": 0.0, "problem.model.residual": "pre-norm",
        "problem.model.init_values.weights.std": 0.01,
        "problem.model.init_values.weights.depth": 6,
        "problem.model.init_values.attention": Normal(0.02),
        "problem.model.init_values.norm_weight.std": 0.02,
        "problem.model.init_values.norm_weight.mean": 0.0,
        "problem.model.frozen": ("embedding",), "problem.dataset.layout.length": 512,
        "problem.dataset.tokens.size": 50_000, "problem.dataset.evaluated": None,
        "problem.dataset.merge_factor": 2,
    },
    "vision.barcoded.mnist_and_barcoded_reweighted_sqrt": EXPERIMENT | {
        "epochs": 300, "steps": 1, "per_class": True,
        "optimizer.momentum": 0.0, "problem.loss.loss": LogitAdjusted(), "problem.loss.power": 1.0,
        "problem.l2": 1.0, "problem.batching": MiniBatch(1024), "problem.model.num_classes": 10,
        "problem.model.channels": (32, 32), "problem.dataset.zero_barcode": False,
        "problem.dataset.seed": 0, "problem.dataset.joined": False,
        "problem.dataset.normalised": False, "problem.dataset.bits": 9,
        "problem.dataset.per_class": 4, "problem.dataset.source.subset": "tiny",
        "problem.dataset.source.pixels": "unit", "problem.dataset.source.flatten": True,
    },
    "inputs N(0.1, 1.0²)": EXPERIMENT | {
        "epochs": 1, "steps": 1, "optimizer.momentum": 0.9,
        "problem.loss": SQRT, "problem.l2": 1.0, "problem.batching": MiniBatch(896),
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


def test_a_change_to_the_same_value_keeps_the_id():
    experiment = ALL["vision.mnist_only"]
    assert changed(experiment, "problem.model.channels", (32, 100)).id == experiment.id


def test_data_seed_is_that_of_the_run_unless_fixed():
    assert m11.with_data_seed(2).dataset.seed == 2
    assert cnn(BarcodedMNIST(seed=5)).with_data_seed(2).dataset.seed == 5
    assert m11.with_data_seed(2) == linear(RandomHeavyTailedLabels(11, seed=2))
    assert ptb.with_data_seed(2) is ptb  # a data set without a seed


def test_the_documentation_lists_every_module():
    page = Path(identity.__file__).parents[1] / "docs" / "identity.md"
    if not page.exists():  # an installed package has no docs
        pytest.skip("no docs")
    table = page.read_text().split("| Modules |")[1].splitlines()[2:]
    cells = [line.split("|")[1].replace("`", "").split(":") for line in table if "|" in line]
    listed = [
        f"{path.strip()}.{name.strip()}" for path, names in cells for name in names.split(",")
    ]
    assert sorted(listed) == sorted(MODULES)
