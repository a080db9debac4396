"""Check that optional packages are installed, and say how to install them."""

from __future__ import annotations

import functools
import sys
from importlib.util import find_spec
from pathlib import Path

from optexp_jax.errors import OptexpError

# Modules by the extra that has them, as in pyproject.toml.
MODULES = {
    "run": (
        "flax",
        "orbax",
        "scipy",
        "pandas",
        "pyarrow",
        "matplotlib",
        "tueplots",
        "rich",
        "tokenizers",
        "PIL",
        "pooch",
        "requests",
        "sklearn",
        "uniplot",
    ),
    "wandb": ("wandb",),
    "images": ("tensorflow_datasets",),
}
_COMMANDS = ("-m", "optexp")  # the first while `python -m` looks for its module


class MissingExtraError(OptexpError, ImportError):
    """A call needs packages that are not installed."""


@functools.cache
def require(extra: str, *modules: str) -> None:
    """Require packages of an extra; say in one sentence how to install them.

    In a command, print the sentence and exit.

    Args:
        extra: a key of `MODULES`.
        modules: those of its modules that are needed; none given: all of them.

    Raises:
        MissingExtraError: one of the modules is missing.
        SystemExit: the same, in a command.

    >>> require("run")
    >>> require("run", "flax", "PIL")
    """
    missing = [name for name in modules or MODULES[extra] if find_spec(name) is None]
    if not missing:
        return
    error = MissingExtraError(
        f"This needs {', '.join(missing)}: run `python -m pip install 'optexp-jax[{extra}]'`, "
        f"or `python -m pip install -e '.[{extra}]'` in a checkout.",
        code="extra-missing",
        extra=extra,
        missing=missing,
    )
    if Path(sys.argv[0]).name not in _COMMANDS:
        raise error
    print(error, file=sys.stderr)
    raise SystemExit(2)
