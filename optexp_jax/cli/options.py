"""The options of the command line of a module."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn

from optexp_jax.cli import cluster_options, wandb
from optexp_jax.results.load import SOURCES
from optexp_jax.runner.options import RunOptions, command_line_options
from optexp_jax.runner.output import complain

_DIGITS = 15  # numbers of which floats do not lose a digit
_MOST = 10**_DIGITS - 1
_NUMBER = re.compile(f"[0-9]{{1,{_DIGITS}}}")
_SHOWN = 40  # characters of a mistake


class Parser(argparse.ArgumentParser):
    """Mistakes are one sentence and exit code 2, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and end the process."""
        complain(f"{message}; --help explains the options.")
        raise SystemExit(2)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options that the commands of a module and of all modules share."""
    for name, option in command_line_options().items():
        how: dict[str, Any] = {"action": "store_true"}
        if option.kind != "flag":
            # What is not given is None: a profile may have another default.
            how = {"type": _READ[option.kind], "metavar": option.metavar}
        parser.add_argument(*option.spellings, dest=name, help=option.text, **how)
    parser.add_argument(
        "--scale",
        choices=("paper", "small"),
        default="paper",
        help="the paper's sizes, or a small form for two cores, e.g. --test --scale small",
    )


def run_options(args: argparse.Namespace, **defaults: Any) -> RunOptions:
    """How experiments are run, from the options of a command line.

    Args:
        args: with the options of `add_run_options`.
        **defaults: of fields that are not given, instead of those of `RunOptions`.
    """
    given = {name: getattr(args, name) for name in command_line_options()}
    return RunOptions(**defaults | {k: v for k, v in given.items() if v is not None})


def parser_of(command: str) -> argparse.ArgumentParser:
    """The options of a module, called by this command."""
    parser = Parser(
        prog=command,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run, watch and draw a group of experiments.",
        epilog=f"Examples:\n  {command} --test\n  {command} --local --optimizer Adam\n"
        f"  {command} --plot --perclass --use_steps --step 500",
    )
    actions = parser.add_argument_group("what to do")
    action = actions.add_mutually_exclusive_group()
    action.add_argument(
        "--test", action="store_true", help="run the first experiment here and explain the result"
    )
    action.add_argument(
        "--local", "--run-local", action="store_true", help="run all that is not done yet, here"
    )
    action.add_argument(
        "--single", type=_whole, metavar="N", help="run experiment N of the list, e.g. --single 0"
    )
    action.add_argument(
        "--prepare", action="store_true", help="fetch and build the data, once; then run offline"
    )
    action.add_argument(
        "--report", action="store_true", help="show what is done, running, diverged, missing"
    )
    action.add_argument(
        "--plot", action="store_true", help="draw final losses against step sizes and best runs"
    )
    action.add_argument(
        "--plot-perclass", action="store_true", help="the same as --plot --perclass"
    )
    wandb.add_actions(action)
    action.add_argument(
        "--cancel", action="store_true", help="cancel the tasks of these runs on the cluster"
    )
    cluster_options.add_senders(
        actions, "send to the cluster what is not done yet, with --test or --single only that run"
    )
    _add_choices(parser)
    cluster_options.add_options(parser, positive)
    # What tasks call.
    parser.add_argument("--task", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--process", type=int, default=0, help=argparse.SUPPRESS)
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    runs = parser.add_argument_group("which runs")
    runs.add_argument("--optimizer", metavar="NAME", help="only this one, e.g. --optimizer Adam")
    runs.add_argument(
        "--learning-rate", metavar="RATE", help="only this one, e.g. --learning-rate 10^-3/2"
    )
    runs.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only those with this value, e.g. --where beta2=0.99 --where batching.size=64",
    )
    add_run_options(runs)  # pyright: ignore[reportArgumentType]
    figures = parser.add_argument_group("figures")
    figures.add_argument(
        "--perclass", action="store_true", help="losses by class, e.g. --plot --perclass"
    )
    figures.add_argument(
        "--metric", metavar="NAME", help="what to draw, e.g. --plot --metric va_Accuracy"
    )
    figures.add_argument(
        "--source",
        choices=tuple(SOURCES),
        default="local",
        help="whose runs: local, or paper for those that its authors released",
    )
    figures.add_argument(
        "--compare",
        choices=tuple(name for name in SOURCES if name != "local"),
        help="ours and theirs on the same axes, e.g. --plot --compare paper",
    )
    figures.add_argument(
        "--epoch", type=positive, metavar="N", help="up to this epoch, e.g. --plot --epoch 50"
    )
    figures.add_argument(
        "--use_steps", "--use_step", action="store_true", help="count steps instead of epochs"
    )
    figures.add_argument(
        "--step", type=positive, metavar="N", help="up to this step, with --use_steps"
    )


def positive(text: str) -> int:
    """A whole number from 1, for argparse.

    >>> positive("12")
    12
    """
    if not _NUMBER.fullmatch(text) or int(text) < 1:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        most = f" to {_MOST:,}" if len(text) > _DIGITS else ""
        raise argparse.ArgumentTypeError(f"'{shown}' is not a whole number from 1{most}")
    return int(text)


def _whole(text: str) -> int:
    if not _NUMBER.fullmatch(text.removeprefix("-")):
        raise argparse.ArgumentTypeError(f"invalid int value: {text[:_SHOWN]!r}")
    return int(text)


def _number_or_auto(text: str) -> int | Literal["auto"]:
    return "auto" if text == "auto" else positive(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds from 0")
    return value


_READ: dict[str, Callable[[str], object]] = {
    "number": positive,
    "number or auto": _number_or_auto,
    "seconds": _seconds,
}
