"""The claims of the paper, checked on the runs in the workspace.

Command: python -m plots.claims [--scale paper|medium|small ...] [--source ours|paper]
         [--figure N] [--beyond] [--json]
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import NoReturn

from rich.markup import escape
from rich.progress import track
from rich.table import Table

from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from plots import beyond
from plots.claim import Claim
from plots.command import split_numbers
from plots.figures import CLAIMS
from plots.options import parser_of_claims
from plots.runs import Runs
from plots.verdicts import FAILS, HOLDS, NO_DATA, Verdict, deciding, judged, summary

COLORS = {HOLDS: "green", FAILS: "red", NO_DATA: "dim"}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """`python -m plots.claims`; ends the process."""
    raise SystemExit(guarded(lambda: check_claims(argv)))


def _about(known: Sequence[Claim], figures: Sequence[str]) -> list[Claim]:
    """Return the claims about some figures; all claims if none is named."""
    by_figure = {number for claim in known for number in claim.figure.split(", ")}
    for number in figures:
        if number not in by_figure:
            raise OptexpError(
                f"There is no claim about figure '{number}'.", code="no-claim", figure=number
            )
    return [c for c in known if not figures or set(figures) & set(c.figure.split(", "))]


def check_claims(argv: Sequence[str] | None = None) -> int:
    """Show every claim; 0 also where some fail, as that is a result."""
    args = parser_of_claims().parse_args(argv)
    settings, console = Settings.from_env(), make_console()
    known = beyond.CLAIMS if args.beyond else CLAIMS
    claims = _about(known, split_numbers(args.figure))
    scales = dict.fromkeys(args.scale or ["paper"])
    runs = [Runs(settings.workspace, scale, args.source, whole=True) for scale in scales]
    shown = track(claims, "claims", console=console, disable=args.json, transient=True)
    rows = [[judged(claim, at_scale) for at_scale in runs] for claim in shown]
    if args.json:
        print(json.dumps([_as_json(v) for row in rows for v in row], indent=1, allow_nan=False))
        return 0
    console.print(_table(rows))
    console.print(summary(rows))
    missing = [v.reason for row in rows if (v := deciding(row)).reason]
    for reason in dict.fromkeys(missing):
        console.print(escape(reason), soft_wrap=True, highlight=False)
    return 0


def _table(rows: Sequence[Sequence[Verdict]]) -> Table:
    table = Table()
    table.add_column("figure")
    table.add_column("claim", overflow="fold")
    table.add_column("threshold", justify="right")
    table.add_column("from")
    for verdict in rows[0]:
        table.add_column(verdict.scale if len(rows[0]) > 1 else "measured", justify="right")
        table.add_column("", no_wrap=True)
    for row in rows:
        claim = row[0].claim
        cells = (claim.figure, claim.sentence, claim.threshold, claim.origin)
        table.add_row(*map(escape, cells), *(cell for v in row for cell in _found(v)))
    return table


def _found(verdict: Verdict) -> tuple[str, str]:
    word = verdict.word
    return escape(verdict.measured), f"[{COLORS[word]}]{word}[/]"


def _as_json(verdict: Verdict) -> dict[str, object]:
    claim = verdict.claim
    return {
        "figure": claim.figure,
        "scale": verdict.scale,
        "claim": claim.sentence,
        "threshold": claim.threshold,
        "from": claim.origin,
        "measured": verdict.value if math.isfinite(verdict.value or 0.0) else verdict.measured,
        "verdict": verdict.word,
        "missing": verdict.reason,
    }


if __name__ == "__main__":
    main()
