"""Options of the compiler exist, and belong to the device."""

import re

import jax
import jax.numpy as jnp
import pytest

from optexp_jax.models import Transformer
from optexp_jax.models.functional import functional
from optexp_jax.training.compiler import compiler_options


@pytest.mark.parametrize(
    ("platform", "named"),
    [
        ("cpu", "xla_disable_hlo_passes"),
        ("gpu", "xla_gpu_enable_triton_gemm"),
        ("tpu", None),
    ],
)
def test_the_options_of_a_device_are_known_to_this_xla(monkeypatch, platform, named):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    options = compiler_options()
    monkeypatch.undo()
    assert list(options or {}) == ([named] if named else [])
    assert jax.jit(lambda x: x @ x, compiler_options=options)(jnp.ones((2, 2))).sum() == 8


def fusions_of_blocks(depth):
    """Operands of the largest fusion in the gradient of a transformer, as it is compiled here."""
    model = functional(Transformer(20, 20, depth, 2, 16, 32, norm="pre"))
    tokens = jnp.zeros((8, 16), jnp.int32)  # small arrays are merged
    params, state = jax.eval_shape(model.init, jax.random.key(0), tokens)

    def loss(params):
        return jnp.sum(model.apply(params, state, tokens, {}, True)[0] ** 2)

    compiled = jax.jit(jax.grad(loss)).lower(params).compile(compiler_options())
    calls = re.findall(r" fusion\((.*?)\), kind=", compiled.as_text())
    return max(call.count("%") for call in calls)


@pytest.mark.slow
def test_no_block_adds_up_the_gradients_of_all_later_ones():
    """XLA for CPUs would, without barriers: the time of a step grew with the depth squared."""
    assert fusions_of_blocks(8) == fusions_of_blocks(4)
