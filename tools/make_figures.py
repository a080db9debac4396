"""Write docs/figures.md and the table of docs/claims.md from small runs that are done.

Command: python -m tools.make_figures (with the workspace of the runs)
"""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

from PIL import Image

from optexp_jax.config import Settings
from plots import command
from plots.claims import Verdict, judged, summary
from plots.figures import CLAIMS, FIGURES
from plots.runs import Runs

DOCS = Path(__file__).parents[1] / "docs"
_COLORS = 64  # of a picture, which makes it a fifth as large
_TABLE = "<!-- table -->"


def main() -> None:
    """Draw, reduce and write."""
    settings, origin = Settings.from_env(), _origin()  # before anything is written
    runs = Runs(settings.workspace, "small", whole=True)
    if command.draw_figures("make_all_plots", FIGURES, ["--scale", "small", "--format", "png"]):
        raise SystemExit("Some figures lack their runs: nothing was written.")
    folder = DOCS / "images" / "paper"
    folder.mkdir(exist_ok=True)
    lines = [_FIGURES_HEAD.format(origin=origin)]
    for figure in FIGURES:
        drawn = settings.workspace / "plots" / "paper_small" / f"{figure.file}.png"
        reduced = Image.open(drawn).convert("RGB").quantize(_COLORS)
        reduced.save(folder / f"{figure.file}.png", optimize=True)
        name = f"Figure {figure.number}" if figure.number.isdigit() else "Legends"
        title = f"{name}: {figure.title}"
        lines.append(f"## {title}\n\n![{title}](images/paper/{figure.file}.png)\n")
    (DOCS / "figures.md").write_text("\n".join(lines), encoding="utf-8")
    _write_claims(runs, origin)


def _write_claims(runs: Runs, origin: str) -> None:
    """Replace the table of the page on claims; the words around it are ours."""
    page = DOCS / "claims.md"
    before, _, after = page.read_text(encoding="utf-8").split(_TABLE)
    verdicts = [judged(claim, runs) for claim in CLAIMS]
    rows = ["| " + " | ".join(_cells(v)) + " |" for v in verdicts]
    head = ["| Figure | Claim | Threshold | From | Measured | |", "| --- " * 6 + "|"]
    table = "\n".join(["", f"{origin} {summary(verdicts)}", "", *head, *rows, ""])
    page.write_text(before + _TABLE + table + _TABLE + after, encoding="utf-8")


def _cells(verdict: Verdict) -> tuple[str, ...]:
    claim = verdict.claim
    sentence = claim.sentence.replace("|", "\\|")
    return claim.figure, sentence, claim.threshold, claim.origin, verdict.measured, verdict.word


def _origin() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    commit = done.stdout.strip()
    today = datetime.date.today().isoformat()
    machine = f"{os.cpu_count()} cores of a shared {platform.machine()} machine, no GPU"
    return f"At small scale, {today}, commit {commit}, {machine}."


_FIGURES_HEAD = """# The figures of the paper at small scale

{origin} Every figure is of real
runs (`python -m experiments --local --scale small`, then
`python -m tools.make_figures`). Problems are smaller than the paper's, see
[experiments.md](experiments.md), and so are the effects: [claims.md](claims.md) says which hold.
Loss is in nats. Lines by group are those of the seed with the worst final loss. Figures 7 to 9 and
26 to 33 are of kept parameters, at the six steps of figure 7: 0, 1, 5, 10, 50 and 100. Figure 27
has no others, as every copy of the linear model takes 200 MB at the paper's size. Another
`keep_steps` of an experiment gives more.
"""

if __name__ == "__main__":
    main()
