"""What data sheets say of GPUs, to say in advance about how long a step takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from optexp_jax.errors import OptexpError

# Share of the peak that large products reach in a whole step; an assumption, not measured here.
UTILISATION = 0.4


@dataclasses.dataclass(frozen=True)
class Gpu:
    """A GPU as its data sheet has it.

    Args:
        name: such as `H100`.
        memory: bytes.
        peaks: precision -> FLOP/s of matrix products, without sparsity.
    """

    name: str
    memory: float
    peaks: Mapping[str, float]

    def peak(self, precision: str) -> float:
        """FLOP/s at a precision; float64 is taken to be half of float32."""
        return self.peaks.get(precision, self.peaks["float32"] / 2)


def _gpu(name: str, gigabytes: float, float32: float, tf32: float, bfloat16: float) -> Gpu:
    teras = {"float32": float32, "tf32": tf32, "bfloat16": bfloat16}
    return Gpu(name, gigabytes * 1e9, {kind: 1e12 * value for kind, value in teras.items()})


# Data sheets of NVIDIA; the forms with most power (SXM) where there are several.
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
    """Names of the GPUs in the table."""
    return tuple(gpu.name for gpu in _GPUS)


def gpu_named(name: str) -> Gpu:
    """The GPU of a name, in any case.

    Raises:
        OptexpError: it is not in the table.

    >>> gpu_named("h100").peak("bfloat16") / 1e12
    989.0
    """
    for gpu in _GPUS:
        if gpu.name.lower() == name.lower().replace(" ", ""):
            return gpu
    raise OptexpError(
        f"There are no numbers of a GPU '{name}': choose one of {', '.join(known_gpus())}.",
        code="unknown-gpu",
        name=name,
    )


def gpu_of_device(kind: str) -> Gpu | None:
    """The GPU of a device kind of JAX, such as `NVIDIA H100 80GB HBM3`; None if it is not known.

    >>> gpu_of_device("NVIDIA H100 80GB HBM3").name, gpu_of_device("cpu")
    ('H100', None)
    """
    words = kind.upper().replace("-", " ").replace("RTX ", "RTX").split()
    return next((gpu for gpu in _GPUS if gpu.name.upper() in words), None)
