"""The old name of `optexp_jax.runner.api`."""

from optexp_jax.runner.api import run

__all__ = ["run"]
