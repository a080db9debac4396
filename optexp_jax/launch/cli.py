"""The command line of an experiment module: `main(experiments)`."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.experiment import Experiment
from optexp_jax.launch.options import parser_of
from optexp_jax.launch.output import ReaderGoneError, code_of, complain, safe_output
from optexp_jax.launch.signals import StopFlag, Stopped
from optexp_jax.launch.slurm import arguments
from optexp_jax.numerics import pinned
from optexp_jax.optim import LearningRate

_SIZES = ("COLUMNS", "LINES")  # of a terminal

Small = Callable[[Sequence[Experiment]], list[Experiment]]

_SIGNAL = 128  # added to the number of a signal, for exit codes


def main(
    experiments: Sequence[Experiment],
    slurm: str | None = None,
    small: Small | None = None,
    argv: Sequence[str] | None = None,
) -> NoReturn:
    """The command line of a list of experiments; ends the process.

    Args:
        experiments: at paper scale; the first one is what `--test` runs.
        slurm: profile of the resources that a run needs on a cluster, see `profiles.toml`.
        small: gives the small form of the list, for `--scale small`.
        argv: arguments, those of the process unless given.

    Raises:
        SystemExit: 0 if all went well, 1 if a run failed, 2 for a mistake of the user or output
            that cannot be written, and 128 plus the signal if one stopped it.
    """
    raise SystemExit(guarded(lambda: _main(experiments, slurm, small, argv)))


def guarded(command: Callable[[], int]) -> int:
    """Run a command; what a user can mend becomes one sentence and exit code 2.

    So does output that cannot be written, after the command has ended; output that is closed goes
    nowhere, and output whose reader has seen enough ends the command, with the code of that signal.
    """
    with safe_output() as output:
        try:
            return code_of(output, _guarded(command))
        except ReaderGoneError:
            return _SIGNAL + signal.SIGPIPE
        except SystemExit as ended:  # of argparse, such as after --help
            if isinstance(ended.code, int) and code_of(output, ended.code) != ended.code:
                return 2
            raise


def _guarded(command: Callable[[], int]) -> int:
    try:
        # First of all: a signal while JAX is imported must not get lost.
        with StopFlag(at_once=True) as stop, pinned():
            stop.check()
            code = command()
            if code < _SIGNAL:
                stop.check()
            return code
    except OptexpError as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt as error:
        print("Interrupted. What was recorded is kept.", file=sys.stderr)
        return _SIGNAL + (error.args[0] if isinstance(error, Stopped) else signal.SIGINT)
    except BrokenPipeError:  # of a stream that is not a standard one
        return _SIGNAL + signal.SIGPIPE
    except OSError as error:
        complain(
            f"{_what_failed(error)} cannot be read or written ({cause_of(error)}): "
            f"{remedy_of(error)} and call the command again."
        )
        return 2


def _what_failed(error: OSError) -> object:
    if error.filename is not None:
        return error.filename
    return "The current folder" if isinstance(error, FileNotFoundError) else "A file"


def _main(
    experiments: Sequence[Experiment],
    slurm: str | None,
    small: Small | None,
    argv: Sequence[str] | None,
) -> int:
    from optexp_jax.launch import commands
    from optexp_jax.launch.slurm import commands as on_cluster

    command = _command()
    parser = parser_of(command)
    args = parser.parse_args(argv)
    _require_action(parser, args)
    scale = " --scale small" if args.scale == "small" else ""
    context = commands.Context(Settings.from_env(), make_console(), command, scale)
    if args.task:
        every = at_scale(experiments, small, args.scale)
        return on_cluster.task(context, every, args.task, args.process)
    chosen = _chosen(experiments, small, args)
    if args.slurm:
        return on_cluster.submit(context, _sent(chosen, args), args, slurm)
    if args.cancel:
        return on_cluster.cancel(context, chosen)
    if args.prepare:
        return commands.prepare(context, chosen)
    if args.report:
        return commands.report(context, chosen)
    if args.plot or args.plot_perclass:
        return _plot(context, chosen, args)
    if args.test:
        return commands.test(context, chosen[0], commands.options_of(args))
    if args.single is not None:
        chosen = [_numbered(chosen, args.single)]
    code = context.run(chosen, commands.options_of(args))
    return commands.report(context, chosen) or code


def _require_action(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    sends = args.test or args.single is not None
    other = args.local or args.prepare or args.report or args.cancel
    other = other or args.plot or args.plot_perclass
    if not (sends or other or args.slurm or args.task):
        parser.error(
            "one of --test --local --single --prepare --report --plot --slurm --cancel is required"
        )
    if args.slurm and other:
        raise OptexpError("--slurm goes alone, or with --test or --single N: leave the others out.")
    if not args.slurm:
        for name in arguments.given(args):
            raise OptexpError(f"{name} counts with --slurm: add it.")


def _sent(chosen: list[Experiment], args: argparse.Namespace) -> list[Experiment]:
    """What --slurm sends."""
    if args.test:
        return chosen[:1]
    return chosen if args.single is None else [_numbered(chosen, args.single)]


def _plot(context, chosen: Sequence[Experiment], args: argparse.Namespace) -> int:
    from optexp_jax.launch import commands

    if args.step is not None and not args.use_steps:
        raise OptexpError("--step counts with --use_steps: add it, or use --epoch.")
    if args.epoch is not None and args.use_steps:
        raise OptexpError("--epoch and --use_steps exclude each other: use --use_steps --step N.")
    by_step = args.use_steps or all(e.steps for e in chosen)
    perclass = args.perclass or args.plot_perclass
    return commands.plot(context, chosen, perclass, args.epoch, args.step, by_step)


def make_console() -> Console:
    """A console that does not cut tables where the output is a file.

    It takes `:names:` in paths for no pictures, and reads COLUMNS only where it is a number.
    """
    numbers = {
        k: v for k, v in os.environ.items() if k not in _SIZES or re.fullmatch("0*[1-9][0-9]*", v)
    }
    console = Console(emoji=False, _environ=numbers)
    return console if console.is_terminal else Console(emoji=False, width=180)


def _command() -> str:
    """How this process was called."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    return f"python {shlex.quote(Path(sys.argv[0]).name)}"


