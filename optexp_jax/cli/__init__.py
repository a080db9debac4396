"""What a person types: `main(experiments)` is the command line of a module of experiments."""

from optexp_jax.cli.module_main import main

__all__ = ["main"]
