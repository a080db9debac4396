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
