"""Write docs/experiments.md from the declarations: python docs/make_experiments.py."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from experiments.small import planned
from optexp_jax.cli.package_main import discover
from optexp_jax.experiment import Experiment
from optexp_jax.runner.planning import seconds_of

PAGE = Path(__file__).with_name("experiments.md")
_HEAD = """# The experiments

Every group that `python -m experiments --list` knows, generated from the declarations
(`python docs/make_experiments.py`). A module is run by `python -m experiments.<module> --local`,
its small form by adding `--scale small`; everything at once by
`python -m experiments --local --scale small`.

Figures are those of the camera-ready paper. Runs and lengths are at paper scale, minutes at small
scale on two cores, measured in one call that ran all of them on an idle machine
(`python -m experiments.small.pilot --timed`), in 50 minutes; since then the runs of figure 21 were
made 2.5 minutes longer. Beside other programs they take up to twice as long.
Step sizes of small runs are in `experiments/small/pilot.json`. What is expected is the paper's
claim, or what follows from it; [figures.md](figures.md) shows the small runs, and
[claims.md](claims.md) says what holds there.

"""
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


def _rows(module: str) -> list[tuple[str, ...]]:
    declared = importlib.import_module(f"experiments.{module}")
    groups: dict[str, list[Experiment]] = {}
    for experiment in declared.experiments:
        groups.setdefault(experiment.group, []).append(experiment)
    return [_row(module, declared.__doc__ or "", members) for members in groups.values()]


def _row(module: str, text: str, members: list[Experiment]) -> tuple[str, ...]:
    first = members[0]
    problem = first.problem
    seconds = seconds_of(planned(members)) or 0.0
    length = f"{first.steps:,} steps" if first.steps else f"{first.epochs:,} epochs"
    return (
        _labelled(text, "Figure").rstrip("."),
        f"`{module}` `{first.group}`",
        type(problem.dataset).__name__,
        type(problem.model).__name__,
        f"{len(members):,}",
        length,
        f"{seconds / 60:.1f}",
        _labelled(text, "Expected"),
    )


def _labelled(text: str, label: str) -> str:
    """What a docstring says behind a label, on one line."""
    found = re.search(rf"^{label}: (.*?)(?=^\w+: |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
