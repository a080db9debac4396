"""Options of the compiler exist, and belong to the device."""

import jax
import jax.numpy as jnp
import pytest

from optexp_jax.training.compiler import compiler_options


@pytest.mark.parametrize(
    ("platform", "remat", "named"),
    [
        ("cpu", False, None),
        ("cpu", True, "xla_disable_hlo_passes"),
        ("gpu", False, "xla_gpu_enable_triton_gemm"),
        ("gpu", True, "xla_gpu_enable_triton_gemm"),
        ("tpu", True, None),
    ],
)
def test_the_options_of_a_device_are_known_to_this_xla(monkeypatch, platform, remat, named):
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    options = compiler_options(remat)
    monkeypatch.undo()
    assert list(options or {}) == ([named] if named else [])
    assert jax.jit(lambda x: x @ x, compiler_options=options)(jnp.ones((2, 2))).sum() == 8
