"""`--help` of a module of experiments is the same as ever, and needs no JAX."""

import importlib
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from optexp_jax.cli.early_help import answer_help
from plots.command import numbers_of
from plots.options import NUMBERS, parser_of

ROOT = Path(__file__).parents[2]
MODULES = (
    "experiments",
    "experiments.beyond",
    "experiments.linreg_perclass",
    "experiments.beyond.edge",
)
PLOTS = ("plots.claims", *(f"plots.{name}" for name in NUMBERS))


def answered(*options, package="experiments"):
    """Whether help was shown, before the module was looked at."""
    try:
        answer_help(package, str(ROOT / package), ["python", "-m", *options])
    except SystemExit as end:
        return end.code == 0
    return False


@pytest.mark.parametrize("module", MODULES)
def test_early_help_is_that_of_the_module(module, monkeypatch, capsys):
    assert answered(module, "--local", "--help")
    early = capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    monkeypatch.delitem(sys.modules, module, raising=False)  # of another test
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert capsys.readouterr().out == early


@pytest.mark.parametrize(
    "options",
    [
        ("experiments.linreg_perclass", "--test"),
        ("experiments.no_such_module", "--help"),
        ("experiments.small_forms", "--help"),  # no command
        ("pytest", "experiments", "--help"),
        (),
    ],
)
def test_anything_else_is_left_to_python(options, capsys):
    assert not answered(*options)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("module", PLOTS)
def test_early_help_of_figures_is_that_of_the_module(module, monkeypatch, capsys):
    with pytest.raises(SystemExit, match="0"):
        answer_help("plots", str(ROOT / "plots"), ["-m", module, "--help"], parser_of)
    early = capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert capsys.readouterr().out == early


@pytest.mark.parametrize("module", [name for name in PLOTS if name != "plots.claims"])
def test_help_names_the_figures_that_a_module_draws(module):
    figures = importlib.import_module(module).FIGURES
    assert f"Draw figures: {numbers_of(figures)}." in parser_of(module).format_help()


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        (("-m", "experiments.linreg"), "python -m experiments.linreg ACTION"),
        (("-m", "plots.make_all_plots"), "python -m plots.make_all_plots [-h]"),
        (("-m", "plots.claims"), "python -m plots.claims [-h]"),
        (("-m", "optexp_jax.results"), "python -m optexp_jax.results [-h]"),
        (("-m", "optexp_jax.cli.commands", "datasets"), "python -m optexp_jax.datasets [-h]"),
        (("-m", "optexp_jax.cli.commands", "results"), "python -m optexp_jax.results [-h]"),
    ],
)
def test_help_imports_neither_jax_nor_pandas(command, usage):
    command = [sys.executable, "-X", "importtime", *command, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "optexp_jax.cli.guard" in imported
    assert not {"jax", "pandas", "numpy"} & imported
    assert done.stdout.startswith(f"usage: {usage}")
