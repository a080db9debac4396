"""The command line of an experiment module: `main(experiments)`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NoReturn

from rich.console import Console

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.launch.signals import Stopped
from optexp_jax.launch.slurm import arguments
from optexp_jax.optim import LearningRate

Small = Callable[[Sequence[Experiment]], list[Experiment]]


class Parser(argparse.ArgumentParser):
    """Mistakes are one sentence and exit code 2, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and end the process."""
        print(f"error: {message}; --help explains the options.", file=sys.stderr)
        raise SystemExit(2)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options that the commands of a module and of all modules share."""
    parser.add_argument(
        "-f", "--force", "--force-rerun", action="store_true", help="run also what is done"
    )
    parser.add_argument(
        "--scale",
        choices=("paper", "small"),
        default="paper",
        help="the paper's sizes, or a small form for two cores, e.g. --test --scale small",
    )
    parser.add_argument(
        "--pack",
        type=_number_or_auto,
        default="auto",
        metavar="auto|K",
        help="most runs that share a program and its data; auto: what the device's memory takes",
    )
    parser.add_argument(
        "--micro-batch",
        type=_number_or_auto,
        default="auto",
        metavar="auto|B",
        help="examples per forward and backward pass; auto: a whole batch, or what the device's "
        "memory takes; changes results by rounding only",
    )
    parser.add_argument(
        "--devices-per-run",
        type=positive,
        metavar="D",
        help="devices that share the batches of each run, 1 or what the profile says; changes "
        "results by rounding only, and the random numbers of dropout",
    )
    parser.add_argument(
        "--checkpoint-every",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="time between checkpoints (10)",
    )


def _parser(command: str) -> argparse.ArgumentParser:
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
        "--single", type=int, metavar="N", help="run experiment N of the list, e.g. --single 0"
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
    action.add_argument(
        "--cancel", action="store_true", help="cancel the tasks of these runs on the cluster"
    )
    actions.add_argument(
        "--slurm",
        action="store_true",
        help="send to the cluster what is not done yet, with --test or --single only that run",
    )
    _add_choices(parser)
    arguments.add_options(parser, positive)
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    runs = parser.add_argument_group("which runs")
    runs.add_argument("--optimizer", metavar="NAME", help="only this one, e.g. --optimizer Adam")
    runs.add_argument(
        "--learning-rate", metavar="RATE", help="only this one, e.g. --learning-rate 10^-3/2"
    )
    add_run_options(runs)  # pyright: ignore[reportArgumentType]
    figures = parser.add_argument_group("figures")
    figures.add_argument(
        "--perclass", action="store_true", help="losses by class, e.g. --plot --perclass"
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
    """A whole number from 1, for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
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
        SystemExit: 0 if all went well, 1 if a run failed, 2 for a mistake of the user, and 128 plus
            the signal if one stopped it.
    """
    raise SystemExit(guarded(lambda: _main(experiments, slurm, small, argv)))


def guarded(command: Callable[[], int]) -> int:
    """Run a command; a mistake of the user becomes one sentence and exit code 2."""
    try:
        return command()
    except OptexpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print("Interrupted. What was recorded is kept.", file=sys.stderr)
        return 128 + (error.args[0] if isinstance(error, Stopped) else signal.SIGINT)


def _main(
    experiments: Sequence[Experiment],
    slurm: str | None,
    small: Small | None,
    argv: Sequence[str] | None,
) -> int:
    from optexp_jax.launch import commands
    from optexp_jax.launch.slurm import commands as on_cluster

    command = _command()
    parser = _parser(command)
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
    """A console that does not cut tables where the output is a file."""
    console = Console()
    return console if console.is_terminal else Console(width=180)


def _command() -> str:
    """How this process was called."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return f"python -m {spec.name.removesuffix('.__main__')}"
    return f"python {Path(sys.argv[0]).name}"


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
