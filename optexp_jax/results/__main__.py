"""`python -m optexp_jax.results list | show | export | page | merge | verify | prune | rm | du`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.results.parser import parser
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code."""
    return guarded(lambda: _main(argv), numeric=False)


def _main(argv: Sequence[str] | None) -> int:
    args = parser().parse_args(argv)
    from optexp_jax.numerics import pinned  # imports JAX, and `--help` must be fast

    with pinned():
        for module in args.imports:
            _import(module)
        return _ACTIONS[args.action](_context(args), args)


def _context(args: argparse.Namespace) -> ResultsContext:
    return ResultsContext(Settings.from_env().workspace, make_console(), args.json)


def _import(module: str) -> None:
    """Import a module of the user, also from the current folder."""
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise OptexpError(
            f"The module {module} cannot be imported ({error}): give its name as for `import`, "
            "and call the command in the folder that holds it.",
            code="module-not-imported",
            module=module,
            why=error,
        ) from error


# Each imports what it needs.


def _list(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.listing import show_list

    return show_list(context, args.group, args.where)


def _show(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.showing import show

    return show(context, args.run)


def _export(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.exporting import export

    return export(context, args.group, args.format, args.per_class, args.output, args.where)


def _page(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.paging import page

    return page(context, args.group, args.modules, args.output, args.where)


def _merge(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.merging import merge_from

    return merge_from(context, args.other, args.where)


def _verify(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.verifying import verify

    return verify(context, args.where)


def _prune(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.removing import prune

    return prune(context, args.all_compiled, args.yes, args.dry_run)


def _remove(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.removing import remove

    return remove(context, args.wanted, args.yes, args.dry_run, args.where)


def _usage(context: ResultsContext, args: argparse.Namespace) -> int:
    from optexp_jax.cli.results.usage import show_usage

    return show_usage(context)


_ACTIONS = {
    "list": _list,
    "show": _show,
    "export": _export,
    "page": _page,
    "merge": _merge,
    "verify": _verify,
    "prune": _prune,
    "rm": _remove,
    "du": _usage,
}


if __name__ == "__main__":
    raise SystemExit(main())
