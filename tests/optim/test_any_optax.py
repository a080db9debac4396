"""Any factory as an optimizer: its identity, and that it is what the factory returns."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from optexp_jax import identity
from optexp_jax.grid import method_name
from optexp_jax.optim import (
    SGD,
    Adafactor,
    Adam,
    AdamW,
    Cosine,
    LearningRate,
    Lion,
    Muon,
    Optax,
    OptaxSchedule,
    Optimizer,
    ScheduleFreeAdamW,
    Signum,
    appearance_of,
    inject_rate,
    kind_of,
    with_rate,
)
from optexp_jax.plotting import style

PARAMS = {"w": jnp.arange(6.0).reshape(2, 3) - 2, "b": jnp.array([0.5, 1.0])}
GRADIENT = {"w": jnp.arange(6.0).reshape(2, 3) / 3 - 1, "b": jnp.array([-1.0, 0.1])}
RATE = LearningRate(-1)
FACTORIES = {
    "optax:lion": {"weight_decay": 0.1},
    "optax:adafactor": {"momentum": 0.9, "min_dim_size_to_factor": 2},
    "optax:lamb": {},
    "optax:radam": {},
    "optax:novograd": {},
    "optax:rmsprop": {"decay": 0.5, "centered": True},
    "optax.contrib:muon": {"ns_steps": 3},
    "optax.contrib:ademamix": {},
    "optax.contrib:prodigy": {},
}


def updates_of(tx, steps=3, turn=0):
    state, params, found = tx.init(PARAMS), PARAMS, []
    update = jax.jit(tx.update)
    for n in range(steps):
        gradient = jax.tree.map(lambda g, n=n: (1.0 + n) * jnp.roll(g, turn * n), GRADIENT)
        updates, state = update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        found.append(updates)
    return found


@pytest.mark.parametrize("path", FACTORIES)
def test_updates_are_those_of_the_factory(path):
    module, _, name = path.partition(":")
    factory = getattr(optax if module == "optax" else optax.contrib, name)
    spec = Optax("name", factory, "10^-2", **FACTORIES[path])
    assert spec.factory == path
    wanted = updates_of(factory(learning_rate=0.01, **FACTORIES[path]))
    close = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7)
    for one, other in zip(updates_of(spec.build()), wanted, strict=True):
        jax.tree.map(close, one, other)


B = {"b1": 0.5, "b2": 0.75}
# Every constant differs from its default.
VALUES = [
    (Adam(RATE, 0.5, 0.75, 0.1), optax.adam(0.1, **B, eps=0.1)),
    (AdamW(RATE, 0.5, 0.75, 0.1, 0.2), optax.adamw(0.1, **B, eps=0.1, weight_decay=0.2)),
    (Lion(RATE, 0.5, 0.75), optax.lion(0.1, **B, weight_decay=0.0)),
    (Signum(RATE, 0.5), optax.signum(0.1, beta=0.5)),
    (Adafactor(RATE, 0.5, 2, 5.0, False), optax.adafactor(0.1, 2, 0.5, 0, False, 5.0)),
    (
        ScheduleFreeAdamW(RATE, 0.5, 0.75, 0.1, 0.2),
        optax.contrib.schedule_free_adamw(0.1, None, **B, eps=0.1, weight_decay=0.2),
    ),
    (
        Muon(RATE, 0.5, ("mine",), (("w", "mine"),), 2, 0.5, 0.75),
        optax.contrib.muon(0.1, beta=0.5, ns_steps=2, adam_b1=0.5, adam_b2=0.75),
    ),
]


@pytest.mark.parametrize(("spec", "factory"), VALUES, ids=lambda v: type(v).__name__)
def test_constants_of_a_value_are_those_of_the_factory(spec, factory):
    both = (updates_of(tx, turn=1) for tx in (spec.build(), factory))
    for found, wanted in zip(*both, strict=True):
        for leaf, update in found.items():
            np.testing.assert_allclose(update, wanted[leaf], rtol=1e-5, atol=1e-7)


def test_identity_is_name_path_rate_and_hyperparameters():
    lion = Optax("lion", optax.lion, learning_rate="10^-3", weight_decay=0.1, b1=np.float64(0.95))
    assert identity.encode(lion) == {
        "type": "Optax",
        "name": "lion",
        "factory": "optax:lion",
        "learning_rate": {"type": "LearningRate", "value": "10^-3"},
        "hyperparameters": [["b1", 0.95], ["weight_decay", 0.1]],
    }
    again = identity.decode(identity.encode(lion))
    assert again == lion == Optax("lion", "optax:lion", "10^-3", b1=0.95, weight_decay=0.1)
    assert eval(repr(lion)) == lion
    assert isinstance(lion, Optimizer)
    assert Optax("lion", optax.lion, 0.001, b1=0.95, weight_decay=0.1) == lion
    moved = with_rate(lion, LearningRate(0))
    assert moved.hyperparameters == lion.hyperparameters
    assert with_rate(moved, lion.learning_rate) == lion != moved


def test_other_hyperparameters_are_another_method():
    one, other = (Optax("lion", optax.lion, "10^-3", b1=b) for b in (0.8, 0.9))
    assert one != other
    labels = [look.label for look in style.looks([one, other]).values()]
    assert labels == ["lion (b1 = 0.8)", "lion (b1 = 0.9)"]


def test_a_weight_decay_of_zero_is_kept_where_the_factory_has_another():
    spec = Optax("adamw", optax.adamw, "10^-1", weight_decay=0.0)
    assert with_rate(spec, LearningRate(-1)).hyperparameters == (("weight_decay", 0.0),)
    zero = optax.tree.zeros_like(PARAMS)
    updates, _ = spec.build().update(zero, spec.build().init(PARAMS), PARAMS)
    assert not any(np.any(leaf) for leaf in updates.values())


def test_a_factory_without_decay_gets_ours():
    spec = Optax("sgd", optax.sgd, "10^-1", weight_decay=0.5, schedule=Cosine(length=5), clip=1.0)
    zero = optax.tree.zeros_like(PARAMS)
    updates, _ = spec.build().update(zero, spec.build().init(PARAMS), PARAMS)
    np.testing.assert_allclose(updates["b"], -0.05 * PARAMS["b"], rtol=1e-6)
    assert identity.decode(identity.encode(spec)) == spec == dataclasses.replace(spec)


def test_a_decay_of_ours_may_be_large_and_is_in_no_id_where_it_is_zero():
    assert dict(Optax("sgd", optax.sgd, RATE, weight_decay=1000).hyperparameters) == {
        "weight_decay": 1000.0
    }
    plain = Optax("sgd", optax.sgd, RATE)
    assert plain.hyperparameters == ()
    assert Optax("sgd", optax.sgd, RATE, weight_decay=0.0) == plain


def test_a_schedule_of_optax_is_a_factor():
    schedule = OptaxSchedule(optax.cosine_decay_schedule, init_value=1.0, decay_steps=10)
    ours = SGD("10^0", schedule=schedule).build()
    for updates, step in zip(updates_of(ours, 3), range(3), strict=True):
        factor = optax.cosine_decay_schedule(1.0, 10)(step) * (1.0 + step)
        np.testing.assert_allclose(updates["b"], -factor * GRADIENT["b"], rtol=1e-6)
    assert identity.decode(identity.encode(schedule)) == schedule


def test_names_are_kinds_with_their_own_colours():
    methods = [Optax(f"method {n}", optax.lion, "10^-3") for n in range(6)]
    looks = style.looks(methods)
    assert [kind_of(m) for m in methods] == [method_name(m) for m in methods]
    assert [look.label for look in looks.values()] == [f"method {n}" for n in range(6)]
    assert len({look.color for look in looks.values()}) == 6
    assert len({look.marker for look in looks.values()}) == 6
    alone = [style.looks([m])[m].color for m in methods]
    assert alone == [style.looks([m])[m].color for m in reversed(methods)][::-1]
    assert appearance_of(Optax).label == "optax"


def local(learning_rate):
    return optax.sgd(learning_rate)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Optax("a", lambda learning_rate: optax.sgd(learning_rate), "10^-1"), "register"),
        (lambda: Optax("a", optax.lion, "10^-1", b3=1.0), "no hyperparameter b3"),
        (lambda: Optax("a", optax.lion, "10^-1", mask=lambda p: p), "mask is a finite number"),
        (lambda: Optax("a", optax.lion, "10^-1", b1=jnp.ones(2)), "b1 is a finite number"),
        (lambda: Optax("a", optax.lion, "10^-1", b1=float("nan")), "b1 is a finite number"),
        (lambda: Optax("", optax.lion, "10^-1"), "name"),
        (lambda: Optax("a", optax.lion, 1), "LearningRate"),
        (lambda: Optax("a", "optax:lionn", "10^-1"), "cannot be imported"),
        (lambda: Optax("a", "nowhere.at.all:lion", "10^-1"), "cannot be imported"),
        (lambda: Optax("a", optax.set_to_zero, "10^-1"), "no learning_rate"),
        (lambda: Optax("a", optax.sgd, "10^-1", weight_decay=-1), "weight_decay"),
        (lambda: Optax("a", optax.sgd, "10^-1", clip=0.0), "clip"),
        (lambda: OptaxSchedule(lambda: 1.0), "register"),
    ],
)
def test_what_cannot_be_part_of_an_id_is_refused_in_one_sentence(make, what):
    with pytest.raises(ValueError, match=what) as caught:
        make()
    assert str(caught.value).endswith(".")
    assert ". " not in str(caught.value)


def test_a_function_of_ones_own_module_is_taken():
    assert Optax("mine", local, "10^-1").factory == f"{__name__}:local"
    assert inject_rate(local, LearningRate(-1)).init(PARAMS).hyperparams["learning_rate"] > 0
