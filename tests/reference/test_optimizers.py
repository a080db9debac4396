"""Whole trajectories of every optimizer against the paper's code."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from reference_files import arrays, assert_close_to_largest

from optexp_jax.losses import CrossEntropy
from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    LearningRate,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
    l2_norm,
)
from optexp_jax.per_class import sum_by_class

DATA = arrays("optimizers_linear_softmax.npz")
NAMES = sorted(key.removesuffix("/hyper") for key in DATA if key.endswith("/hyper"))
SPECS = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "sign": SignDescent,
    "normalized_gd": NormalizedGD,
    "scaled_sign": ScaledSignDescent,
    "adagrad": Adagrad,
    "line_search_gd": LineSearchGD,
}
RENAMED = {"gamma": "slope", "beta": "shrink"}


def spec_of(name):
    cls = SPECS[max((prefix for prefix in SPECS if name.startswith(prefix)), key=len)]
    hyper = json.loads(str(DATA[f"{name}/hyper"]))
    if cls is LineSearchGD:
        del hyper["learning_rate"]
        hyper = {RENAMED.get(key, key): value for key, value in hyper.items()}
    return cls(**hyper)


def logits_of(params):
    return DATA["X"] @ params["W"].T + params["b"]


def objective(params):
    loss, weight = CrossEntropy().build(np.bincount(DATA["y"]))(logits_of(params), DATA["y"])
    return loss / weight


@jax.jit
@jax.vmap
def metrics(params):
    logits = logits_of(params)
    losses = CrossEntropy().per_example(logits, DATA["y"])
    hits = (jnp.argmax(logits, axis=-1) == DATA["y"]).astype(losses.dtype)
    loss_sums, counts = sum_by_class(losses, DATA["y"], len(DATA["b0"]))
    hit_sums, _ = sum_by_class(hits, DATA["y"], len(DATA["b0"]))
    return {
        "loss": loss_sums.sum() / counts.sum(),
        "accuracy": hit_sums.sum() / counts.sum(),
        "loss_per_class": loss_sums / counts,
        "accuracy_per_class": hit_sums / counts,
    }


def trajectory(spec, num_steps):
    tx = spec.build()

    def step(carry, _):
        params, state = carry
        value, grad = jax.value_and_grad(objective)(params)
        updates, state = tx.update(grad, state, params, value=value, grad=grad, value_fn=objective)
        params = optax.apply_updates(params, updates)
        return (params, state), (params, {"live_loss": value, "grad_norm": l2_norm(grad)})

    start = {"W": jnp.asarray(DATA["W0"]), "b": jnp.asarray(DATA["b0"])}
    scan = jax.jit(lambda: jax.lax.scan(step, (start, tx.init(start)), length=num_steps))
    (last, _), (params, rows) = scan()
    params = jax.tree.map(lambda x, xs: jnp.concatenate([x[None], xs]), start, params)
    return jax.device_get({**rows, **metrics(params), "W_final": last["W"], "b_final": last["b"]})


TOLERANCES = {
    "loss": {"rtol": 1e-9, "atol": 1e-12},
    "live_loss": {"rtol": 1e-9, "atol": 1e-12},
    "loss_per_class": {"rtol": 1e-9, "atol": 1e-12},
    "grad_norm": {"rtol": 1e-9, "atol": 1e-12},
    "accuracy": {"rtol": 0, "atol": 1e-6},
    "accuracy_per_class": {"rtol": 0, "atol": 1e-6},
}


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", NAMES)
def test_trajectory_equals_the_reference(name):
    found = trajectory(spec_of(name), len(DATA[f"{name}/grad_norm"]))
    seen = np.bincount(DATA["y"], minlength=len(DATA["b0"])) > 0
    for key, tolerance in TOLERANCES.items():
        columns = (slice(None), seen) if key.endswith("_per_class") else slice(None)
        expected = DATA[f"{name}/{key}"][columns]
        np.testing.assert_allclose(found[key][columns], expected, **tolerance, err_msg=key)
    for key in ("W_final", "b_final"):
        assert_close_to_largest(found[key], DATA[f"{name}/{key}"])


@pytest.mark.parametrize("name", NAMES)
def test_learning_rate_is_the_float_of_the_reference(name):
    rate = LearningRate.parse(json.loads(str(DATA[f"{name}/hyper"]))["learning_rate"])
    np.testing.assert_allclose(float(rate), DATA[f"{name}/learning_rate"], rtol=1e-15)


def test_there_are_cases():
    assert NAMES
