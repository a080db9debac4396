"""Memory and peak FLOP/s of GPUs from data sheets, to forecast the time of a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from optexp_jax.errors import OptexpError

# Shares of the peak that a whole step reaches. An H200 measured 0.38 to 0.6 in float32, for four
# families, 0.2 in tf32, for a GPT, and 0.17 in bfloat16, for GPT-2 small (docs/gpu.md).
_SHARES = {"float32": 0.4, "float64": 0.4, "tf32": 0.2, "bfloat16": 0.17}


def share_of_peak(precision: str) -> float:
    """Return the share of the peak that a forecast counts on.

    >>> share_of_peak("bfloat16")
    0.17
    """
    return _SHARES[precision]


@dataclasses.dataclass(frozen=True)
class Gpu:
    """A GPU, with the numbers of its data sheet.

    Args:
        name: such as `H100`.
        memory: memory in bytes.
        peaks: precision -> FLOP/s of matrix products, without sparsity.
    """

    name: str
    memory: float
    peaks: Mapping[str, float]

    def peak(self, precision: str) -> float:
        """Return the peak FLOP/s at a precision; float64 counts as half of float32."""
        return self.peaks.get(precision, self.peaks["float32"] / 2)


def _gpu(name: str, gigabytes: float, float32: float, tf32: float, bfloat16: float) -> Gpu:
    teras = {"float32": float32, "tf32": tf32, "bfloat16": bfloat16}
    return Gpu(name, gigabytes * 1e9, {kind: 1e12 * value for kind, value in teras.items()})


# Data sheets of NVIDIA; of several variants the fastest (SXM).
_GPUS = (
    _gpu("V100", 32, 15.7, 15.7, 15.7),
    _gpu("A100", 80, 19.5, 156, 312),
    _gpu("L4", 24, 30.3, 60, 121),
    _gpu("L40S", 48, 91.6, 183, 362),
    _gpu("RTX4090", 24, 82.6, 82.6, 165),
    _gpu("H100", 80, 67, 495, 989),
    _gpu("H200", 141, 67, 495, 989),
)


def known_gpus() -> tuple[str, ...]:
    """Return the names of the known GPUs."""
    return tuple(gpu.name for gpu in _GPUS)


def gpu_named(name: str) -> Gpu:
    """Return the GPU of a name, in upper or lower case.

    Raises:
        OptexpError: the GPU is not known.

    >>> gpu_named("h100").peak("bfloat16") / 1e12
    989.0
    """
    for gpu in _GPUS:
        if gpu.name.lower() == name.lower().replace(" ", ""):
            return gpu
    raise OptexpError(
        f"The GPU '{name}' is not known: choose one of {', '.join(known_gpus())}.",
        code="unknown-gpu",
        name=name,
    )


def gpu_of_device(kind: str) -> Gpu | None:
    """Return the GPU of a device kind of JAX; None if it is not known.

    >>> gpu_of_device("NVIDIA H100 80GB HBM3").name, gpu_of_device("cpu")
    ('H100', None)
    """
    words = kind.upper().replace("-", " ").replace("RTX ", "RTX").split()
    return next((gpu for gpu in _GPUS if gpu.name.upper() in words), None)
