"""Write docs/figures.md and the table of docs/claims.md from small runs that are done.

Command: python -m tools.make_figures [--beyond | --medium] (with the workspace of the runs; a row
of the table whose runs are not there stays as it is)

With `--beyond` or `--medium`: the pictures and the table of docs/beyond.md or docs/medium.md, whose
words are ours.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from optexp_jax.config import Settings
from plots import beyond, command
from plots.claim import Claim
from plots.figure import PaperFigure
from plots.figures import CLAIMS, FIGURES
from plots.modules import BELOW_EDGE
from plots.runs import MissingRunsError, Runs
from plots.verdicts import judged
from tools.claims_table import with_verdicts

DOCS = Path(__file__).parents[1] / "docs"
_COLORS = 64  # of a picture, which makes it a fifth as large


def main() -> None:
    """Draw, reduce and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beyond", action="store_true", help="what the paper did not run")
    parser.add_argument("--medium", action="store_true", help="what has a medium form")
    args = parser.parse_args()
    if args.beyond:
        _write_page("beyond", beyond.FIGURES, beyond.CLAIMS, "beyond", "small")
        return
    if args.medium:
        _write_page("medium", FIGURES, CLAIMS, "paper", "medium")
        return
    settings, when = Settings.from_env(), _when()  # before anything is written
    runs = Runs(settings.workspace, "small", whole=True)
    _require_runs_below_the_edge(runs)
    if command.draw_figures("make_all_plots", FIGURES, ["--scale", "small", "--format", "png"]):
        raise SystemExit("Some figures lack their runs: nothing was written.")
    lines = [_FIGURES_HEAD.format(origin=f"{when}, {_machine()}")]
    for figure in FIGURES:
        _reduce(figure, settings.workspace / "plots", "paper")
        name = f"Figure {figure.number}" if figure.number.isdigit() else "Legends"
        title = f"{name}: {figure.title}"
        lines.append(f"## {title}\n\n![{title}](images/paper/{figure.file}.png)\n")
    (DOCS / "figures.md").write_text("\n".join(lines), encoding="utf-8")
    _write_claims("claims", CLAIMS, runs, when)


def _require_runs_below_the_edge(runs: Runs) -> None:
    """End where figures 4 and 22 would show spikes, as their smaller learning rates are missing."""
    try:
        runs.of(BELOW_EDGE)
    except MissingRunsError as missing:
        raise SystemExit(str(missing)) from None


def _write_page(
    page: str, figures: Sequence[PaperFigure], claims: Sequence[Claim], about: str, scale: str
) -> None:
    """Write the pictures and the table of a page, of what has experiments at a scale."""
    settings, when = Settings.from_env(), _when()  # before anything is written
    runs = Runs(settings.workspace, scale, whole=True)
    drawn = [figure for figure in figures if figure.modules and _has_runs(figure, runs)]
    module = {"beyond": "beyond_figures", "paper": "make_all_plots"}[about]
    if command.draw_figures(module, drawn, ["--scale", scale, "--format", "png"]):
        raise SystemExit("Some figures lack their runs: nothing was written.")
    for figure in drawn:
        _reduce(figure, settings.workspace / "plots", about, scale)
    _write_claims(page, claims, runs, when)


def _has_runs(figure: PaperFigure, runs: Runs) -> bool:
    """Whether all runs of a figure are in the workspace; its picture stays if they are not."""
    try:
        needed = figure.needed(runs)
        return bool(needed) and all(runs.of(module) for module in needed)
    except MissingRunsError:
        return False


def _reduce(figure: PaperFigure, plots: Path, about: str, scale: str = "small") -> None:
    """Copy a drawn figure into the pages, in few colours."""
    folder = DOCS / "images" / (about if scale == "small" else f"{about}_{scale}")
    folder.mkdir(exist_ok=True)
    drawn = Image.open(plots / f"{about}_{scale}" / f"{figure.file}.png")
    drawn.convert("RGB").quantize(_COLORS).save(folder / f"{figure.file}.png", optimize=True)


def _write_claims(name: str, claims: Sequence[Claim], runs: Runs, when: str) -> None:
    """Replace the table of a page; the words around it are ours."""
    page = DOCS / f"{name}.md"
    verdicts = [judged(claim, runs) for claim in claims]
    about = f"At {runs.scale} scale, {_machine()}."
    text = with_verdicts(page.read_text(encoding="utf-8"), verdicts, when, about)
    page.write_text(text, encoding="utf-8")


def _when() -> str:
    """Today, and the commit of the code."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    return f"{datetime.date.today().isoformat()}, {done.stdout.strip()}"


def _machine() -> str:
    return f"{os.cpu_count()} cores of a shared {platform.machine()} machine, no GPU"


_FIGURES_HEAD = """# The figures of the paper at small scale

At small scale, {origin}. Every figure shows
real runs (`python -m experiments --local --scale small`, then
`python -m tools.make_figures`). Problems are smaller than in the paper, see
[experiments.md](experiments.md), and so are the effects: [claims.md](claims.md) says which claims
hold. Losses are in nats. Lines of frequency groups show the seed with the worst final loss.
Figures 7 to 9 and 26 to 33 need saved parameters, which runs keep at the six steps of figure 7: 0,
1, 5, 10, 50 and 100. Figure 27 shows no other steps, since each copy of the linear model takes
200 MB at the paper's size. To save more steps, change `keep_steps` of an experiment.
Figures 4 and 22 show each method at its best learning rate without spikes; claims about them, as
all others, are measured at the rate of the best final loss. The smaller rates are those of
`python -m experiments.beyond.edge --local --scale small`.
"""

if __name__ == "__main__":
    main()
