"""The small form of every group: which runs are left, what they take, and that they train."""

import dataclasses
import math
import re
from collections import defaultdict

import numpy as np
import optax
import pytest
from errors import refuses

import optexp_jax
from experiments.imbalance import PTB
from experiments.simpler_transformers import basic_one_layer
from experiments.small import form, planned, small
from experiments.small.form import form_of
from experiments.toy_models import balanced_x
from experiments.vision import mnist_only
from experiments.vision.imagenet import resnet18_heavy_tailed, vit
from optexp_jax.cli.package_main import discover
from optexp_jax.grid import method_name, replace_all, replace_in_problem
from optexp_jax.losses import CrossEntropy, LogitAdjusted, Weighted
from optexp_jax.models import CNN, GPT, MLP
from optexp_jax.optim import Adam, Cosine, LearningRate, Optax, inject_rate
from optexp_jax.plotting import final_against_rate, style
from optexp_jax.results.selection import best_rates
from optexp_jax.results.summary import method_names
from optexp_jax.runner.planning import seconds_of
from optexp_jax.training.loop import train_pack
from optexp_jax.training.pack import Pack

MODULES = discover("experiments")
RUNS = {module: planned(members) for module, members in MODULES.items()}
EVERY = [run for runs in RUNS.values() for run in runs]


def by_optimizer(experiments):
    found = defaultdict(list)
    for experiment in experiments:
        found[experiment.group, method_name(experiment.optimizer)].append(experiment)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_optimizer_of_every_group_is_left_with_a_few_runs(module):
    paper = by_optimizer(MODULES[module])
    shrunk = by_optimizer(run.experiment for run in RUNS[module])
    assert set(shrunk) == {(f"{group}_small", kind) for group, kind in paper}
    for (group, kind), members in shrunk.items():
        first = paper[group.removesuffix("_small"), kind][0]
        if form_of(first).name is not None:
            assert 1 <= len(members) <= 3
        assert {e.per_class for e in members} == {first.per_class}
        assert {e.problem.loss for e in members} == {first.problem.loss}
        assert {e.problem.l2 for e in members} == {first.problem.l2}
        assert {e.keep_steps for e in members} == {first.keep_steps}
        assert form_of(first).name is None or first.id not in {e.id for e in members}


def test_a_search_has_three_rates_and_a_choice_three_seeds():
    grid = [e for e in small(MODULES["toy_models.balanced_x"]) if isinstance(e.optimizer, Adam)]
    exponents = {e.optimizer.learning_rate.exponent for e in grid if e.optimizer.beta1}
    assert max(exponents) - min(exponents) == 1
    assert {e.seed for e in grid} == {0}
    chosen = small(MODULES["toy_models.balanced_x_perclass"])
    sgd = [e for e in chosen if e.optimizer == chosen[0].optimizer]
    assert [e.seed for e in sgd] == [0, 1, 2]


def test_all_of_it_takes_at_most_ninety_minutes():
    seconds = seconds_of(EVERY)
    assert seconds is not None
    assert seconds <= 90 * 60


def test_a_family_without_a_small_form_is_named(monkeypatch):
    monkeypatch.setattr(form, "families", dict)
    with refuses("no-small-form", group=re.compile("TEnc_standard"), what=re.compile("PTB")):
        small(PTB.experiments)


def test_two_families_have_no_form_of_one_data_set(monkeypatch):
    from experiments.offline import small_forms

    monkeypatch.setattr(small_forms, "FORMS", form.families())
    with pytest.raises(ValueError, match="small_forms"):
        form.families.__wrapped__()


