"""The claims of the paper, checked on the runs in the workspace.

Command: python -m plots.claims [--scale paper|small] [--source ours|paper] [--figure N] [--json]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Sequence
from typing import NoReturn

from rich.markup import escape
from rich.progress import track
from rich.table import Table

from optexp_jax.cli import options
from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from plots.claim import Claim
from plots.figures import CLAIMS
from plots.runs import SCALES, SOURCES, Runs

NO_DATA = "no data"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Args:
        claim: the claim.
        value: what was measured, None without runs.
        reason: what is missing, empty where nothing is.
    """

    claim: Claim
    value: float | None
    reason: str = ""

    @property
    def word(self) -> str:
        """Holds, fails, or no data."""
        if self.value is None:
            return NO_DATA
        return "holds" if self.claim.holds(self.value) else "fails"

    @property
    def measured(self) -> str:
        """The number in words: three digits, `undefined` where the runs give none."""
        if self.value is None:
            return ""
        return "undefined" if math.isnan(self.value) else f"{self.value:.3g}"


def judged(claim: Claim, runs: Runs) -> Verdict:
    """Evaluate a claim; one without runs is no failure."""
    try:
        return Verdict(claim, float(claim.measure(runs)))
    except OptexpError as missing:
        return Verdict(claim, None, str(missing))


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """`python -m plots.claims`; ends the process."""
    raise SystemExit(guarded(lambda: check_claims(argv)))


def check_claims(argv: Sequence[str] | None = None) -> int:
    """Show every claim; 0 also where some fail, as that is a result."""
    args = _parser().parse_args(argv)
    settings, console = Settings.from_env(), make_console()
    claims = [c for c in CLAIMS if args.figure in (None, *c.figure.split(", "))]
    if not claims:
        raise OptexpError(
            f"No claim is about figure '{args.figure}'.", code="no-claim", figure=args.figure
        )
    runs = Runs(settings.workspace, args.scale, args.source, whole=True)
    shown = track(claims, "claims", console=console, disable=args.json, transient=True)
    verdicts = [judged(claim, runs) for claim in shown]
    if args.json:
        rows = [_as_json(v) for v in verdicts]
        print(json.dumps(rows, indent=1, allow_nan=False))
        return 0
    console.print(_table(verdicts))
    console.print(summary(verdicts))
    for reason in dict.fromkeys(v.reason for v in verdicts if v.reason):
        console.print(escape(reason), soft_wrap=True, highlight=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = options.Parser(
        prog="python -m plots.claims",
        allow_abbrev=False,
        description="Check the claims of the paper.",
        epilog="Example: python -m plots.claims --scale small",
    )
    parser.add_argument("--scale", choices=SCALES, default="paper", help="of the runs")
    parser.add_argument(
        "--source", choices=SOURCES, default="ours", help="our runs, or those the paper released"
    )
    parser.add_argument("--figure", metavar="N", help="only claims of this figure")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table()
    table.add_column("figure")
    table.add_column("claim", overflow="fold")
    table.add_column("threshold", justify="right")
    table.add_column("from")
    table.add_column("measured", justify="right")
    table.add_column("", no_wrap=True)
    colors = {"holds": "green", "fails": "red", NO_DATA: "dim"}
    for v in verdicts:
        word = f"[{colors[v.word]}]{v.word}[/]"
        claim = v.claim
        cells = (claim.figure, claim.sentence, claim.threshold, claim.origin, v.measured)
        table.add_row(*map(escape, cells), word)
    return table


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many hold, fail, and have no data."""
    words = [v.word for v in verdicts]
    counts = (words.count(word) for word in ("holds", "fails", NO_DATA))
    return "{} claims: {} hold, {} fail, {} without data.".format(len(words), *counts)


def _as_json(verdict: Verdict) -> dict[str, object]:
    claim = verdict.claim
    return {
        "figure": claim.figure,
        "claim": claim.sentence,
        "threshold": claim.threshold,
        "from": claim.origin,
        "measured": verdict.value if math.isfinite(verdict.value or 0.0) else verdict.measured,
        "verdict": verdict.word,
        "missing": verdict.reason,
    }


if __name__ == "__main__":
    main()
