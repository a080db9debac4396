"""Errors of the library that say what templates cannot: words chosen by the way, printed values."""

import dataclasses

import jax.numpy as jnp
from said_of_files import OF_FILES, raised
from small_problems import one_hot_problem

from experiments.small.form import no_form
from optexp_jax import datasets, field_checks, identity, losses, models, optim
from optexp_jax.analysis.features import head_of, output_layer
from optexp_jax.cli import selection
from optexp_jax.config import Settings
from optexp_jax.datasets import catalogue
from optexp_jax.experiment import Experiment
from optexp_jax.grid import at_best
from optexp_jax.plotting.available import require_some
from optexp_jax.problem import MiniBatch, Problem
from optexp_jax.runner.options import RunOptions
from optexp_jax.schedulers.lines import one_line
from optexp_jax.schedulers.profiles import resources_of
from optexp_jax.schedulers.resources import Resources
from optexp_jax.training.pack import Pack
from plots.runs import Chosen, Runs

SGD = optim.SGD(optim.LearningRate(-1))
LINEAR, ONE_HOT = models.Linear(7, 7), datasets.HeavyTailedOneHot(4, 2)
PROBLEM = Problem(LINEAR, ONE_HOT, losses.SquaredLoss())
EXPERIMENT = Experiment(one_hot_problem(), SGD, group="demo", steps=3)


class Unknown:
    """Nobody registered it."""

    def __repr__(self):
        return "Unknown()"


def problem(**changes) -> Problem:
    return dataclasses.replace(PROBLEM, **changes)


