"""What a newcomer reads first: help texts, the list of groups, and what a test says it will do."""

import subprocess
import sys

import pytest

from experiments.linreg_perclass import experiments
from experiments.small import small
from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.cli import commands, group_list
from optexp_jax.cli.datasets_main import parser as datasets_parser
from optexp_jax.cli.estimate import announcement, seconds_at
from optexp_jax.cli.group_list import Group, lines
from optexp_jax.cli.options import parser_of
from optexp_jax.cli.package_options import parser_of_package
from optexp_jax.cli.results.parser import parser as results_parser
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.losses import SquaredLoss
from optexp_jax.models import Linear
from optexp_jax.optim import SGD

PARSERS = {
    "module": lambda: parser_of("python -m experiments.linreg_perclass"),
    "package": lambda: parser_of_package("experiments"),
    "results": results_parser,
    "datasets": datasets_parser,
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("columns", ["80", "200"])
def test_help_fits_80_columns_and_has_titles_and_examples(name, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    text = PARSERS[name]().format_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "examples:" in text
    assert any(title in text for title in ("actions (choose one):", "commands:"))


@pytest.mark.parametrize("name", ["module", "package"])
def test_options_stand_in_groups_with_titles(name):
    text = PARSERS[name]().format_help()
    for title in ("which runs:", "how to run them:", "cluster (with --slurm):"):
        assert f"\n{title}\n" in text


def test_the_help_of_optexp_fits_too():
    assert max(map(len, commands._help().splitlines())) <= 80


LONG = Group("m" * 70, "g" * 66, ["done", "damaged", "missing"], False, None, "4, 7, 9, 22, 26")
SHORT = Group("linreg", "LinReg", ["done"] * 2, True, 90.0, "none")


def test_the_list_fits_80_columns_and_cuts_no_name():
    listed = list(lines([LONG, LONG._replace(name="other"), SHORT]))
    assert max(map(len, listed)) <= 80
    text = "\n".join(listed)
    assert text.count(LONG.module) == 1
    assert LONG.name in text
    assert "figure 4, 7, 9, 22, 26" in text
    assert "figure none" not in text
    assert listed[-1].split() == ["LinReg", "2", "2", "0", "0", "0", "yes", "1.5"]
    assert listed[-3].split() == ["other", "3", "1", "0", "1", "1", "no", "?"]


def test_the_figure_comes_from_the_module():
    from experiments.toy_models import balanced_x

    assert group_list.figure_of(balanced_x.__doc__) == "4, 22"


def test_a_test_says_what_it_runs_and_for_how_long():
    said = announcement(experiments[0], len(experiments), 15.0, 2.0)
    assert said == "Testing 1 of 8 experiments: SGD 10^0, 2000 steps, about 20 s."


@pytest.mark.parametrize("seconds", [None, 30.0])
def test_a_long_test_names_the_small_scale(seconds):
    said = announcement(experiments[0], 8, seconds, 2.0)
    assert said.endswith("; --scale small takes about 7 s.")
    assert ("about 35 s" in said) == (seconds is not None)


def test_seconds_of_the_small_form_are_known():
    first = small(experiments)[0]
    known = seconds_at("small", experiments, small, first)
    assert known is not None
    assert known == seconds_at("small", experiments, small)
    assert 0 < known < 60
    assert seconds_at("small", experiments, lambda runs: list(runs)) is None


def test_a_single_experiment_of_ones_own_has_no_estimate():
    problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())
    one = Experiment(problem, SGD(LearningRate(0)), "own", epochs=3)
    assert announcement(one, 1, None) == "Testing 1 of 1 experiment: SGD 10^0, 3 epochs."


def test_optexp_help_is_fast_to_import():
    code = "import optexp_jax.cli.commands, sys; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
