"""The backtracking line search: what it accepts, and that it never breaks down."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from optexp_jax.optim import LineSearchGD, line_search_gd


def quadratic(w, offset=0.0):
    return offset + 0.5 * jnp.sum(jnp.array([1.0, 10.0]) * w**2)


def line_search_steps(tx, function, start, num_steps):
    def body(carry, _):
        w, state = carry
        value, grad = jax.value_and_grad(function)(w)
        updates, state = tx.update(grad, state, w, value=value, grad=grad, value_fn=function)
        params = optax.apply_updates(w, updates)
        row = (value, grad, updates, function(params), state)
        return (params, state), row

    return jax.jit(lambda: jax.lax.scan(body, (start, tx.init(start)), length=num_steps)[1])()


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("slope", [0.1, 0.5])
def test_line_search_decreases_as_armijo_demands(slope):
    tx = LineSearchGD(slope=slope).build()
    value, grad, updates, after, _ = line_search_steps(tx, quadratic, jnp.ones(2), 20)
    assert (after < value).all()
    assert (after <= value + slope * jnp.sum(updates * grad, axis=1) + 1e-15 * value).all()


@pytest.mark.usefixtures("x64")
def test_line_search_grows_then_shrinks_the_last_accepted_step():
    tx = LineSearchGD(slope=0.5, shrink=0.9, grow=1.5).build()
    _, grad, updates, *_ = line_search_steps(tx, quadratic, jnp.ones(2), 10)
    steps = -(updates / grad)[:, 0]
    trials = np.log(1.5 * np.append(1.0, steps[:-1]) / steps) / np.log(1 / 0.9)
    np.testing.assert_allclose(trials, np.round(trials), atol=1e-9)
    assert (trials > -1e-9).all()


@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_line_search_keeps_a_finite_step_in_float32_near_the_optimum(offset):
    function = functools.partial(quadratic, offset=offset)
    tx = line_search_gd()
    value, *_, state = line_search_steps(tx, function, jnp.ones(2, jnp.float32), 200)
    steps = optax.tree.get(state, "learning_rate")
    assert np.isfinite(steps).all()
    assert steps.min() > 1e-3
    np.testing.assert_allclose(value[-1], offset, atol=1e-6)


@pytest.mark.parametrize(("norm", "moves"), [(9.9e-9, False), (1.01e-8, True)])
def test_line_search_freezes_step_and_state_below_1e_minus_8(norm, moves):
    tx, w = line_search_gd(), jnp.array([norm, 0.0])
    state = tx.init(w)
    updates, new = tx.update(w, state, w, value=quadratic(w), grad=w, value_fn=quadratic)
    assert updates.any() == moves
    same = jax.tree.map(lambda x, y: bool((x == y).all()), state, new)
    assert all(jax.tree.leaves(same)) != moves


def test_after_200_refusals_the_last_trial_is_taken():
    tx, w = line_search_gd(), jnp.ones(1)
    never_lower = {"value": jnp.zeros(()), "grad": w, "value_fn": lambda _: jnp.ones(())}
    updates, _ = tx.update(w, tx.init(w), w, **never_lower)
    np.testing.assert_allclose(updates, [-1.5 * 0.9**200], rtol=1e-4)


def test_a_search_whose_trials_are_all_infinite_goes_on_at_the_next_update():
    """optax stores a step of 0 then, and the parameters would never move again."""
    tx = line_search_gd(max_trials=10)
    start = {"w": jnp.full(1, 4.0)}

    def wall(params):  # its gradient promises more than there is before the wall
        w = params["w"][0]
        return jnp.where(jnp.abs(w) < 5, jnp.exp(w**2), jnp.inf)

    _, _, updates, after, state = line_search_steps(tx, wall, start, 40)
    stored = optax.tree.get(state, "learning_rate")
    assert updates["w"][0] == 0
    np.testing.assert_allclose(stored[:5], [(1.5 * 0.9**10) ** k for k in range(1, 6)], rtol=1e-5)
    assert after[-1] < 1e-3 * after[0]


def test_line_search_keeps_the_dtype_of_each_leaf():
    w = {"a": jnp.ones(2), "b": jnp.ones(2, jnp.bfloat16)}

    def function(w):
        return quadratic(w["a"]) + quadratic(w["b"].astype(jnp.float32))

    *_, updates, _, _ = line_search_steps(line_search_gd(), function, w, 3)
    assert jax.tree.map(lambda u: u.dtype, updates) == jax.tree.map(lambda x: x.dtype, w)


W = jnp.array([2.0, 1.0])
KEYWORDS = {"value": quadratic(W), "grad": jax.grad(quadratic)(W), "value_fn": quadratic}


@pytest.mark.parametrize("spec", [LineSearchGD().build(), line_search_gd()])
@pytest.mark.parametrize("given", [[], ["value"], ["value", "grad"], ["value_fn"], ["grad"]])
def test_an_update_names_the_keywords_that_it_misses(spec, given):
    missing = ", ".join(f"{name}=" for name in KEYWORDS if name not in given)
    for absent in ({}, dict.fromkeys(KEYWORDS)):
        keywords = absent | {name: KEYWORDS[name] for name in given}
        with pytest.raises(TypeError, match=rf"line_search_gd .*\b{missing}\W"):
            spec.update(KEYWORDS["grad"], spec.init(W), W, **keywords)


def test_an_update_needs_the_parameters():
    tx = line_search_gd()
    with pytest.raises(TypeError, match=r"line_search_gd .*\bparams\b"):
        tx.update(KEYWORDS["grad"], tx.init(W), **KEYWORDS)
