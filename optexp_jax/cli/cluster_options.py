"""The options of the command line that are about a cluster."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.known import all_schedulers
from optexp_jax.schedulers.profiles import read_profiles, resources_of
from optexp_jax.schedulers.resources import Resources

SMALL = "two_cores"

# Options that stand for a field of the profile.
_TEXTS = {
    "time": "time limit, e.g. 12:00:00",
    "memory": "memory of a node, e.g. 16G",
    "partition": "where to send",
    "account": "who pays; else OPTEXP_SLURM_ACCOUNT",
}
_NUMBERS = {
    "per-gpu": "packs that share a GPU as processes of their own",
    "max-concurrent": "most tasks at once",
    "max-requeues": "how often a task is queued again",
}


def add_options(parser: argparse.ArgumentParser, number: Any) -> None:
    """Add the options.

    Args:
        parser: of a module.
        number: reads a whole number from 1, for argparse.
    """
    group = parser.add_argument_group("on a SLURM cluster, with --slurm")
    group.add_argument("--profile", metavar="NAME", help="resources, by name")
    group.add_argument("--profiles", metavar="FILE", type=Path, help="a file of profiles")
    group.add_argument(
        "--dry-run", action="store_true", help="show what would be sent or run, and do neither"
    )
    for name, text in _TEXTS.items():
        group.add_argument(f"--{name}", metavar=name.upper(), help=text)
    for name, text in _NUMBERS.items():
        group.add_argument(f"--{name}", metavar="N", type=number, help=text)


def add_senders(parser: Any, text: str) -> None:
    """Add the option of every scheduler, which sends runs there.

    Args:
        parser: a parser, or a group of its options.
        text: for `--help`.
    """
    for name in all_schedulers():
        parser.add_argument(
            f"--{name}", dest="scheduler", action="store_const", const=name, help=text
        )


def senders(between: str) -> str:
    """The options that send runs to a scheduler, as text."""
    return between.join(f"--{name}" for name in all_schedulers())


def require_sender(args: argparse.Namespace, *with_local: str) -> None:
    """Refuse the options of `add_options` where nothing is sent.

    Args:
        args: of a command line.
        with_local: those that count with `--local`, too.

    Raises:
        OptexpError: names the option.
    """
    names = ["profile", "profiles", "dry-run", *_TEXTS, *_NUMBERS]
    for name in (n for n in names if getattr(args, n.replace("-", "_"))):
        if args.scheduler or (args.local and name in with_local):
            continue
        option, local = f"--{name}", "--local or " if name in with_local else ""
        raise OptexpError(
            f"{option} counts with {local}{senders(' or ')}: add it.",
            code="option-needs-scheduler",
            option=option,
        )


def profile_of(args: argparse.Namespace, declared: str | None) -> str | None:
    """The name of the profile that runs are sent with."""
    return args.profile or (SMALL if args.scale == "small" else declared)


def resources(
    args: argparse.Namespace,
    settings: Settings,
    declared: str | None,
    module: str = "This module",
) -> Resources:
    """What a command line asks for, over the environment, over the profile.

    Args:
        args: with the options of `add_options` and `--scale`.
        settings: the environment.
        declared: profile of the module at the scale of the paper.
        module: what names no profile.

    Raises:
        OptexpError: no such profile, or an impossible value.
    """
    name = profile_of(args, declared)
    if name is None:
        raise OptexpError(
            f"{module} names no profile: add --profile NAME, see profiles.toml.",
            code="no-profile-named",
            module=module,
        )
    fields = [*_TEXTS, *(n.replace("-", "_") for n in _NUMBERS)]
    changes = {field: getattr(args, field) for field in fields}
    if changes["account"] is None:
        changes["account"] = settings.slurm_account
    changes["mail"] = settings.slurm_mail
    return resources_of(name, read_profiles(args.profiles or settings.slurm_profiles), changes)
