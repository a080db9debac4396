"""`--help` of a module of experiments is the same as ever, and needs no JAX."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from optexp_jax.cli.early_help import answer_help

ROOT = Path(__file__).parents[2]
MODULES = (
    "experiments",
    "experiments.beyond",
    "experiments.linreg_perclass",
    "experiments.beyond.edge",
)


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


def test_help_imports_neither_jax_nor_pandas():
    command = [sys.executable, "-X", "importtime", "-m", "experiments.linreg", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "optexp_jax.cli.options" in imported
    assert not {"jax", "pandas", "numpy", "rich.console"} & imported
    assert done.stdout.startswith("usage: python -m experiments.linreg ACTION")
