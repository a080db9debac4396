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

Every group that `python -m experiments --list` knows, generated from the declarations
(`python -m tools.make_experiments`). A module is run by `python -m experiments.<module> --local`,
its small form by adding `--scale small`; everything at once by
`python -m experiments --local --scale small`.

Figures are those of the camera-ready paper. Runs and lengths are at paper scale, minutes at small
scale on two cores, measured in one call that ran all of them on an idle machine
(`python -m tools.pilot --timed`), in 50 minutes; since then the runs of figure 21 were
made 2.5 minutes longer. Beside other programs they take up to twice as long.
What a family shrinks to is declared in `small_forms.py` beside its modules; step sizes of small
runs are in `experiments/small/pilot.json`. What is expected is the paper's
claim, or what follows from it; [figures.md](figures.md) shows the small runs, and
[claims.md](claims.md) says what holds there.

"""
LABELS = ("Figure", "Command", "Time", "Expected")  # of every module's docstring
_COLUMNS = ("Figure", "Module, group", "Data", "Model", "Runs", "Length", "Minutes", "Expected")


def page() -> str:
    """The whole text."""
    rows = [row for module in discover("experiments") for row in _rows(module)]
    lines = [_COLUMNS, ("---",) * len(_COLUMNS), *rows]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    minutes = sum(float(row[-2]) for row in rows)
    runs = sum(int(row[4].replace(",", "")) for row in rows)
    total = f"\n\n{runs:,} runs in all; at small scale about {minutes:.0f} minutes.\n"
    return _HEAD + table + total


def without_times(text: str) -> str:
    """A page without the minutes that small runs take, which differ between machines.

    They are the last column but one, and the number that the last line ends with.
    """
    lines = text.splitlines()
    rows = [line.split(" | ") for line in lines]
    kept = [" | ".join([*row[:-2], *row[-1:]]) if len(row) > 2 else row[0] for row in rows]
    return "\n".join([*kept[:-1], kept[-1].partition("; at small scale")[0]])


def _rows(module: str) -> list[tuple[str, ...]]:
    declared = importlib.import_module(f"experiments.{module}")
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
