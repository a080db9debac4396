"""One table of optimizers, and the promises that hold for each of them."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from optexp_jax.optim import (
    SGD,
    SOAP,
    Adafactor,
    Adagrad,
    Adalayer,
    Adam,
    AdamMini,
    AdamW,
    ColumnNormalizedGD,
    LearningRate,
    LinearWarmup,
    LineSearchGD,
    Lion,
    Muon,
    NormalizedGD,
    Optax,
    Partitioned,
    ScaledSignDescent,
    ScheduleFreeAdamW,
    SignDescent,
    Signum,
    adagrad,
    block_normalized_gd,
    column_normalized_gd,
    l1_norm,
    l2_norm,
    normalize_by_block_norm,
    normalize_by_norm,
    normalized_gd,
    scale_by_adagrad,
    scale_sign_by_l1_norm,
    scaled_sign_descent,
    sign_descent,
)

RATE = LearningRate("-3/2")


@dataclasses.dataclass(frozen=True)
class Case:
    """An optimizer and what is special about it."""

    spec: object
    has_rate: bool = True
    decayed: tuple[str, ...] = ()
    scale_free: bool = False
    rounding: float = 0.0  # of updates, as a share of the largest parameter


CASES = {
    "sgd": Case(SGD(RATE)),
    "sgd_momentum": Case(SGD(RATE, 0.9)),
    "adam": Case(Adam(RATE)),
    "adam_nomomentum": Case(Adam(RATE, beta1=0.0)),
    "adamw": Case(AdamW(RATE), decayed=("kernel", "bias")),
    "adamw_split_decay": Case(AdamW(RATE, split_decay=True), decayed=("kernel",)),
    "sign": Case(SignDescent(RATE), scale_free=True),
    "sign_momentum": Case(SignDescent(RATE, 0.9), scale_free=True),
    "normalized": Case(NormalizedGD(RATE), scale_free=True),
    "normalized_momentum": Case(NormalizedGD(RATE, 0.9), scale_free=True),
    "scaled_sign": Case(ScaledSignDescent(RATE)),
    "scaled_sign_momentum": Case(ScaledSignDescent(RATE, 0.9)),
    "adagrad": Case(Adagrad(RATE)),
    "line_search": Case(LineSearchGD(), has_rate=False),
    "modified": Case(
        SGD(RATE, clip=1.0, schedule=LinearWarmup(1), weight_decay=0.01), decayed=("kernel", "bias")
    ),
    "optax": Case(Optax("RMSprop", optax.rmsprop, RATE)),
    "lion": Case(Lion(RATE), scale_free=True),
    "lion_decay": Case(Lion(RATE, weight_decay=0.01), decayed=("kernel", "bias")),
    "signum": Case(Signum(RATE), scale_free=True),
    "adafactor": Case(Adafactor(RATE, min_dim_size_to_factor=2)),
    "schedule_free": Case(ScheduleFreeAdamW(RATE), rounding=1e-6),
    "muon": Case(Muon(RATE, takes=("other",)), rounding=1e-6),
    "soap": Case(SOAP(RATE), rounding=1e-6),
    "soap_refreshed": Case(
        SOAP(RATE, precondition_frequency=1, weight_decay=0.01),
        decayed=("kernel", "bias"),
        rounding=1e-6,
    ),
    "adam_mini": Case(AdamMini(RATE)),
    "adalayer": Case(Adalayer(RATE)),
    "column_normalized": Case(ColumnNormalizedGD(RATE), scale_free=True),
    "partitioned": Case(
        Partitioned({"*": SGD("10^0", 0.9), "bias": Adam("10^0")}, RATE, (("bias", "bias"),))
    ),
}
RATED = [name for name, case in CASES.items() if case.has_rate]
SCALE_FREE = [name for name, case in CASES.items() if case.scale_free]

every_case = pytest.mark.parametrize("name", CASES)
every_rated_case = pytest.mark.parametrize("name", RATED)


def tree(seed, dtype="float32"):
    kernel, bias = np.split(np.random.default_rng(seed).normal(size=20), [16])
    return {"kernel": jnp.asarray(kernel.reshape(4, 4), dtype), "bias": jnp.asarray(bias, dtype)}


PARAMS, GRADIENT, SECOND_GRADIENT = tree(0), tree(1), tree(2)
ZERO = optax.tree.zeros_like(PARAMS)


def step(tx, gradient, state, params):
    """One update; the line search sees the linear function of that gradient."""

    def value_fn(w):
        terms = jax.tree.map(lambda g, x: jnp.vdot(g, x).astype(jnp.float32), gradient, w)
        return optax.tree.sum(terms)

    value = value_fn(params)
    updates, state = tx.update(
        gradient, state, params, value=value, grad=gradient, value_fn=value_fn
    )
    return updates, state, optax.apply_updates(params, updates)


@functools.cache
def built(name):
    tx = CASES[name].spec.build()
    return tx, jax.jit(functools.partial(step, tx))


def two_steps(tx, state, stepping=None):
    stepping = stepping or functools.partial(step, tx)
    first, state, params = stepping(GRADIENT, state, PARAMS)
    second, _, _ = stepping(SECOND_GRADIENT, state, params)
    return first, second


def assert_close(found, expected, rtol=1e-6, atol=0.0):
    def leaf(x, y):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * np.abs(y).max() + atol)

    jax.tree.map(leaf, found, expected)


def types_of(*trees):
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), jnp.asarray(leaf).dtype), trees)


def with_rate(state, rate):
    return optax.tree.set(state, learning_rate=jnp.asarray(rate, jnp.result_type(float)))


@every_case
def test_zero_gradient_moves_nothing_but_the_decay(name):
    tx, jitted = built(name)
    state = tx.init(PARAMS)
    for _ in range(2):
        updates, state, _ = jitted(ZERO, state, PARAMS)
        for leaf, update in updates.items():
            decay = 0.01 * float(RATE) if leaf in CASES[name].decayed else 0.0
            wanted, rounding = -decay * PARAMS[leaf], CASES[name].rounding
            np.testing.assert_allclose(update, wanted, rtol=1e-6, atol=rounding)


@every_case
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_dtypes_and_shapes_stay(name, dtype):
    tx, jitted = built(name)
    params, gradient = tree(0, dtype), tree(1, dtype)
    state = tx.init(params)
    updates, new_state, new_params = jitted(gradient, state, params)
    compilations = jitted._cache_size()
    again = jitted(gradient, new_state, new_params)
    assert types_of(updates, new_state, new_params) == types_of(params, state, params)
    assert types_of(*again) == types_of(params, state, params)
    jitted(gradient, jax.tree.map(jnp.asarray, jax.device_get(state)), params)  # as from a file
    assert jitted._cache_size() == compilations


@every_case
@pytest.mark.usefixtures("x64")
def test_float32_stays_where_64_bits_are_enabled(name):
    params, gradient = tree(0), tree(1)
    tx = CASES[name].spec.build()
    state = tx.init(params)
    found = jax.eval_shape(functools.partial(step, tx), gradient, state, params)
    shapes = jax.eval_shape(lambda: (params, state, params))
    assert jax.tree.map(lambda x: x.dtype, found) == jax.tree.map(lambda x: x.dtype, shapes)


@every_case
def test_jit_equals_eager(name):
    tx, jitted = built(name)
    eager = two_steps(tx, tx.init(PARAMS))
    assert_close(two_steps(tx, tx.init(PARAMS), jitted), eager, atol=CASES[name].rounding)


@every_rated_case
def test_another_learning_rate_needs_no_second_compilation(name):
    tx, jitted = built(name)
    other = dataclasses.replace(CASES[name].spec, learning_rate="10^-1").build()
    updates, *_ = jitted(GRADIENT, tx.init(PARAMS), PARAMS)
    compilations = jitted._cache_size()
    updates_of_other, *_ = jitted(GRADIENT, other.init(PARAMS), PARAMS)
    assert jitted._cache_size() == compilations
    scaled = optax.tree.scale(10**0.5, updates)
    assert_close(updates_of_other, scaled, atol=2 * CASES[name].rounding)


@every_rated_case
def test_vmap_over_learning_rates_equals_single_runs(name):
    tx, jitted = built(name)
    rates = jnp.array([1e-3, 0.1, 1.0])
    state = tx.init(PARAMS)
    together = jax.jit(jax.vmap(lambda rate: two_steps(tx, with_rate(state, rate))))(rates)
    for i, rate in enumerate(rates):
        alone = two_steps(tx, with_rate(state, rate), jitted)
        found = jax.tree.map(lambda x, i=i: x[i], together)
        assert_close(found, alone, atol=CASES[name].rounding)


@every_case
def test_four_devices_give_the_update_of_one(name):
    tx, jitted = built(name)
    mesh = jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    sharding = NamedSharding(mesh, PartitionSpec("data"))
    params, gradient = jax.device_put((PARAMS, GRADIENT), sharding)
    updates, *_ = jitted(gradient, tx.init(params), params)
    assert len(updates["kernel"].sharding.device_set) == 4
    alone = jitted(GRADIENT, tx.init(PARAMS), PARAMS)[0]
    assert_close(updates, alone, atol=CASES[name].rounding)


@pytest.mark.parametrize("name", SCALE_FREE)
@pytest.mark.parametrize("scale", [1e-25, 1e-6, 1e6, 1e25])
def test_gradient_scale_does_not_matter(name, scale):
    tx, jitted = built(name)
    updates, *_ = jitted(GRADIENT, tx.init(PARAMS), PARAMS)
    scaled, *_ = jitted(optax.tree.scale(scale, GRADIENT), tx.init(PARAMS), PARAMS)
    assert_close(scaled, updates)


@pytest.mark.parametrize("scale", [1e-25, 1e-6, 1e6, 1e25])
def test_block_normalized_ignores_the_scale_of_each_leaf(scale):
    tx = block_normalized_gd(0.1, 0.9)
    updates, _ = tx.update(GRADIENT, tx.init(PARAMS))
    rescaled = {**GRADIENT, "bias": scale * GRADIENT["bias"]}
    assert_close(tx.update(rescaled, tx.init(PARAMS))[0], updates)
    for update in updates.values():
        np.testing.assert_allclose(jnp.linalg.norm(update), 0.1, rtol=1e-6)


@pytest.mark.parametrize(
    "transform",
    [
        normalize_by_norm,
        normalize_by_block_norm,
        scale_sign_by_l1_norm,
        functools.partial(scale_by_adagrad, eps=0.0),
    ],
)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_directions_of_zero_are_zero_in_every_dtype(transform, dtype):
    zero = optax.tree.zeros_like(tree(0, dtype))
    direction, _ = transform().update(zero, transform().init(zero))
    assert types_of(direction) == types_of(zero)
    assert not any(np.asarray(leaf, np.float32).any() for leaf in direction.values())


def test_norms_of_bfloat16_accumulate_in_float32():
    leaf = jnp.full(10_000, 0.01, jnp.bfloat16)
    entry = float(leaf[0])
    np.testing.assert_allclose(l1_norm({"a": leaf, "b": leaf}), 20_000 * entry, rtol=1e-5)
    np.testing.assert_allclose(l2_norm({"a": leaf, "b": leaf}), 20_000**0.5 * entry, rtol=1e-5)
    assert l1_norm(leaf).dtype == l2_norm(leaf).dtype == jnp.float32


def test_adam_equals_optax_bit_for_bit():
    def run(tx, state):
        def body(carry, gradient):
            params, state = carry
            updates, state = tx.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), updates

        return jax.jit(lambda: jax.lax.scan(body, (PARAMS, state), gradients)[1])()

    gradients = jax.tree.map(lambda *leaves: 1e-7 * jnp.stack(leaves), *map(tree, range(20)))
    ours, optaxs = Adam(RATE).build(), optax.adam(float(RATE))
    jax.tree.map(
        np.testing.assert_array_equal,
        run(ours, ours.init(PARAMS)),
        run(optaxs, optaxs.init(PARAMS)),
    )


DIRECTIONS = {
    SignDescent: {"kernel": jnp.sign(GRADIENT["kernel"]), "bias": jnp.sign(GRADIENT["bias"])},
    NormalizedGD: optax.tree.scale(1 / l2_norm(GRADIENT), GRADIENT),
    ScaledSignDescent: optax.tree.scale(l1_norm(GRADIENT), jax.tree.map(jnp.sign, GRADIENT)),
    SGD: GRADIENT,
}


@pytest.mark.parametrize("cls", DIRECTIONS)
def test_momentum_accumulates_the_directions(cls):
    tx = cls("10^-1", 0.9).build()

    def body(state, scale):
        updates, state = tx.update(optax.tree.scale(scale, GRADIENT), state)
        return state, updates

    same = jnp.ones(10)
    updates = jax.lax.scan(body, tx.init(PARAMS), same)[1]
    geometric = (1 - 0.9 ** np.arange(1, 11)) / (1 - 0.9)
    expected = jax.tree.map(lambda d: -0.1 * geometric[:, None] * d.ravel(), DIRECTIONS[cls])
    assert_close(jax.tree.map(lambda u: u.reshape(10, -1), updates), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "alias", [sign_descent, normalized_gd, block_normalized_gd, column_normalized_gd]
)
def test_momentum_comes_after_the_normalisation(alias):
    tx = alias(1.0, 0.5)
    _, state = tx.update(optax.tree.scale(1e6, GRADIENT), tx.init(PARAMS))
    updates, _ = tx.update(optax.tree.scale(-1.0, GRADIENT), state)
    opposite, _ = alias(1.0).update(GRADIENT, alias(1.0).init(PARAMS))
    assert_close(updates, optax.tree.scale(-0.5, opposite))


def test_split_decay_spares_bias_scale_and_embedding():
    params = {
        "embed": {"embedding": jnp.ones(2)},
        "block_0": {
            "norm": {"scale": jnp.ones(2), "bias": jnp.ones(2)},
            "attention": {"query": {"kernel": jnp.ones(2), "bias": jnp.ones(2)}},
        },
        "embedding_head": {"kernel": jnp.ones(2)},
    }
    spec = AdamW("10^0", weight_decay=0.5, split_decay=True)
    updates, _ = spec.build().update(
        optax.tree.zeros_like(params), spec.build().init(params), params
    )
    moved = [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, leaf in jax.tree_util.tree_leaves_with_path(updates)
        if leaf.any()
    ]
    assert moved == ["block_0/attention/query/kernel", "embedding_head/kernel"]


ALIASES = [
    *(sign_descent, normalized_gd, block_normalized_gd, column_normalized_gd),
    *(scaled_sign_descent, adagrad),
]


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases_take_a_schedule(alias):
    scheduled, fixed = alias(lambda count: 0.1 * (count + 1)), alias(0.1)
    state, fixed_state = scheduled.init(PARAMS), fixed.init(PARAMS)
    for count in range(2):
        updates, state = scheduled.update(GRADIENT, state)
        expected, fixed_state = fixed.update(GRADIENT, fixed_state)
        assert_close(updates, optax.tree.scale(count + 1.0, expected))
