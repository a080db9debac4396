"""`--sync`, `--download` and `--clear-download`: exchange results with wandb."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `--help` needs neither them nor JAX
    from optexp_jax.cli.context import Context
    from optexp_jax.experiment import Experiment


def add_actions(action: argparse._MutuallyExclusiveGroup) -> None:
    """Add the options for wandb."""
    action.add_argument(
        "--sync", action="store_true", help="upload finished runs that wandb does not have yet"
    )
    action.add_argument(
        "--download",
        action="store_true",
        help="download finished runs from wandb into the workspace",
    )
    action.add_argument(
        "--clear-download", action="store_true", help="remove the runs that --download fetched"
    )


def is_asked(args: argparse.Namespace) -> bool:
    """Whether a command line has one of these options."""
    return args.sync or args.download or args.clear_download


def act(context: Context, experiments: Sequence[Experiment], args: argparse.Namespace) -> int:
    """Do what the command line asks for; returns the exit code, 1 if a run failed.

    Raises:
        WandbError: the server refuses, or does not answer.
    """
    if args.sync:
        return sync(context, experiments)
    return download(context, experiments) if args.download else clear(context, experiments)


def sync(context: Context, experiments: Sequence[Experiment]) -> int:
    """Upload the finished runs that the server lacks, in whole or in part."""
    from optexp_jax.results.wandb.sync import compare, publish

    if any(context.folders[e].has_ended() for e in experiments):
        context.say("Asking the wandb server which runs it has.")
    found = compare(experiments, context.settings, context.folders)
    for sentence in _counted(len(found.there), "already on the server"):
        context.say(sentence)
    for sentence in _counted(len(found.unfinished), "not finished here, so not uploaded"):
        context.say(sentence)
    sent = publish(found, context.settings)
    names = ((f"{one.group} {one.name}", error) for one, error in sent)
    return _follow(context, names, len(found.missing), "uploaded", "upload")


def download(context: Context, experiments: Sequence[Experiment]) -> int:
    """Download the finished runs that are not here."""
    from optexp_jax.results.wandb.download import fetch, wanted

    context.say("Asking the wandb server which runs it has.")
    missing, here, lacking = wanted(experiments, context.settings, context.folders)
    for sentence in _counted(here, "already here"):
        context.say(sentence)
    for sentence in _counted(lacking, "not on the server, or not finished there"):
        context.say(sentence)
    brought = fetch(missing, context.settings)
    names = ((f"{e.group} {e.short_id}", error) for e, error in brought)
    return _follow(context, names, len(missing), "downloaded", "download")


def clear(context: Context, experiments: Sequence[Experiment]) -> int:
    """Remove the downloaded runs of the groups."""
    from optexp_jax.results.wandb.download import clear as remove

    gone = remove((e.group for e in experiments), context.settings.workspace)
    for folder in gone:
        context.say(f"Removed {folder}.")
    if not gone:
        context.say("None of these runs were downloaded.")
    return 0


def _counted(number: int, what: str) -> list[str]:
    return [f"{_runs(number)} {'is' if number == 1 else 'are'} {what}."] if number else []


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _follow(
    context: Context,
    ended: Iterator[tuple[str, str | None]],
    total: int,
    done: str,
    verb: str,
) -> int:
    """Show a bar during the transfer; name the runs that failed, with the reason."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    if not total:
        context.say(f"There is nothing to {verb}.")
        return 0
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=context.console,
        disable=not context.console.is_terminal,
    )
    failed: dict[str, list[str]] = {}
    with bar:
        task = bar.add_task("runs", total=total)
        for name, error in ended:
            bar.advance(task)
            if error is not None:
                failed.setdefault(error, []).append(name)
    left = sum(map(len, failed.values()))
    context.say(f"{_runs(total - left)} {done}.")
    for sentence, names in failed.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        context.say(f"{names[0]}{more}: {sentence}")
    return 1 if failed else 0
