"""Options of XLA for the programs that train."""

from __future__ import annotations

import jax

# Matrix products by cuBLAS alone. With kernels of Triton as candidates, too, a GPT of 4 x 512 took
# 67 s to compile in place of 9, and a step of GPT-2 small 377 ms in place of 336 (H200, 0.11.2).
_ON_GPU: dict[str, str | bool] = {"xla_gpu_enable_triton_gemm": False}
# On a CPU, XLA removes barriers before it fuses and schedules instructions. Rematerialised blocks
# would then all be computed again at once, and save no memory; and the sums of a residual stream
# would be computed again by each of their readers.
_ON_CPU: dict[str, str | bool] = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def compiler_options() -> dict[str, str | bool] | None:
    """Return the compiler options of a program on the default backend; None if it needs none.

    >>> compiler_options()
    {'xla_disable_hlo_passes': 'cse_barrier_expander'}
    """
    return {"cpu": _ON_CPU, "gpu": _ON_GPU}.get(jax.default_backend())
