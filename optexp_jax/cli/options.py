"""The options of the command line of a module."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from optexp_jax.cli import cluster_options, wandb
from optexp_jax.cli.parsing import NUMBER, SHOWN, Help, Parser, add_where, examples, positive
from optexp_jax.forms import SCALES
from optexp_jax.results.sources import LOCAL, SOURCES
from optexp_jax.runner.options import RunOptions, command_line_options


def add_run_options(parser: Any) -> None:
    """Add the options of `RunOptions`.

    Args:
        parser: a parser, or a group of its options.
    """
    for name, option in command_line_options().items():
        how: dict[str, Any] = {"action": "store_true"}
        if option.kind == "choice":
            how = {"choices": option.choices}
        elif option.kind != "flag":
            # Options that are not given are None: a profile may have another default.
            how = {"type": _READ[option.kind], "metavar": option.metavar}
        parser.add_argument(*option.spellings, dest=name, help=option.text, **how)


def run_options(args: argparse.Namespace, **defaults: Any) -> RunOptions:
    """Read how to run experiments from the options of a command line.

    Args:
        args: with the options of `add_run_options`.
        **defaults: values of fields that are not given, instead of those of `RunOptions`.
    """
    given = {name: getattr(args, name) for name in command_line_options()}
    return RunOptions(**defaults | {k: v for k, v in given.items() if v is not None})


def parser_of(command: str) -> argparse.ArgumentParser:
    """Make the parser of a module that is called by this command."""
    parser = Parser(
        prog=command,
        usage=f"{command} ACTION [OPTION ...]",
        allow_abbrev=False,
        formatter_class=Help,
        description="Run a group of experiments, follow its progress, and draw its figures.",
        epilog=examples(
            (f"{command} --test", "run the first experiment and explain the result"),
            (f"{command} --local --optimizer Adam", "run all experiments with Adam"),
            (f"{command} --report", "show the status and losses of all runs"),
            (f"{command} --plot --perclass", "draw losses by class"),
            (f"{command} --plot --use_steps --step 500", "compare the runs after 500 steps"),
        ),
    )
    _add_actions(parser)
    _add_choices(parser)
    add_run_options(parser.add_argument_group("how to run them"))
    _add_figures(parser)
    cluster_options.add_options(parser, positive)
    parser.add_argument(
        "--gpu", metavar="NAME", help="with --dry-run: the GPU to compute for (default: H100)"
    )
    parser.add_argument(
        "--no-compile",
        action="store_true",
        help="with --dry-run: compile no step to see what memory it takes",
    )
    # What tasks call.
    parser.add_argument("--task", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--process", type=int, default=0, help=argparse.SUPPRESS)
    return parser


def _add_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_argument_group("actions (choose one)")
    action = actions.add_mutually_exclusive_group()
    action.add_argument(
        "--test", action="store_true", help="run the first experiment and explain the result"
    )
    action.add_argument(
        "--local",
        "--run-local",
        action="store_true",
        help="run all unfinished experiments on this machine",
    )
    action.add_argument(
        "--single", type=_whole, metavar="N", help="run experiment N of the list; the first is 0"
    )
    action.add_argument(
        "--prepare", action="store_true", help="download and prepare the data, once"
    )
    action.add_argument(
        "--report", action="store_true", help="show the status and losses of all runs"
    )
    action.add_argument(
        "--plot",
        action="store_true",
        help="draw final loss against learning rate, and the best runs",
    )
    action.add_argument("--plot-perclass", action="store_true", help="same as --plot --perclass")
    wandb.add_actions(action)
    action.add_argument(
        "--cancel", action="store_true", help="cancel all tasks of these runs on the cluster"
    )
    cluster_options.add_senders(
        actions,
        "submit all unfinished runs to the cluster; with --test or --single N, only that run",
    )


def add_scale(group: Any) -> None:
    """Add the option `--scale` to a group of options."""
    group.add_argument(
        "--scale",
        choices=SCALES,
        default="paper",
        help="size of the experiments: as in the paper (default), an evening on two cores "
        "(only groups that need it), or minutes on two cores",
    )


def _add_choices(parser: argparse.ArgumentParser) -> None:
    runs = parser.add_argument_group("which runs")
    add_scale(runs)
    runs.add_argument("--optimizer", metavar="NAME", help="only this optimizer, e.g. Adam")
    runs.add_argument(
        "--learning-rate", metavar="RATE", help="only this learning rate, e.g. 10^-3/2"
    )
    add_where(runs)


def _add_figures(parser: argparse.ArgumentParser) -> None:
    figures = parser.add_argument_group("figures (with --plot)")
    figures.add_argument("--perclass", action="store_true", help="draw losses by class")
    figures.add_argument("--metric", metavar="NAME", help="metric to draw, e.g. va_Accuracy")
    figures.add_argument(
        "--log",
        choices=("x", "y", "both", "none"),
        help="axes with a logarithmic scale (default: chosen from the values)",
    )
    figures.add_argument(
        "--facet", metavar="FIELD", help="one panel for each value of a field, e.g. batching.size"
    )
    figures.add_argument(
        "--format",
        nargs="+",
        choices=("pdf", "png", "svg"),
        default=["pdf", "png"],
        help="file formats (default: pdf png)",
    )
    figures.add_argument(
        "--source",
        choices=SOURCES,
        default=LOCAL,
        help="draw your own runs (local, the default) or those of the authors (paper)",
    )
    figures.add_argument(
        "--compare",
        choices=tuple(name for name in SOURCES if name != LOCAL),
        help="draw your own runs and the released ones on the same axes",
    )
    figures.add_argument(
        "--epoch", type=positive, metavar="N", help="draw up to this epoch, e.g. 50"
    )
    figures.add_argument(
        "--use_steps", "--use_step", action="store_true", help="count steps instead of epochs"
    )
    figures.add_argument(
        "--step", type=positive, metavar="N", help="with --use_steps: draw up to this step"
    )


def _whole(text: str) -> int:
    if not NUMBER.fullmatch(text.removeprefix("-")):
        raise argparse.ArgumentTypeError(f"invalid int value: {text[:SHOWN]!r}")
    return int(text)


def _number_or_auto(text: str) -> int | Literal["auto"]:
    return "auto" if text == "auto" else positive(text)


def _seconds_or_auto(text: str) -> float | Literal["auto"]:
    if text == "auto":
        return "auto"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds from 0, nor auto")
    return value


_READ: dict[str, Callable[[str], object]] = {
    "number": positive,
    "number or auto": _number_or_auto,
    "seconds or auto": _seconds_or_auto,
}
