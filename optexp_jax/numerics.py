"""Settings that affect numbers beside the values of an experiment: pinned, or recorded.

The environment and the program that calls may set JAX and NumPy otherwise. The same id then still
means the same data, initial values and order of examples.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# Names of context managers of `jax`; versions that lack one have no such setting.
_PINNED: dict[str, Any] = {
    "default_matmul_precision": "highest",
    "default_prng_impl": "threefry2x32",
    "threefry_partitionable": True,
    "enable_custom_prng": False,
    "legacy_prng_key": "allow",
    "numpy_dtype_promotion": "standard",
    "numpy_rank_promotion": "allow",
    "softmax_custom_jvp": False,
    # These stop a run, at the NaN of a row without a gradient, or compute each step by itself.
    "debug_nans": False,
    "debug_infs": False,
    "debug_key_reuse": False,
    "disable_jit": False,
}
_CHECKS_OF_NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}

# What changes bits and cannot be set for a block only.
_IN_CONFIG = (
    "jax_accurate_erf_inv",
    "jax_disable_most_optimizations",
    "jax_high_dynamic_range_gumbel",
    "jax_optimization_level",
    "jax_use_hlo_logistic_lowering",
)
_IN_ENVIRONMENT = ("LIBTPU_INIT_ARGS", "NVIDIA_TF32_OVERRIDE", "XLA_FLAGS")


@contextlib.contextmanager
def pinned(double: bool = False, products: str = "highest") -> Iterator[None]:
    """Pin the settings of JAX that affect numbers, in spite of the environment.

    Args:
        double: whether floats have 64 bits unless told otherwise.
        products: precision of matrix products, as JAX names it.

    >>> with jax.default_prng_impl("rbg"), pinned():
    ...     str(jax.random.key_impl(jax.random.key(0)))
    'threefry2x32'
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.enable_x64(double))
        for name, value in (_PINNED | {"default_matmul_precision": products}).items():
            if hasattr(jax, name):
                stack.enter_context(getattr(jax, name)(value))
        stack.enter_context(np.errstate(**_CHECKS_OF_NUMPY))  # pyright: ignore[reportArgumentType]
        yield


def key_of(seed: int | jax.Array) -> jax.Array:
    """The random key of a seed from 0 below 2^32: that of `jax.random.key` where nothing is set.

    `JAX_RANDOM_SEED_OFFSET`, `JAX_DEFAULT_PRNG_IMPL` and 64-bit integers change nothing.

    >>> bool(key_of(7) == jax.random.key(7))
    True
    """
    low = jnp.asarray(seed, jnp.uint32)
    return jax.random.wrap_key_data(jnp.stack([jnp.zeros_like(low), low]), impl="threefry2x32")


def settings_in_use() -> dict[str, str]:
    """Settings that change bits and are not pinned, as far as they are set: name -> value."""
    found = {name: str(getattr(jax.config, name, None) or "") for name in _IN_CONFIG}
    found |= {name: os.environ.get(name, "") for name in _IN_ENVIRONMENT}
    return {name: value for name, value in found.items() if value and value != "UNKNOWN"}
