"""Initialisers follow PyTorch's definitions: moments, bounds, independence."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from optexp_jax.models import (
    GPT,
    KaimingNormal,
    Normal,
    TorchAttention,
    TorchUniform,
    Transformer,
    TransformerInit,
    Zeros,
)
from optexp_jax.models.functional import functional

KEY = jax.random.key(0)
RANDOM = (Normal(1), TorchUniform(), TorchAttention(), KaimingNormal())


@pytest.mark.parametrize("fan_in", [1, 16, 10_000])
def test_torch_uniform_fills_its_bounds(fan_in):
    drawn = np.asarray(TorchUniform().build(fan_in)(KEY, (200, 200), jnp.float32), np.float64)
    bound = fan_in**-0.5
    assert np.abs(drawn).max() <= bound
    assert drawn.max() > 0.99 * bound
    assert drawn.min() < -0.99 * bound
    spread = bound * (3 * drawn.size) ** -0.5
    assert abs(drawn.mean()) < 5 * spread
    assert abs(drawn.std() * 3**0.5 / bound - 1) < 0.02


@pytest.mark.parametrize(("std", "mean"), [(0.02, 0.0), (0.02, 1.0), (2.0, -3.0), (0.0, 1.0)])
def test_normal_has_its_moments_whatever_the_fan_in(std, mean):
    build = Normal(std, mean).build
    drawn = np.asarray(build(7)(KEY, (200, 200), jnp.float32), np.float64)
    assert abs(drawn.mean() - mean) <= 5 * std / drawn.size**0.5
    assert abs(drawn.std() - std) <= 0.02 * std + 1e-12
    np.testing.assert_array_equal(drawn, build(7000)(KEY, (200, 200), jnp.float32))


def test_zeros_are_zero():
    assert not Zeros().build(3)(KEY, (4, 5), jnp.float32).any()


@pytest.mark.parametrize("values", [Zeros(), *RANDOM])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_initialisers_are_functions_of_the_key(values, dtype):
    initialize = values.build(4)
    first, again = initialize(KEY, (3, 2), dtype), initialize(KEY, (3, 2), dtype)
    other = initialize(jax.random.key(1), (3, 2), dtype)
    assert (first.shape, first.dtype) == ((3, 2), jnp.dtype(dtype))
    assert jnp.array_equal(first, again)
    assert jnp.array_equal(first, other) == (values == Zeros())


@pytest.mark.slow
@pytest.mark.parametrize("values", [Normal(0.1, 0.3), KaimingNormal(), TorchUniform()])
def test_an_entry_does_not_depend_on_what_is_drawn_beside_it(values):
    """Kernels of few outputs were rounded otherwise in JAX 0.12 where they have many inputs."""

    def draw(key, inputs):
        return values.build(4)(key, (inputs, 5), jnp.float32)

    alone = jax.jit(draw, static_argnums=1)
    many = np.asarray(alone(KEY, 100))
    assert np.array_equal(alone(KEY, 3), many[:3])
    seeds = jax.random.split(KEY, 9)
    together = jax.jit(jax.vmap(functools.partial(draw, inputs=3)))(seeds)
    assert np.array_equal(together, jnp.stack([alone(seed, 3) for seed in seeds]))
    np.testing.assert_allclose(draw(KEY, 100), many, rtol=1e-6, atol=1e-6)


def test_initialisers_are_values():
    assert Normal(1) == Normal(1.0, mean=0)
    assert Normal(1) != Normal(1, 1)
    assert repr(Normal(1, 1)) == "Normal(std=1.0, mean=1.0)"
    assert len({Zeros(), Zeros(), TorchUniform(), TorchUniform(), Normal(1), Normal(1.0)}) == 3


@pytest.mark.parametrize("width", [12, 1200])
def test_attention_has_xaviers_bound_of_the_stacked_projections(width):
    drawn = np.asarray(TorchAttention().build(width)(KEY, (200, 200), jnp.float32))
    bound = (6 / (width + 3 * width)) ** 0.5
    assert 0.99 * bound < np.abs(drawn).max() <= bound


def test_kaiming_normal_has_variance_two_over_the_fan():
    drawn = np.asarray(KaimingNormal().build(50)(KEY, (400, 400), jnp.float32))
    assert drawn.std() == pytest.approx((2 / 50) ** 0.5, rel=0.01)


# ------------------------------------------------------------------------ of a transformer


@functools.cache
def weights_of(model):
    tokens = jnp.zeros((1, 4), jnp.int32)
    params = functional(model).init(KEY, tokens)[0]
    return {k: np.asarray(v) for k, v in traverse_util.flatten_dict(params, sep="/").items()}


def assert_normal(drawn, std, mean=0.0):
    assert drawn.mean() == pytest.approx(mean, abs=6 * std / drawn.size**0.5 + 1e-12)
    assert drawn.std() == pytest.approx(std, rel=0.2 if drawn.size < 1000 else 0.03)


def assert_fills(drawn, bound):
    assert 0.98 * bound < np.abs(drawn).max() <= bound


@pytest.mark.slow
def test_the_encoder_starts_as_in_the_paper():
    weights = weights_of(Transformer(300, 300, 2, 2, 96, 80))
    for name in ("embedding", "head/kernel", "block_0/mlp_in/kernel", "block_1/mlp_out/kernel"):
        assert_normal(weights[name], 0.02)
    assert_normal(weights["block_1/mlp_norm/scale"], 0.02, mean=1.0)
    for name in ("query", "key", "value"):
        assert_fills(weights[f"block_0/attention/{name}/kernel"], (6 / (4 * 96)) ** 0.5)
    assert_fills(weights["block_1/attention/out/kernel"], 96**-0.5)
    assert not any(array.any() for name, array in weights.items() if name.endswith("bias"))


def test_gpt_starts_as_in_the_paper():
    model = GPT(300, 300, depth=2, num_heads=2, width=96, init_values=TransformerInit.of_gpt(2))
    weights = weights_of(model)
    std = 0.02 * 2**0.5
    for name in ("embedding", "head/kernel", "block_1/mlp_in/kernel"):
        assert_normal(weights[name], std)
    assert_normal(weights["block_1/mlp_out/kernel"], std / 2)
    for name in ("norm/scale", "block_0/attention_norm/scale", "block_1/mlp_norm/scale"):
        assert (weights[name] == 1).all()
    assert_fills(weights["block_0/attention/query/kernel"], (6 / (4 * 96)) ** 0.5)
    assert not any(array.any() for name, array in weights.items() if name.endswith("bias"))


def test_the_depth_of_the_paper_divides_by_the_root_of_twenty_four():
    init = GPT(9, 9).init_values
    assert init.weights == Normal(0.02 * 2**0.5)
    assert init.mlp_out == Normal(0.02 * 2**0.5 / 24**0.5)


def test_layers_are_drawn_independently():
    weights = weights_of(Transformer(300, 300, 2, 2, 96, 80))
    for name in ("attention/query/kernel", "attention/out/kernel", "mlp_in/kernel"):
        both = [weights[f"block_{k}/{name}"].ravel() for k in (0, 1)]
        assert abs(np.corrcoef(both)[0, 1]) < 0.1
    projections = [weights[f"block_0/attention/{k}/kernel"].ravel() for k in ("query", "key")]
    assert abs(np.corrcoef(projections)[0, 1]) < 0.1


def test_attention_may_start_as_gpt_2_means_it():
    init = dataclasses.replace(TransformerInit.of_gpt(2), attention_out=Normal(0.01))
    weights = weights_of(GPT(9, 9, 2, 2, 96, init_values=init))
    assert_normal(weights["block_1/attention/out/kernel"], 0.01)
