"""The table of claims in a page of docs: each row says when, and at which commit, it was measured.

Runs take hours and a workspace seldom holds all of them. So a claim whose runs are not there keeps
the row that it has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from plots.verdicts import FAILS, HOLDS, NO_DATA, Verdict

_BAR = re.compile(r"(?<!\\)\|")  # of a table, not of a sentence
_MARK = "<!-- table -->"
_HEAD = ["| Figure | Claim | Threshold | From | Measured | | Runs |", "| --- " * 7 + "|"]


def with_verdicts(page: str, verdicts: Sequence[Verdict], when: str, about: str) -> str:
    """Replace the table of a page; the words around it stay.

    Args:
        page: the text, with the table between two marks.
        verdicts: of all claims of the page.
        when: date and commit of these verdicts.
        about: scale and machine of the runs.

    Returns:
        the text with a row for each claim that was measured now or before.
    """
    before, table, after = page.split(_MARK)
    rows_before = [row for row in map(_cells_of, table.splitlines()) if len(row) == 7]
    known = {tuple(row[:3]): row for row in rows_before}
    rows = [_row(verdict, when) or known.get(_key(verdict)) for verdict in verdicts]
    measured = [row for row in rows if row]
    lines = ["| " + " | ".join(row) + " |" for row in measured]
    text = "\n".join(["", f"{about} {_summary(measured)}", "", *_HEAD, *lines, ""])
    return before + _MARK + text + _MARK + after


def _row(verdict: Verdict, when: str) -> list[str] | None:
    """The cells of a claim that was measured."""
    if verdict.word == NO_DATA:
        return None
    return [*_key(verdict), verdict.claim.origin, verdict.measured, verdict.word, when]


def _key(verdict: Verdict) -> tuple[str, str, str]:
    claim = verdict.claim
    return claim.figure, claim.sentence.replace("|", "\\|"), claim.threshold


def _cells_of(line: str) -> list[str]:
    """The cells of a line of a table.

    >>> _cells_of("| B1 | slope | ≥ 1 | theorem | 1.2 | holds | 2026-11-27, 1234567 |")
    ['B1', 'slope', '≥ 1', 'theorem', '1.2', 'holds', '2026-11-27, 1234567']
    """
    return [cell.strip() for cell in _BAR.split(line.strip())[1:-1]]


def _summary(rows: Sequence[Sequence[str]]) -> str:
    words = [row[5] for row in rows]
    return (
        f"{len(words)} claims were measured: {words.count(HOLDS)} hold, {words.count(FAILS)} fail."
    )
