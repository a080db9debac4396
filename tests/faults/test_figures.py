"""Figures that cannot be written: one sentence, exit code 2, and nothing half-written."""

import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from errors import refuses
from matplotlib.figure import Figure
from wording import is_told

from optexp_jax.errors import OptexpError
from optexp_jax.plotting import save, style
from plots import command
from plots.make_all_plots import FIGURES

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def files_of_at_most(size):
    """A limit of the system on the size of files, which a full disk is like."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def figure():
    """A figure whose PDF is of 70 kB, all of it numbers."""
    with style.context():
        made = Figure(figsize=(1, 1))
        axes = made.subplots()
        axes.plot(np.random.default_rng(0).random(10_000))
        axes.set_axis_off()
    return made


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_a_disk_that_fills_up_is_one_sentence_at_whatever_byte(figure, kind, tmp_path):
    (path,) = save(figure, tmp_path, "whole", [kind])
    size = path.stat().st_size
    for limit in (0, 1, size // 3, size * 4 // 5, size * 9 // 10, size - 1):
        with files_of_at_most(limit), refuses("figure-unwritable", cause="File too large"):
            save(figure, tmp_path / "full", "figure", [kind])
        assert list((tmp_path / "full").iterdir()) == []


def test_an_old_figure_stays_where_a_new_one_cannot_be_written(figure, tmp_path):
    (path,) = save(figure, tmp_path, "figure", ["png"])
    before = path.read_bytes()
    with files_of_at_most(1000), pytest.raises(OptexpError):
        save(figure, tmp_path, "figure", ["png"])
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", ["file", "/proc", "/dev/null"])
@pytest.mark.parametrize("figures", ["legends", "legends,6"])
def test_a_command_that_cannot_write_its_figures(place, figures, tmp_path, monkeypatch, capsys):
    """In this process, and in others for several figures."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / place / "x"))
    if "," in figures:
        monkeypatch.setattr(command, "_all", lambda *a: map(command._draw, jobs_of(*a)))
    with pytest.raises(SystemExit) as ended:
        command.main("make_all_plots", FIGURES, ["--figure", figures, "--scale", "small"])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert is_told("figure-unwritable", said, name="legends")
    assert said.count("\n") == 1


def jobs_of(module, figures, runs, folder, kinds):
    return [(module, figure.number, runs, folder, kinds) for figure in figures]


SCRIPT = """
import os, sys
import optexp_jax.plotting, matplotlib
assert "matplotlib.pyplot" not in sys.modules
print(os.environ["MPLBACKEND"], dict.__getitem__(matplotlib.rcParams, "backend"))
"""


@pytest.mark.slow
def test_a_backend_that_is_there_is_taken():
    """One that is not there is among what `test_output` sets."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"MPLBACKEND": "svg"},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "svg svg\n", "")
