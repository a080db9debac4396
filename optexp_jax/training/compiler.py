"""Options of XLA for the programs that train."""

from __future__ import annotations

import jax

# Matrix products by cuBLAS alone. With kernels of Triton as candidates, too, a GPT of 4 x 512 took
# 67 s to compile in place of 9, and a step of GPT-2 small 377 ms in place of 336 (H200, 0.11.2).
_ON_GPU: dict[str, str | bool] = {"xla_gpu_enable_triton_gemm": False}
# On a CPU, XLA removes the barriers of rematerialised blocks before it schedules instructions. It
# would then compute all blocks again at once, and save no memory.
_ON_CPU_WITH_REMAT: dict[str, str | bool] = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def compiler_options(remat: bool) -> dict[str, str | bool] | None:
    """Return the compiler options of a program on the default backend; None if it needs none.

    Args:
        remat: whether the program has blocks that the backward pass computes again.

    >>> compiler_options(remat=True)
    {'xla_disable_hlo_passes': 'cse_barrier_expander'}
    """
    platform = jax.default_backend()
    if platform == "gpu":
        return _ON_GPU
    return _ON_CPU_WITH_REMAT if remat and platform == "cpu" else None
