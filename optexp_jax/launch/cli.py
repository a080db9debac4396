"""The old name of `optexp_jax.cli`."""

from optexp_jax.cli import main

__all__ = ["main"]
