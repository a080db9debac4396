"""The table of claims in a page: rows whose runs are not here stay as they were measured."""

import pytest

from plots.claim import Claim
from plots.verdicts import Verdict
from tools.claims_table import with_verdicts

GAP = Claim("1", "the gap |r| is wide", lambda runs: 0.0, at_least=1.0)
SLOPE = Claim("2", "the slope is small", lambda runs: 0.0, at_most=0.5, origin="paper")
PAGE = "# Title\n\n<!-- table -->\nNothing yet.\n<!-- table -->\n\nThe end.\n"


def rows(page):
    return [line for line in page.splitlines() if line.startswith(("| 1", "| 2"))]


def test_what_was_measured_is_a_row_and_the_words_around_stay():
    page = with_verdicts(PAGE, [Verdict(GAP, 1.234), Verdict(SLOPE, None)], "today, abc", "Small.")
    assert page.startswith(
        "# Title\n\n<!-- table -->\nSmall. 1 claims were measured: 1 hold, 0 fail."
    )
    assert page.endswith("<!-- table -->\n\nThe end.\n")
    row = r"| 1 | the gap \|r\| is wide | ≥ 1 | our reading | 1.23 | holds | today, abc |"
    assert rows(page) == [row]


def test_a_row_without_runs_keeps_what_was_measured_before():
    page = with_verdicts(PAGE, [Verdict(GAP, 1.234), Verdict(SLOPE, 0.7)], "before, abc", "Small.")
    again = with_verdicts(page, [Verdict(GAP, None), Verdict(SLOPE, 0.1)], "now, def", "Small.")
    kept, measured = rows(again)
    assert kept == rows(page)[0]
    assert measured == "| 2 | the slope is small | ≤ 0.5 | paper | 0.1 | holds | now, def |"
    assert "2 claims were measured: 2 hold, 0 fail." in again
    assert with_verdicts(again, [Verdict(GAP, None), Verdict(SLOPE, None)], "x", "Small.") == again


def test_a_claim_with_another_threshold_is_another_claim():
    page = with_verdicts(PAGE, [Verdict(SLOPE, 0.1)], "before", "Small.")
    other = Claim("2", "the slope is small", lambda runs: 0.0, at_most=0.4, origin="paper")
    assert rows(with_verdicts(page, [Verdict(other, None)], "now", "Small.")) == []


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="unpack"):
        with_verdicts("# Title\n", [], "now", "Small.")
