"""`optexp COMMAND ...`: the commands of the package; each is also a `python -m`."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "datasets": "list, describe and download data sets",
    "results": "list, show, export, merge, check and clean results",
}
_HOME = {"datasets": "optexp_jax.cli.datasets_main", "results": "optexp_jax.results.__main__"}


def main() -> int:
    """The command line; returns the exit code."""
    name = sys.argv[1] if len(sys.argv) > 1 else None
    if name in COMMANDS:
        return importlib.import_module(_HOME[name]).main(sys.argv[2:])
    if name in (None, "-h", "--help"):
        print(_help())
        return 0 if name else 2
    print(f"error: There is no command '{name}': choose {' or '.join(COMMANDS)}.", file=sys.stderr)
    return 2


def _help() -> str:
    lines = [f"  {name:10} {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: optexp COMMAND ...",
            "",
            "commands:",
            *lines,
            "",
            "examples:",
            "  optexp datasets list",
            "  optexp results list",
            "  optexp results --help",
            "",
            "Experiments have their own commands: python -m experiments --help",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
