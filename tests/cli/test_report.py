"""`--report`: whatever tells methods apart is a column, and the best learning rate has a star."""

import numpy as np
from small_workspaces import COUNTS, LOSS, PROBLEM, run

from optexp_jax import Experiment
from optexp_jax.cli.context import Context
from optexp_jax.cli.report import with_losses
from optexp_jax.cli.tables import report
from optexp_jax.config import Settings
from optexp_jax.optim import AdamW
from optexp_jax.results.store import RunFolder


def recorded(workspace, optimizer, final, how="done", seed=0, best=None):
    experiment = Experiment(PROBLEM, optimizer, group="a", steps=4, seed=seed)
    folder = RunFolder(workspace, experiment)
    folder.begin({"train": COUNTS}, total_steps=4)
    losses = np.array([2.0, 1.9, best or final, final, final])
    folder.append({"step": np.arange(5), "epoch": np.arange(5.0), LOSS: losses}, {}, np.arange(0))
    folder.finish(how, 4)
    return experiment, how


def cells(workspace, runs):
    table = report(with_losses(Context(Settings(workspace), None, ""), runs))
    return [c.header for c in table.columns], list(
        zip(*(c.cells for c in table.columns), strict=True)
    )


def test_decays_are_rows_of_their_own_with_stars_at_the_best(tmp_path):
    runs = []
    for decay, finals in ((0.0, (0.5, 0.25)), (0.1, (0.125, 0.375))):
        for rate, final in zip(("10^-3", "0.003"), finals, strict=True):
            for seed in (0, 1):
                optimizer = AdamW(rate, weight_decay=decay)
                best = final / 2 if seed else None
                runs.append(recorded(tmp_path, optimizer, final + seed / 8, seed=seed, best=best))
    headers, rows = cells(tmp_path, [*reversed(runs)])
    assert headers == [
        *("optimizer", "momentum", "weight_decay", "learning rate"),
        *("done", "best loss", "final loss"),
    ]
    assert rows == [
        ("AdamW", "0.9", "0.1", "10^-3", "2", "0.0625", "0.25 *"),
        ("AdamW", "0.9", "0.1", "0.003", "2", "0.1875", "0.5  "),
        ("AdamW", "0.9", "0", "10^-3", "2", "0.25", "0.625  "),
        ("AdamW", "0.9", "0", "0.003", "2", "0.125", "0.375 *"),
    ]


def test_a_diverged_run_has_no_star_and_unfinished_ones_no_loss(tmp_path):
    runs = [
        recorded(tmp_path, AdamW("10^-1"), np.inf, "diverged", best=1.5),
        (run(kind=AdamW, exponent=-2, per_class=False), "missing"),
    ]
    headers, rows = cells(tmp_path, runs)
    assert headers[-4:] == ["diverged", "missing", "best loss", "final loss"]
    assert [row[-2:] for row in rows] == [("", ""), ("1.5", "inf  ")]


def test_without_results_there_are_no_columns_of_losses(tmp_path):
    headers, _ = cells(tmp_path, [(run(), "missing")])
    assert headers == ["optimizer", "momentum", "learning rate", "missing"]


def test_a_method_with_one_learning_rate_has_no_star(tmp_path):
    runs = [recorded(tmp_path, AdamW("10^-3"), 0.5, seed=seed) for seed in (0, 1)]
    _, rows = cells(tmp_path, runs)
    assert rows == [("AdamW", "0.9", "10^-3", "2", "0.5", "0.5  ")]
