"""The search of learning rates for small runs, and that its file is whole."""

import itertools
from fractions import Fraction

import pytest

from experiments.small.rates import pilot
from optexp_jax.config import Settings
from optexp_jax.runner.display import Silent
from optexp_jax.runner.local import Outcome
from tools.pilot import climb, found, searches


def test_the_pilot_has_every_family_and_optimizer_that_is_run():
    assert {(family, kind) for family in pilot() for kind in pilot()[family]} >= set(searches())
    for kinds in pilot().values():
        for entry in kinds.values():
            assert Fraction(entry["exponent"]).denominator in (1, 2)
            assert 0 < entry["ms_per_step"] < 1000


@pytest.mark.parametrize("start", [-3, -1, 2])
def test_the_pilot_follows_the_best_step_size_and_tries_new_ones_only(start):
    tried = [set()]

    def evaluate(exponents):
        tried.append(set(exponents))
        return min(exponents, key=lambda x: abs(x - Fraction(-1, 2)))

    assert climb(Fraction(start), evaluate) == Fraction(-1, 2)
    assert all(before < after for before, after in itertools.pairwise(tried))
    assert {-1, Fraction(-1, 2), 0} <= tried[-1]


def test_a_stopped_pilot_ends(monkeypatch, tmp_path):
    calls = []

    def stopped(runs, settings, **kwargs):
        calls.append(runs)
        return Outcome(stopped=15)

    monkeypatch.setattr("tools.pilot.run_local", stopped)
    with pytest.raises(SystemExit, match="143"):
        found(next(iter(searches().values())), Settings(workspace=tmp_path), Silent())
    assert len(calls) == 1