# What errors say in full: by code, how to make it in a workspace, which `W` stands for.
FULL = [
    *OF_FILES,
    (
        "unknown-pack-mode",
        lambda w: Pack((EXPERIMENT,), "both"),
        "There is no pack mode 'both': choose map or vmap.",
    ),
    (
        "nothing-to-shard",
        lambda w: RunOptions(shard="fsdp"),
        "--shard fsdp divides the states of a run among its devices: add --devices-per-run D, or "
        "leave out --shard fsdp.",
    ),
    (
        "micro-batch-below-one",
        lambda w: Pack((EXPERIMENT,), micro_batch=0),
        "A micro-batch needs at least one example, not 0.",
    ),
    (
        "devices-below-one",
        lambda w: Pack((EXPERIMENT,), devices=0),
        "A run needs at least one device, not 0.",
    ),
    (
        "not-one-pack",
        lambda w: Pack(()),
        "A pack holds at least one experiment, and its experiments may differ only in the "
        "learning rate and, if they run one after the other, in the seed.",
    ),
    (
        "not-an-integer",
        lambda w: MiniBatch(0),
        "The size of a mini-batch must be an integer from 1, not 0.",
    ),
    (
        "not-an-integer",
        lambda w: field_checks.check_integer("width of A", 1.0, 2),
        "width of A must be an integer from 2, not 1.0.",
    ),
    (
        "not-an-integer",
        lambda w: dataclasses.replace(EXPERIMENT, steps=0),
        "steps must be an integer from 1, not 0.",
    ),
    (
        "not-an-integer",
        lambda w: dataclasses.replace(EXPERIMENT, seed=-1),
        "The seed must be an integer from 0 to 2^32 - 1, not -1.",
    ),
    (
        "not-a-number",
        lambda w: field_checks.check_number("mean of A", "1", -float("inf")),
        "mean of A must be a number, not '1'.",
    ),
    (
        "not-a-number",
        lambda w: field_checks.check_number("power of A", -1),
        "power of A must be a number from 0, not -1.",
    ),
    (
        "not-a-number",
        lambda w: problem(l2=-1.0),
        "l2 must be finite and at least 0, not -1.0.",
    ),
    (
        "not-a-number",
        lambda w: problem(l2="1"),
        "l2 must be a number, not '1'.",
    ),
    (
        "not-a-flag",
        lambda w: field_checks.check_flag("augment of A", 1),
        "augment of A must be True or False, not 1.",
    ),
    (
        "wrong-kind",
        lambda w: field_checks.check_kind("tokens of PTB", 5, str, "Words(100)"),
        "tokens of PTB must be a value such as Words(100), not 5.",
    ),
    (
        "wrong-kind",
        lambda w: problem(batching=32),
        "batching must be FullBatch() or MiniBatch(size), not 32.",
    ),
    (
        "not-a-choice",
        lambda w: problem(precision="float16"),
        "There is no precision 'float16': choose float32, tf32, bfloat16, float64.",
    ),
    (
        "not-a-choice",
        lambda w: models.MLP(4, 2, activation="sine"),
        "activation of MLP must be one of relu, gelu, tanh, identity, not 'sine'.",
    ),
    (
        "not-a-choice",
        lambda w: Settings.from_env({"OPTEXP_WANDB_MODE": "on"}),
        "OPTEXP_WANDB_MODE is 'on': set it to offline or online.",
    ),
    (
        "not-a-switch",
        lambda w: Settings.from_env({"OPTEXP_WANDB_ENABLED": "maybe"}),
        "OPTEXP_WANDB_ENABLED is 'maybe': set it to true or false.",
    ),
    (
        "control-character",
        lambda w: Settings.from_env({"OPTEXP_WANDB_PROJECT": "a\nb"}),
        "OPTEXP_WANDB_PROJECT has the character U+000A, which paths and scripts cannot "
        "have here: leave it out.",
    ),
    (
        "control-character",
        lambda w: one_line("command", "a\nb"),
        "The command has the character U+000A, which would break the batch script: leave "
        "it out, or rename what has it.",
    ),
    (
        "unknown-home-folder",
        lambda w: Settings.from_env({"OPTEXP_WORKSPACE": "~nosuchuser/x"}),
        "OPTEXP_WORKSPACE: The home folder in ~nosuchuser/x is unknown: write the full"
        " path instead of ~.",
    ),
    (
        "model-and-data-disagree",
        lambda w: problem(model=models.Linear(7, 6)),
        "Linear has num_classes=6, but HeavyTailedOneHot has 7: set num_classes=7.",
    ),
    (
        "length-not-given-once",
        lambda w: dataclasses.replace(EXPERIMENT, epochs=2),
        "An experiment needs its length in either epochs or steps: give exactly one of them.",
    ),
    (
        "not-a-group-name",
        lambda w: dataclasses.replace(EXPERIMENT, group="a/b"),
        "The group 'a/b' cannot be the name of a folder: use only letters, digits and the signs _ "
        ". = + -.",
    ),
    (
        "keep-steps-malformed",
        lambda w: dataclasses.replace(EXPERIMENT, keep_steps=(-1,)),
        "keep_steps must be a tuple of integers from 0, not (-1,).",
    ),
    (
        "not-a-definition",
        lambda w: Experiment.from_json("{"),
        "This is not the definition of an experiment (damaged or cut short): delete it "
        "and run the experiment again with --force.",
    ),
    (
        "other-schema",
        lambda w: Experiment.from_json('{"schema": 99}'),
        "The experiment has schema 99, but this version reads schema 1: use the version of "
        "optexp-jax that wrote it.",
    ),
    (
        "class-without-name",
        lambda w: identity.register(""),
        'A class needs a name: write @optexp_jax.register("my-model").',
    ),
    (
        "not-frozen",
        lambda w: identity.register("unknown")(Unknown),
        "Unknown is not a frozen dataclass: put @optexp_jax.register above "
        "@dataclasses.dataclass(frozen=True).",
    ),
    (
        "not-encodable",
        lambda w: identity.encode(Unknown(), "model"),
        "model is Unknown(), a Unknown, which cannot be part of an experiment: use numbers, "
        "strings, tuples, or a frozen dataclass with @optexp_jax.register.",
    ),
    (
        "not-finite",
        lambda w: identity.encode(float("nan"), "rate"),
        "rate is nan: an experiment may contain finite numbers only.",
    ),
    (
        "unknown-class",
        lambda w: identity.decode({"type": "no-such"}),
        "There is no class with the name 'no-such': import the module that registers it.",
    ),
    (
        "other-fields",
        lambda w: identity.decode({"type": "SGD", "speed": 1}),
        "The stored 'SGD' has other fields than this version (learning_rate, momentum, speed): "
        "use the version of optexp-jax that wrote it.",
    ),
    (
        "loss-not-weighable",
        lambda w: losses.Weighted(losses.Weighted(losses.CrossEntropy())),
        "Weighted needs a loss that averages over examples with one class each, such as "
        "CrossEntropy(), not Weighted(loss=CrossEntropy(), power=1.0).",
    ),
    (
        "class-counts-malformed",
        lambda w: losses.Weighted(losses.CrossEntropy()).build([0, 0]),
        "Class counts must be finite, at least 0 and not all 0: count the examples of each class.",
    ),
    (
        "not-a-multiple",
        lambda w: models.SimpleViT(10, width=6),
        "width of SimpleViT must be a multiple of 4, not 6.",
    ),
    (
        "not-a-power-of-base",
        lambda w: datasets.HeavyTailedOneHot(12, 10),
        "start_examples=12 is not a power of base=10: use 1, base, base², ..., such as "
        "start_examples=1000 with base=10.",
    ),
    (
        "size-outside",
        lambda w: datasets.RandomHeavyTailedLabels(17),
        "The size of the problem must be from 1 to 16, not 17.",
    ),
    (
        "unknown-data-set",
        lambda w: catalogue.named("PTBB"),
        "There is no data set 'PTBB': did you mean PTB or TinyPTB? `python -m optexp_jax.datasets "
        "list` shows all names.",
    ),
    (
        "unknown-data-set",
        lambda w: catalogue.named("zzzzzzzz"),
        "There is no data set 'zzzzzzzz': `python -m optexp_jax.datasets list` shows all names.",
    ),
    (
        "output-layer-not-found",
        lambda w: head_of({}, 3),
        "No layer has 3 columns, one for each class: give the path of the output layer.",
    ),
    (
        "output-layer-not-found",
        lambda w: head_of({n: {"kernel": jnp.ones((2, 3))} for n in "ab"}, 3),
        "Several layers have (a, b) 3 columns, one for each class: give the path of the output "
        "layer.",
    ),
    (
        "no-such-layer",
        lambda w: output_layer({}, "head"),
        "The parameters have no layer 'head': give the path of the last layer.",
    ),
    (
        "not-searched",
        lambda w: at_best([EXPERIMENT], {"Adam": 0}),
        "There is no learning rate search for 'Adam': choose from SGD.",
    ),
    (
        "no-such-number",
        lambda w: selection.numbered([EXPERIMENT], 1),
        "There is no experiment 1: choose a number from 0 to 0.",
    ),
    (
        "not-a-learning-rate",
        lambda w: selection._rate("fast"),
        "'fast' is not a learning rate: write a power with a whole or fractional "
        "exponent, such as 10^-2 or 10^-3/2, or a decimal, such as 0.0003.",
    ),
    (
        "nothing-recorded",
        lambda w: require_some([]),
        "There are no results for this figure: first run python -m experiments.<module> --local "
        "(python -m experiments --list shows the modules).",
    ),
    (
        "no-small-form",
        lambda w: raised(no_form(EXPERIMENT, "the loss CrossEntropy")),
        "The group 'demo' has no small form, since the loss CrossEntropy has none: use --scale "
        "paper, or declare one in a module small_forms of experiments/.",
    ),
    (
        "unknown-choice",
        lambda w: Runs(w, "large"),
        "There is no scale 'large': choose from paper, medium, small.",
    ),
    (
        "no-medium-form",
        lambda w: Runs(w, "medium").of("linreg"),
        "linreg: there is no medium form: use --scale small or --scale paper.",
    ),
    (
        "nothing-released",
        lambda w: Runs(w, "small", "paper"),
        "The paper released no runs at small scale: leave out --source paper, or --scale small.",
    ),
    (
        "method-not-run",
        lambda w: Chosen({}, None, "run it.").of(optim.SGD, True),
        "SGD with momentum was not run, or diverged: run it.",
    ),
    (
        "unknown-profile",
        lambda w: resources_of("big", {"a": {}, "b": {}}, {}),
        "There is no profile 'big': choose from a, b.",
    ),
    (
        "profile-incomplete",
        lambda w: resources_of("a", {"a": {}}, {}),
        "The profile 'a' has no time: add time = \"...\".",
    ),
    (
        "not-a-time",
        lambda w: Resources(time="soon", memory="1G"),
        "SLURM cannot read the time 'soon': write for example 12:00:00 or 2-00:00:00.",
    ),
    (
        "not-a-memory-size",
        lambda w: Resources(time="1:00:00", memory="much"),
        "The memory 'much' is not a size: write for example 8000M or 16G.",
    ),
    (
        "below-one",
        lambda w: Resources(time="1:00:00", memory="1G", cpus=0),
        "cpus must be at least 1, not 0.",
    ),
    (
        "shared-both-ways",
        lambda w: Resources(time="1:00:00", memory="1G", per_gpu=2, nodes=2),
        "Either several packs share a GPU (per_gpu), or several processes share a pack (nodes, "
        "processes): set one of the two to 1.",
    ),
]
