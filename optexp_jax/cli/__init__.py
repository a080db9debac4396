"""Command lines: `main(experiments)` is that of a module of experiments."""

from typing import TYPE_CHECKING

from optexp_jax.extras import require

require("run")

if TYPE_CHECKING:
    from optexp_jax.cli.module_main import main

__all__ = ["main"]


def __getattr__(name: str) -> object:
    """Import `main` once it is asked for: commands that need no JAX start without it."""
    if name != "main":
        raise AttributeError(f"module 'optexp_jax.cli' has no attribute '{name}'")
    from optexp_jax.cli import module_main

    return module_main.main
