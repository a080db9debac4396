"""The page of experiments is that of the declarations."""

import pytest

from tools import make_experiments
from tools.make_experiments import described, without_times


def test_the_page_is_that_of_the_declarations():
    """Run `python -m tools.make_experiments` after a change. Times are of one machine."""
    committed = make_experiments.PAGE.read_text(encoding="utf-8")
    assert without_times(committed) == without_times(make_experiments.page())


def test_a_page_without_times_has_all_else():
    text = "| a | b | 3.2 | c |\n\n5 runs in all; at small scale about 61 minutes.\n"
    changed = text.replace("3.2", "4.1").replace("61", "70")
    assert without_times(changed) == without_times(text)
    for other in (text.replace("b |", "d |"), text.replace("5 runs", "6 runs")):
        assert without_times(other) != without_times(text)


def test_a_module_that_does_not_say_what_to_expect_is_named():
    with pytest.raises(ValueError, match="Time, Expected"):
        described("A grid.\n\nFigure: 1\nCommand: python -m experiments.a --local\n")
