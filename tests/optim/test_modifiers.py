"""Schedules, clipping and weight decay of every optimizer: what they do and what they leave."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from optexp_jax import identity
from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    LearningRate,
    LinearWarmup,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
    WarmupStableDecay,
    built,
    l2_norm,
)

RATE = LearningRate(-1)
CLASSES = [SGD, Adam, AdamW, Adagrad, SignDescent, NormalizedGD, ScaledSignDescent]
PARAMS = {"w": jnp.array([1.0, -2.0]), "b": jnp.array([0.5])}
GRADIENTS = [
    {"w": jnp.array([3.0, 4.0]), "b": jnp.array([-1.0])},
    {"w": jnp.array([-0.1, 0.2]), "b": jnp.array([0.3])},
    {"w": jnp.array([1.0, 0.0]), "b": jnp.array([2.0])},
]


def updates_of(tx):
    """The updates of three steps."""

    def body(carry, gradient):
        params, state = carry
        updates, state = tx.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), updates

    gradients = jax.tree.map(lambda *leaves: jnp.stack(leaves), *GRADIENTS)
    return jax.jit(lambda: jax.lax.scan(body, (PARAMS, tx.init(PARAMS)), gradients)[1])()


def assert_close(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-7), a, b)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_schedule_is_that_of_optax(cls):
    """The same factors, given to the factory itself, make the same updates."""
    spec = cls(RATE, schedule=LinearWarmup(2))
    alias = {Adam: optax.adam, AdamW: lambda lr: optax.adamw(lr, weight_decay=0.01)}.get(cls)
    if alias is None:
        plain, factors = updates_of(cls(RATE).build()), jnp.array([0.5, 1.0, 1.0])
        expected = jax.tree.map(lambda u: u * factors[:, None], plain)
    else:
        expected = updates_of(alias(lambda count: 0.1 * jnp.minimum((count + 1) / 2, 1)))
    assert_close(updates_of(spec.build()), expected)


def test_a_constant_schedule_changes_no_bit():
    jax.tree.map(
        np.testing.assert_array_equal,
        updates_of(Adam(RATE, schedule=Constant()).build()),
        updates_of(Adam(RATE).build()),
    )


def test_decay_is_that_of_adamw():
    wanted = AdamW(RATE, weight_decay=0.3, schedule=LinearWarmup(2)).build()
    found = Adam(RATE, weight_decay=0.3, schedule=LinearWarmup(2)).build()
    assert_close(updates_of(found), updates_of(wanted))


@pytest.mark.parametrize("cls", [c for c in CLASSES if c is not AdamW])
def test_decay_takes_off_its_share_of_each_parameter(cls):
    tx = cls(RATE, weight_decay=0.5).build()
    zero = optax.tree.zeros_like(PARAMS)
    updates, _ = tx.update(zero, tx.init(PARAMS), PARAMS)
    assert_close(updates, optax.tree.scale(-0.05, PARAMS))
    with pytest.raises(ValueError, match="needs the parameters"):
        tx.update(zero, tx.init(PARAMS))


def test_the_gradient_is_clipped_before_the_optimizer_sees_it():
    found = updates_of(SGD(RATE, clip=1.0).build())
    norms = [float(l2_norm(jax.tree.map(lambda x, i=i: x[i], found))) for i in range(3)]
    smaller = 0.1 * float(l2_norm(GRADIENTS[1]))
    np.testing.assert_allclose(norms, [0.1, smaller, 0.1], rtol=1e-6)
    optaxs = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1))
    assert_close(updates_of(Adam(RATE, clip=1.0).build()), updates_of(optaxs))


@pytest.mark.parametrize("value", [jnp.nan, jnp.inf])
def test_a_gradient_that_is_not_finite_stays_so(value):
    tx = SGD(RATE, clip=1.0).build()
    gradient = GRADIENTS[0] | {"b": jnp.array([value])}
    updates, _ = tx.update(gradient, tx.init(PARAMS), PARAMS)
    assert not np.isfinite(updates["b"]).all()


def test_a_learning_rate_is_data_under_a_schedule_too():
    tx = Adam(RATE, schedule=Cosine(warmup=1, length=3), clip=1.0, weight_decay=0.1).build()
    other = Adam("10^-3", schedule=Cosine(warmup=1, length=3), clip=1.0, weight_decay=0.1).build()
    update = jax.jit(tx.update)
    at = optax.tree.set(tx.init(PARAMS), learning_rate=jnp.asarray(1e-3))
    for gradient in GRADIENTS:
        wanted, _ = other.update(gradient, other.init(PARAMS), PARAMS)
        assert_close(update(gradient, at, PARAMS)[0], wanted)
    assert update._cache_size() == 1


def test_steps_are_counted_in_integers():
    """A float32 stops at 2^24."""
    tx = SGD(RATE, schedule=LinearWarmup(2)).build()
    _, state = tx.update(GRADIENTS[0], tx.init(PARAMS), PARAMS)
    assert (state.steps.dtype, int(state.steps)) == (jnp.int32, 1)


# -- the values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (LinearWarmup("50%"), [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1, 1]),
        (LinearWarmup(0), [1] * 10),
        (Cosine(length=2, floor=0.1), [1, 0.55, *[0.1] * 8]),
        (
            Cosine("20%", "60%"),
            [0.5, 1, 1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2, 0, 0, 0, 0],
        ),
        (Cosine(warmup=20), [n / 20 for n in range(1, 11)][:10]),
        (WarmupStableDecay("20%", "40%"), [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]),
        (WarmupStableDecay(0, 2, floor=0.5), [1] * 9 + [0.75]),
    ],
)
def test_factors_are_those_of_the_definition(schedule, expected):
    found = [float(schedule.factor(jnp.int32(t), 10)) for t in range(10)]
    if schedule == Cosine(warmup=20):  # the cosine ends before the warm-up does
        expected = [min(e, f) for e, f in zip(expected, found, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_a_length_of_the_run_is_asked_for_at_once():
    spec = SGD(RATE, schedule=Cosine())
    with pytest.raises(ValueError, match="share of the run"):
        spec.build()
    assert built(spec, 10).init(PARAMS).steps == 0
    with pytest.raises(ValueError, match="ends with the run"):
        SGD(RATE, schedule=WarmupStableDecay(1, 1)).build()


@pytest.mark.parametrize(
    "make",
    [
        *(lambda v=v: LinearWarmup(v) for v in (0.1, -1, True, None, "10", "101%", "x%", 1.0)),
        lambda: Cosine(floor=1.5),
        lambda: Cosine(length=0.5),
        lambda: WarmupStableDecay(decay=0.5),
        lambda: WarmupStableDecay(floor=-0.1),
        *(lambda v=v: SGD(RATE, clip=v) for v in (0, -1, "1", True, float("nan"))),
        *(lambda v=v: SGD(RATE, weight_decay=v) for v in (-1, None, "1", float("inf"))),
        *(lambda v=v: SGD(RATE, schedule=v) for v in (0.1, "cosine", optax.constant_schedule)),
        lambda: LineSearchGD(schedule=Cosine()),
        lambda: LineSearchGD(clip=1.0),
        lambda: LineSearchGD(weight_decay=0.1),
    ],
)
def test_impossible_values_are_refused_in_one_sentence(make):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value).endswith(".")
    assert ". " not in str(caught.value)


@pytest.mark.parametrize(("field", "value"), [("clip", 0), ("schedule", 0.1), ("weight_decay", -1)])
def test_a_refusal_names_the_class_and_the_field(field, value):
    with pytest.raises(ValueError, match=rf"^SGD\.{field} is "):
        SGD(RATE, **{field: value})


def test_lengths_have_one_text_each():
    assert LinearWarmup("10.0 %") == LinearWarmup(" 10%") == LinearWarmup("010.00%")
    assert LinearWarmup("0.5%").length == "0.5%"
    assert LinearWarmup("100%").length == "100%"


@pytest.mark.parametrize("cls", CLASSES)
def test_what_is_not_used_is_in_no_id_and_no_text(cls):
    encoded = identity.encode(cls(RATE))
    assert not {"schedule", "clip"} & encoded.keys()
    assert ("weight_decay" in encoded) == (cls is AdamW)
    assert "schedule" not in repr(cls(RATE))
    used = cls(RATE, schedule=Cosine(warmup="1%"), clip=1, weight_decay=2)
    assert identity.encode(used).keys() >= {"schedule", "clip", "weight_decay"}
    assert identity.decode(identity.encode(used)) == used == dataclasses.replace(used)
    assert eval(repr(used)) == used
    assert used != cls(RATE)
    assert repr(used).startswith(f"{cls.__name__}(learning_rate=")