# What has no small form of its own is refused: nothing else stands in for it.
UNKNOWN = {
    "the model CNN on HeavyTailedImageNet": replace_in_problem(
        resnet18_heavy_tailed.experiments, model=CNN(1000)
    ),
    "the model MLP on MNIST": replace_in_problem(mnist_only.experiments, model=MLP(10, (5,))),
    "the model GPT on TinyPTB": replace_in_problem(
        basic_one_layer.experiments, model=GPT(9922, 9922)
    ),
    "the loss LogitAdjusted": replace_in_problem(balanced_x.experiments, loss=LogitAdjusted()),
    "the loss Weighted": replace_in_problem(
        PTB.experiments, loss=Weighted(CrossEntropy(), power=0.3)
    ),
    "a run of 700 epochs": replace_all(mnist_only.experiments, epochs=700),
    "a run of 7000 steps": replace_all(
        MODULES["bigger_models.gpt2small_wt103.gpt2small_wt103"], steps=7000
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNKNOWN)
def test_nothing_stands_in_for_what_has_no_small_form(what):
    with refuses("no-small-form", what=re.compile(f"^{what}")):
        small(UNKNOWN[what])


def test_a_weighted_loss_is_not_run_at_the_step_sizes_of_another():
    weighted = replace_in_problem(basic_one_layer.experiments, loss=Weighted(CrossEntropy()))
    with refuses("no-piloted-rate", method="SGD", form="text, full batch, 1/π"):
        small(weighted)


def test_one_run_does_not_stand_for_others_of_its_method():
    two = [*balanced_x.experiments, *replace_in_problem(balanced_x.experiments, l2=0.1)]
    with refuses("small-runs-differ", method="SGD", field="problem"):
        small(two)
    adams = [Adam("10^-3", beta2=beta2) for beta2 in (0.9, 0.99)]
    several = [dataclasses.replace(balanced_x.experiments[0], optimizer=adam) for adam in adams]
    with refuses("small-runs-differ", method="Adam + momentum", field="optimizer"):
        small(several)


def test_models_of_imagenet_are_small_ones_of_their_kind():
    models = [type(small(m.experiments)[0].problem.model) for m in (resnet18_heavy_tailed, vit)]
    assert [m.__name__ for m in models] == ["ResNet", "SimpleViT"]


# ---------------------------------------------------------------------------- that they train

FAMILIES = {}
for _members in MODULES.values():
    _problem = form_of(_members[0]).problem
    _parts = (_problem.model, _problem.dataset, _problem.batching)
    FAMILIES.setdefault(", ".join(type(p).__name__ for p in _parts), small(_members[:1])[0])


@pytest.mark.slow
@pytest.mark.usefixtures("quickly_compiled")
@pytest.mark.parametrize("family", FAMILIES)
def test_two_steps_of_every_family(family, tmp_path):
    experiment = dataclasses.replace(FAMILIES[family], steps=2, eval_every=2, keep_steps=())
    problem = experiment.problem.with_data_seed(0)
    chunks = list(train_pack(Pack((experiment,)), problem.dataset.load(tmp_path)))
    record = chunks[-1].records[0]
    loss = f"tr_{problem.loss.name}"
    losses = np.concatenate([r.table[loss] for c in chunks for r in c.records])
    assert record.step == 2
    assert np.isfinite(losses).all()
    assert losses[0] != losses[-1]
    if problem.loss.name == "CrossEntropyLoss":
        # Text and images start near ln c; random inputs a little above.
        assert losses[0] < 2 * math.log(problem.dataset.num_classes)


@optexp_jax.register("test-small-momentum-free-sign")
@dataclasses.dataclass(frozen=True)
class OfAStranger:
    """An optimizer that no pilot knows."""

    learning_rate: LearningRate

    def build(self):
        return inject_rate(optax.sign_sgd, self.learning_rate)


@pytest.mark.slow
def test_a_method_that_no_pilot_knows_runs_at_its_own_rates_is_reported_and_drawn(tmp_path):
    base = basic_one_layer.experiments[0]
    optimizers = [
        *(OfAStranger(LearningRate(e)) for e in (-3, -2)),
        Optax("Lion", optax.lion, "10^-3", weight_decay=0.1, schedule=Cosine(warmup="5%")),
    ]
    runs = small([dataclasses.replace(base, optimizer=o, seed=0) for o in optimizers])
    assert [run.optimizer for run in runs] == optimizers
    short = [dataclasses.replace(run, steps=2, eval_every=1) for run in runs]
    results = optexp_jax.run(short, workspace=tmp_path)
    assert [r.status for r in results] == ["done"] * 3
    assert set(method_names(optimizers).values()) == {"OfAStranger", "Lion"}
    looks = style.looks(list(best_rates(results)))
    assert [look.label for look in looks.values()] == ["OfAStranger", "Lion"]
    assert len({look.color for look in looks.values()}) == 2
    assert final_against_rate(results).axes
