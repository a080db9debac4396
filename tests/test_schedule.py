"""Schedules: which steps are recorded, and where chunks end."""

import dataclasses
import functools

import numpy as np
import pytest
from small_problems import (
    experiment,
    initial_parameters,
    random_problem,
)
from training_rows import alone, assert_same, train

import optexp_jax
from optexp_jax import Experiment, MiniBatch
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.schedule import Schedule, thinned


@pytest.mark.parametrize(("total", "every"), [(1, 1), (10, 3), (199, 1), (5000, 1), (5000, 7)])
def test_schedule(total, every):
    schedule = Schedule(total, every, 1)
    recorded = schedule.recorded(0, total + 1)
    assert recorded[0] == 0
    assert recorded[-1] == total
    assert sorted(set(recorded)) == recorded.tolist()
    assert set(recorded[:-1] % every) <= {0}
    pieces = [schedule.recorded(s, min(s + 13, total + 1)) for s in range(0, total + 1, 13)]
    np.testing.assert_array_equal(np.concatenate(pieces), recorded)
    by_class = schedule.by_class(recorded)
    assert len(by_class) <= 201
    assert by_class[0] == 0
    assert by_class[-1] == total
    assert set(by_class) <= set(recorded)
    np.testing.assert_array_equal(np.concatenate([schedule.by_class(p) for p in pieces]), by_class)
    assert len(thinned(total)) <= 200


def test_chunks_end_where_parameters_are_kept():
    schedule = Schedule(10, 1, 1, keep=(0, 4, 7, 10, 99))
    assert [schedule.chunk_end(s, 100) for s in (0, 4, 7)] == [4, 7, 10]
    assert schedule.chunk_end(4, 2) == 6


@pytest.mark.slow
def test_kept_parameters_equal_those_of_a_shorter_run(tmp_path):
    one = experiment(random_problem(), Adam(LearningRate(-2)), steps=9, keep_steps=(0, 4, 9, 50))
    optexp_jax.run(one, tmp_path)
    stored = tmp_path / "experiments" / "test" / one.id / "parameters"
    names = sorted(p.name for p in stored.iterdir())
    assert names == [f"step-{step:010d}.npz" for step in (0, 4, 9)]
    for step, name in zip((0, 4, 9), names, strict=True):
        with np.load(stored / name, allow_pickle=False) as archive:
            found = dict(archive)
        if step == 0:
            expected = initial_parameters(one)[0]
        else:
            shorter = dataclasses.replace(one, steps=step, keep_steps=(step,))
            expected = alone(shorter).kept[step]
        assert set(found) == {"kernel", "bias"}
        for path, leaf in found.items():
            np.testing.assert_array_equal(leaf, expected[path])
    plain = dataclasses.replace(one, keep_steps=())
    assert plain == one
    assert_same(alone(plain), dataclasses.replace(alone(one), kept={}))


def test_epochs_are_steps_of_mini_batches():
    problem = random_problem(batching=MiniBatch(7))
    by_epochs = Experiment(problem, SGD(LearningRate(-1)), "test", epochs=3, eval_every=2)
    rows = functools.reduce(lambda _, r: r, train(by_epochs).values())
    assert rows.table["step"].tolist() == [0, 8, 12]
    assert rows.table["epoch"].tolist() == [0, 2, 3]
    assert rows.per_class == {}
