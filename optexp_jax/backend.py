"""Which form of a computation suits the device: `cpu` or `gpu`. Needs jax only.

A GPU waits for the host wherever the length of a loop or the branch of a condition is data, and its
threads wait for each other where they add to one place. A CPU does neither, and does not like to
compute things that are not needed. So some programs have two forms, equal up to rounding.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

import jax

FORMS = ("cpu", "gpu")
# XLA for CPUs makes one function of a loop that touches less than a kilobyte, and fails if there is
# a barrier in it.
LEAST_KEPT_APART = 1024  # numbers

_forced: contextvars.ContextVar[str | None] = contextvars.ContextVar("forced", default=None)


def form() -> str:
    """The form in use: that of the default backend unless `use_form` forces one.

    >>> with use_form("gpu"):
    ...     form()
    'gpu'
    """
    return _forced.get() or ("cpu" if jax.default_backend() == "cpu" else "gpu")


@contextlib.contextmanager
def use_form(name: str) -> Iterator[None]:
    """Force a form in the block, to test it or to lower it for a device that is not here.

    Args:
        name: `cpu` or `gpu`.

    Raises:
        ValueError: another name.
    """
    if name not in FORMS:
        raise ValueError(f"The form of a computation is cpu or gpu, not {name!r}.")
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)


def computed_once(array: jax.Array) -> jax.Array:
    """Return an array that nothing that reads it or its gradient computes again, on a CPU.

    XLA for CPUs merges what an array is made of into each of its readers; GPUs were not seen to do
    so. It works in programs with `training.compiler.compiler_options`. Small arrays stay as they
    are.

    >>> bool((computed_once(jax.numpy.ones(9)) == 1).all())
    True
    """
    is_kept = form() == "cpu" and array.size >= LEAST_KEPT_APART
    return jax.lax.optimization_barrier(array) if is_kept else array
