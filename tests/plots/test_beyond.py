"""Figures of what the paper did not run, from runs that nobody trained, and measures of theirs."""

import math

import numpy as np
import pandas as pd
import pytest
from fabricated import fabricate

from experiments.small import small
from optexp_jax.plotting import save
from optexp_jax.results.load import Results
from optexp_jax.results.selection import method_of
from plots import claims
from plots.beyond import CLAIMS, FIGURES
from plots.beyond.b1_zipf import steps_to
from plots.beyond.b3_memory import point
from plots.claims import judged
from plots.runs import Runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The workspace, with one learning rate of each method of a problem."""
    found = Runs(tmp_path_factory.mktemp("beyond"), "small")
    for module in dict.fromkeys(m for figure in FIGURES for m in figure.modules):
        first = {
            (e.problem, method_of(e.optimizer), e.seed): e for e in found.experiments(module)[::-1]
        }
        # Rates of their own are what two figures are about.
        made = found.experiments(module) if "zipf" in module else first.values()
        for experiment in made:
            fabricate(found.workspace, experiment)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.number)
def test_every_figure_is_a_small_file(runs, figure):
    (file,) = save(figure.draw(runs), runs.workspace / "plots", figure.file, ["pdf"])
    assert file.read_bytes().startswith(b"%PDF")
    assert file.stat().st_size < 300_000


@pytest.mark.slow
def test_claims_beyond_the_paper_are_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    assert claims.check_claims(["--beyond", "--scale", "small"]) == 0
    captured = capsys.readouterr()
    assert f"{len(CLAIMS)} claims: 0 hold, 0 fail, {len(CLAIMS)} without data." in captured.out
    assert "python -m experiments.beyond.zipf --local --scale small" in captured.out


@pytest.mark.slow
def test_all_have_no_data_in_an_empty_workspace(tmp_path):
    words = {judged(claim, Runs(tmp_path, "small", whole=True)).word for claim in CLAIMS}
    assert words == {"no data"}


def a_run(losses, by_class=None):
    steps = np.arange(len(losses))
    table = pd.DataFrame({"step": steps, "tr_SquaredLoss": losses})
    arrays = {} if by_class is None else {"tr_CrossEntropyLossPerClass": by_class}
    return Results(None, "done", table, arrays, steps, np.ones(2), {})


def test_steps_to_a_share_lie_between_steps_and_last():
    assert steps_to(a_run(0.5 ** np.arange(6)), 0.25) == pytest.approx(2.0)
    assert steps_to(a_run(0.5 ** np.arange(6)), 0.5**2.5) == pytest.approx(2.5)
    jumps = [1.0, 0.2, 0.9, 0.25, 0.25]  # below a share for one step only
    assert 2 < steps_to(a_run(np.array(jumps)), 0.25) <= 3
    assert math.isnan(steps_to(a_run(np.array([1.0, 0.9])), 0.25))


def test_the_least_probability_is_that_when_the_likeliest_class_is_learned():
    by_class = -np.log([[0.5, 0.5], [0.8, 0.3], [0.95, 0.2], [0.99, 0.9]])
    assert point(a_run(np.ones(4), by_class)) == (2, pytest.approx(0.2))
    assert point(a_run(np.ones(2), by_class[:2])) is None


def test_small_forms_are_those_of_the_module():
    from experiments.beyond import zipf

    assert len(small(zipf.experiments)) == len(zipf.experiments)
