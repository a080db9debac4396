"""Choose whether the runs of a pack train one after the other or side by side."""

from __future__ import annotations

import dataclasses

from optexp_jax import backend
from optexp_jax.datasets.data import Data
from optexp_jax.training.flops import has_convolutions
from optexp_jax.training.memory import started
from optexp_jax.training.pack import Pack, by_seed
from optexp_jax.training.program import precision_of


def in_mode(pack: Pack, data: Data, mode: str) -> list[Pack]:
    """Set the mode of a pack; with `vmap`, split it into packs of one seed each.

    Args:
        pack: runs that share a program, in mode `map`.
        data: their data, or only its shapes.
        mode: `map`, `vmap` or `auto`. `auto` is `vmap` on a GPU, where 64 linear models side by
            side take as long as 12 one after the other. Models with convolutions use `map`, since
            convolutions with several kernels at once are slow.

    Returns:
        the packs, which together hold the runs of `pack`.
    """
    if mode == "auto":
        several = any(len(part.experiments) > 1 for part in by_seed(pack))
        mode = "vmap" if backend.form() == "gpu" and several and _may(pack, data) else "map"
    if mode == "map":
        return [pack]
    return [dataclasses.replace(part, mode=mode) for part in by_seed(pack)]


def _may(pack: Pack, data: Data) -> bool:
    stepper, state, block = started(pack, data)
    with precision_of(pack):
        return not has_convolutions(stepper, state, block)
