"""Answer `--help` before a module imports JAX, as modules of experiments and figures do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from optexp_jax.cli.guard import guarded
from optexp_jax.cli.options import parser_of
from optexp_jax.cli.package_options import parser_of_package

_ASKED = {"-h", "--help"}
_COMMAND = 'if __name__ == "__main__":'


def answer_help(
    package: str,
    folder: str,
    arguments: Sequence[str] | None = None,
    make_parser: Callable[[str], argparse.ArgumentParser] | None = None,
) -> None:
    """End the process with the help of a command of a package if its arguments ask for it.

    Call it first of all in the `__init__` of the package.

    Args:
        package: name of the package.
        folder: where it is.
        arguments: of the interpreter, such as `["python", "-m", "experiments.linreg", "--help"]`;
            None for those of this process.
        make_parser: name of a module -> parser of its command; None for modules of experiments.

    Raises:
        SystemExit: help was asked for and shown.
    """
    found = list(sys.orig_argv if arguments is None else arguments)
    name, *options = found[found.index("-m") + 1 :] if "-m" in found[:-1] else [""]
    if not _ASKED.intersection(options):
        return
    if name.partition(".")[0] != package:
        return
    path = Path(folder, *name.split(".")[1:])
    of_package = path.is_dir()
    file = path / "__main__.py" if of_package else path.with_suffix(".py")
    # Anything else is left to Python, which says that there is no such module.
    if file.is_file() and _COMMAND in file.read_text(encoding="utf-8"):
        make = make_parser or (parser_of_package if of_package else _parser_of_module)
        text = make(name).format_help()
        raise SystemExit(guarded(lambda: _show(text), numeric=False))


def _parser_of_module(name: str) -> argparse.ArgumentParser:
    return parser_of(f"python -m {name}")


def _show(text: str) -> int:
    print(text, end="")
    return 0