def at_scale(
    experiments: Sequence[Experiment], small: Small | None, scale: str
) -> Sequence[Experiment]:
    """The experiments at a scale."""
    if scale == "paper":
        return experiments
    if small is None:
        raise OptexpError("These experiments have no small form: use --scale paper.")
    return small(experiments)


def _chosen(
    experiments: Sequence[Experiment], small: Small | None, args: argparse.Namespace
) -> list[Experiment]:
    chosen = list(at_scale(experiments, small, args.scale))
    if args.optimizer is not None:
        names = dict.fromkeys(type(e.optimizer).__name__ for e in chosen)
        if args.optimizer not in names:
            known = ", ".join(names)
            raise OptexpError(f"No optimizer here is called '{args.optimizer}': take {known}.")
        chosen = [e for e in chosen if type(e.optimizer).__name__ == args.optimizer]
    if args.learning_rate is not None:
        rate = _rate(args.learning_rate)
        rates = dict.fromkeys(e.optimizer.learning_rate for e in chosen)
        if rate not in rates:
            known = ", ".join(str(r) for r in sorted(rates))
            raise OptexpError(f"No run here has the learning rate {rate}: take {known}.")
        chosen = [e for e in chosen if e.optimizer.learning_rate == rate]
    if not chosen:
        raise OptexpError("The list of experiments is empty: add one to the module.")
    return chosen


def _rate(text: str) -> LearningRate:
    try:
        return LearningRate.parse(text)
    except ValueError as error:
        raise OptexpError(str(error)) from error


def _numbered(experiments: Sequence[Experiment], number: int) -> Experiment:
    if not 0 <= number < len(experiments):
        raise OptexpError(
            f"There is no experiment {number}: --single takes 0 to {len(experiments) - 1}."
        )
    return experiments[number]
