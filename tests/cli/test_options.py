"""Numbers of the command line: plain digits, or a sentence."""

import argparse

import pytest

from optexp_jax.cli import options
from optexp_jax.runner.options import RunOptions

ODD = ["²", "\u0661", "1_0", " 1", "1\n", "+1", "1e3", "1.0", "", "9" * 5000]


@pytest.mark.parametrize("text", [*ODD, "0", "-1"])
@pytest.mark.parametrize("read", [options.positive, options._number_or_auto])
def test_what_is_no_number_from_one(read, text):
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_number_of_a_run(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"^invalid int value: "):
        options._whole(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "-1", "soon", ""])
def test_what_is_no_number_of_seconds(text):
    with pytest.raises(argparse.ArgumentTypeError):
        options._seconds_or_auto(text)


def test_numbers_are_read():
    assert options.positive("007") == 7
    assert options._whole("-3") == -3
    assert options._number_or_auto("auto") == "auto"
    assert options._seconds_or_auto("2.5") == 2.5
    assert options._seconds_or_auto("auto") == "auto"


def parsed(*argv):
    parser = argparse.ArgumentParser()
    options.add_run_options(parser)
    return parser.parse_args(argv)


def test_nothing_on_the_command_line_is_the_defaults_of_run_options():
    assert options.run_options(parsed()) == RunOptions()
    assert options.run_options(parsed(), devices=4) == RunOptions(devices=4)


@pytest.mark.parametrize("force", ["-f", "--force", "--force-rerun"])
def test_every_option_reaches_its_field(force):
    argv = [
        "--pack",
        "3",
        "--micro-batch",
        "5",
        "--devices-per-run",
        "2",
        "--shard",
        "fsdp",
        "--remat",
        "--pack-mode",
        "vmap",
        "--checkpoint-every",
        "0.5",
    ]
    assert options.run_options(parsed(force, *argv), devices=4) == RunOptions(
        force=True,
        pack=3,
        micro_batch=5,
        devices=2,
        shard="fsdp",
        remat=True,
        pack_mode="vmap",
        checkpoint_seconds=0.5,
    )
