"""The options of the command line of a package of experiments."""

from __future__ import annotations

import argparse

from optexp_jax.cli import cluster_options, options, wandb
from optexp_jax.cli.parsing import Help, add_where, examples


def parser_of_package(package: str) -> argparse.ArgumentParser:
    """Make the parser of a package that is called with `python -m`."""
    command = f"python -m {package}"
    parser = options.Parser(
        prog=command,
        usage=f"{command} ACTION [OPTION ...]",
        allow_abbrev=False,
        formatter_class=Help,
        description="List, run, submit or check all groups of experiments at once.\n"
        f"For one group, call its module: {command}.MODULE --test.",
        epilog=examples(
            (f"{command} --list", "show all groups"),
            (
                f"{command} --local --scale small --budget 10",
                "run the most informative ones in 10 minutes",
            ),
            (f"{command} --local --scale small --dry-run", "show how long all of them would take"),
        ),
    )
    actions = parser.add_argument_group("actions (choose one)")
    action = actions.add_mutually_exclusive_group(required=True)
    action.add_argument(
        "--list", action="store_true", help="list modules and groups: figure, runs, data, minutes"
    )
    action.add_argument(
        "--local", action="store_true", help="run all unfinished experiments on this machine"
    )
    action.add_argument(
        "--prepare", action="store_true", help="download and prepare all data sets, once"
    )
    action.add_argument(
        "--report", action="store_true", help="show how many runs of each group are done"
    )
    cluster_options.add_senders(action, "submit all unfinished runs to the cluster")
    wandb.add_actions(action)
    action.add_argument(
        "--cancel", action="store_true", help="cancel all tasks of these runs on the cluster"
    )
    runs = parser.add_argument_group("which runs")
    options.add_scale(runs)
    add_where(runs)
    runs.add_argument(
        "--budget",
        type=options.positive,
        metavar="MINUTES",
        help="with --local: run only the most informative runs that fit into this time",
    )
    runs.add_argument("--json", action="store_true", help="with --list: print JSON for programs")
    options.add_run_options(parser.add_argument_group("how to run them"))
    cluster_options.add_options(parser, options.positive)
    return parser
