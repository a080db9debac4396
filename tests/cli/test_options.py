"""Numbers of the command line: plain digits, or a sentence."""

import argparse

import pytest

from optexp_jax.cli import options

ODD = ["²", "\u0661", "1_0", " 1", "1\n", "+1", "1e3", "1.0", "", "9" * 5000]


@pytest.mark.parametrize("text", [*ODD, "0", "-1"])
@pytest.mark.parametrize("read", [options.positive, options._number_or_auto])
def test_what_is_no_number_from_one(read, text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number from 1"):
        read(text)


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_number_of_a_run(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"^invalid int value: "):
        options._whole(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "-1", "soon", ""])
def test_what_is_no_number_of_seconds(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number of seconds from 0"):
        options._seconds(text)


def test_numbers_are_read():
    assert options.positive("007") == 7
    assert options._whole("-3") == -3
    assert options._number_or_auto("auto") == "auto"
    assert options._seconds("2.5") == 2.5
