"""Write docs/experiments.md from the declarations: python -m tools.make_experiments."""

from __future__ import annotations

import importlib
from pathlib import Path

from experiments.small import planned
from optexp_jax.cli.package_main import discover
from optexp_jax.experiment import Experiment
from optexp_jax.runner.planning import seconds_of

PAGE = Path(__file__).parents[1] / "docs" / "experiments.md"
_HEAD = """# The experiments

This page lists every group that `python -m experiments --list` shows. The command
`python -m tools.make_experiments` generates it from the declarations. To run a module, call
`python -m experiments.<module> --local`; add `--scale small` to run its small form. To run all
small forms, call `python -m experiments --local --scale small`.

Some figures need longer runs than the small form has. Their groups also have a medium form, an
evening on two cores in all: `python -m experiments --list --scale medium` names them, and
[claims.md](claims.md) says what it shows. Declare one in `medium_forms.py` beside a module.

Figure numbers are those of the camera-ready paper. Runs and lengths are at paper scale. Minutes are
at small scale on two cores: one call ran all small forms in 32 minutes
(`python -m tools.pilot --timed`). On a machine that also runs other programs, they take up to twice
as long.
The file `small_forms.py` beside the modules of a family declares its small form, and
`experiments/small/pilot.json` holds the learning rates of small runs. The column "Expected" is a
claim of the paper, or follows from one. [figures.md](figures.md) shows the small runs, and
[claims.md](claims.md) says which claims hold for them.

"""
_BEYOND = """
## Beyond the paper

Groups of `python -m experiments.beyond --list`, which the paper did not run and which are not
counted above. A module is run by `python -m experiments.beyond.<module> --local`, all of them at
small scale by `python -m experiments.beyond --local --scale small`. [Beyond the paper](beyond.md)
says what was found. Times were measured beside other programs.

"""
LABELS = ("Figure", "Command", "Time", "Expected")  # of every module's docstring
_COLUMNS = ("Figure", "Module, group", "Data", "Model", "Runs", "Length", "Minutes", "Expected")


def page() -> str:
    """The whole text."""
    return _HEAD + _table("experiments") + _BEYOND + _table("experiments.beyond")


def _table(package: str) -> str:
    rows = [row for module in discover(package) for row in _rows(package, module)]
    lines = [_COLUMNS, ("---",) * len(_COLUMNS), *rows]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    minutes = sum(float(row[-2]) for row in rows)
    runs = sum(int(row[4].replace(",", "")) for row in rows)
    return f"{table}\n\n{runs:,} runs in all; at small scale about {minutes:.0f} minutes.\n"


def without_times(text: str) -> str:
    """A page without the minutes that small runs take, which differ between machines.

    They are the last column but one, and the number that the line below a table ends with.
    """
    rows = [line.split(" | ") for line in text.splitlines()]
    return "\n".join(
        " | ".join([*row[:-2], *row[-1:]])
        if len(row) > 2
        else row[0].partition("; at small scale")[0]
        for row in rows
    )


def _rows(package: str, module: str) -> list[tuple[str, ...]]:
    declared = importlib.import_module(f"{package}.{module}")
    groups: dict[str, list[Experiment]] = {}
    for experiment in declared.experiments:
        groups.setdefault(experiment.group, []).append(experiment)
    return [_row(module, declared.__doc__ or "", members) for members in groups.values()]


def _row(module: str, text: str, members: list[Experiment]) -> tuple[str, ...]:
    first, said = members[0], described(text)
    problem = first.problem
    seconds = seconds_of(planned(members)) or 0.0
    length = f"{first.steps:,} steps" if first.steps else f"{first.epochs:,} epochs"
    return (
        said["Figure"].rstrip("."),
        f"`{module}` `{first.group}`",
        type(problem.dataset).__name__,
        type(problem.model).__name__,
        f"{len(members):,}",
        length,
        f"{seconds / 60:.1f}",
        said["Expected"],
    )


def described(text: str) -> dict[str, str]:
    """What the docstring of a module says behind each of its labels, on one line.

    Raises:
        ValueError: one of the labels is not there.

    >>> said = "What it is.\\n\\nFigure: 2\\nCommand: run\\nTime: an hour.\\nExpected: it\\nlearns."
    >>> described(said)["Expected"]
    'it learns.'
    """
    found: dict[str, str] = {}
    label = ""
    for line in text.splitlines():
        first, colon, rest = line.partition(": ")
        label, line = (first, rest) if colon and first.isalpha() else (label, line)
        found[label] = f"{found.get(label, '')} {line.strip()}".strip()
    missing = [name for name in LABELS if name not in found]
    if missing:
        raise ValueError(f"'{text.splitlines()[0]}' says nothing of: {', '.join(missing)}.")
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
