"""The options of the command line that are about a cluster."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
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
        "--dry-run", action="store_true", help="show the script and the packs, send nothing"
    )
    for name, text in _TEXTS.items():
        group.add_argument(f"--{name}", metavar=name.upper(), help=text)
    for name, text in _NUMBERS.items():
        group.add_argument(f"--{name}", metavar="N", type=number, help=text)
    # What tasks call.
    group.add_argument("--task", type=Path, help=argparse.SUPPRESS)
    group.add_argument("--process", type=int, default=0, help=argparse.SUPPRESS)


def given(args: argparse.Namespace) -> list[str]:
    """The options among these that a command line has, for a call that does not send anything."""
    names = ["profile", "profiles", "dry-run", *_TEXTS, *_NUMBERS]
    return [f"--{name}" for name in names if getattr(args, name.replace("-", "_"))]


def resources(args: argparse.Namespace, settings: Settings, default: str | None) -> Resources:
    """What a command line asks for, over the environment, over the profile.

    Args:
        args: with the options of `add_options` and `--scale`.
        settings: the environment.
        default: profile of the module at the scale of the paper.

    Raises:
        OptexpError: no such profile, or an impossible value.
    """
    name = args.profile or (SMALL if args.scale == "small" else default)
    if name is None:
        raise OptexpError(
            "This module names no profile: add --profile NAME, see profiles.toml.",
            code="no-profile-named",
        )
    fields = [*_TEXTS, *(n.replace("-", "_") for n in _NUMBERS)]
    changes = {field: getattr(args, field) for field in fields}
    if changes["account"] is None:
        changes["account"] = settings.slurm_account
    changes["mail"] = settings.slurm_mail
    return resources_of(name, read_profiles(args.profiles or settings.slurm_profiles), changes)
