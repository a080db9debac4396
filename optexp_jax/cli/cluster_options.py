"""The options of the command line for a cluster."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.schedulers.known import all_schedulers
from optexp_jax.schedulers.profiles import read_profiles, resources_of
from optexp_jax.schedulers.resources import Resources

SMALL = "two_cores"  # of all forms but those of the paper

# Options that stand for a field of the profile.
_TEXTS = {
    "time": "time limit, e.g. 12:00:00",
    "memory": "memory of a node, e.g. 16G",
    "partition": "partition of the cluster",
    "account": "account to charge (default: OPTEXP_SLURM_ACCOUNT)",
}
_NUMBERS = {
    "per-gpu": "number of packs that share a GPU, each in its own process",
    "max-concurrent": "run at most N tasks at once",
    "max-requeues": "requeue a stopped task at most N times",
}


def add_options(parser: argparse.ArgumentParser, number: Any) -> None:
    """Add the options.

    Args:
        parser: of a module.
        number: reads a whole number from 1, for argparse.
    """
    group = parser.add_argument_group("cluster (with --slurm)")
    group.add_argument("--profile", metavar="NAME", help="resource profile to use")
    group.add_argument("--profiles", metavar="FILE", type=Path, help="file that defines profiles")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="show what would be submitted or run, without doing it; of a module alone: memory, "
        "FLOPs and time",
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


def require_sender(args: argparse.Namespace, *with_local: str, alone: tuple[str, ...] = ()) -> None:
    """Refuse the options of `add_options` where nothing is sent.

    Args:
        args: of a command line.
        with_local: those that count with `--local`, too.
        alone: those that need neither.

    Raises:
        OptexpError: names the option.
    """
    names = ["profile", "profiles", "dry-run", *_TEXTS, *_NUMBERS]
    for name in (n for n in names if getattr(args, n.replace("-", "_"))):
        if args.scheduler or name in alone or (args.local and name in with_local):
            continue
        option, local = f"--{name}", "--local or " if name in with_local else ""
        raise OptexpError(
            f"{option} works only with {local}{senders(' or ')}: add that, or leave it out.",
            code="option-needs-scheduler",
            option=option,
        )


def profile_of(args: argparse.Namespace, declared: str | None) -> str | None:
    """The name of the profile that runs are sent with."""
    return args.profile or (declared if args.scale == "paper" else SMALL)


def resources(
    args: argparse.Namespace,
    settings: Settings,
    declared: str | None,
    module: str = "This module",
) -> Resources:
    """Combine the resources of the command line, the environment and the profile.

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
            f"{module} names no profile: add --profile NAME with a name from profiles.toml.",
            code="no-profile-named",
            module=module,
        )
    fields = [*_TEXTS, *(n.replace("-", "_") for n in _NUMBERS)]
    changes = {field: getattr(args, field) for field in fields}
    if changes["account"] is None:
        changes["account"] = settings.slurm_account
    changes["mail"] = settings.slurm_mail
    return resources_of(name, read_profiles(args.profiles or settings.slurm_profiles), changes)
