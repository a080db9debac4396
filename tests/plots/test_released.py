"""Runs in the format of the paper's code, written here, as results, figures and claims."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from errors import refuses
from small_texts import SMALL, TEST, TRAIN, VALID, place
from wording import is_told

from experiments.toy_models.smaller.balanced_x_smaller_longer_perclass import experiments
from optexp_jax import Experiment, MiniBatch, Problem
from optexp_jax.cli.package_main import discover
from optexp_jax.datasets import PTB, WikiText103
from optexp_jax.datasets.text import BPE, Streams, corpora
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results import release_ids as released
from optexp_jax.results.released import load_released
from plots import appendix_figures, claims, command
from plots.runs import MissingRunsError, Runs

LONG = "toy_models.smaller.balanced_x_smaller_longer_perclass"
SLOW = next(e for e in experiments if e.optimizer == SGD(LearningRate(-2)))
EPOCHS = [0, 100, 1000, 10_000]
OVERALL = [4.8, 4.7, 4.0, 0.5]
RARE = [4.8, 5.7, 5.1, 0.4]  # of the rarest classes, the last half of the 127
AN_ID = "0123456789abcdef0123456789abcdef01234567"


def rows_of(epochs=EPOCHS, overall=OVERALL, classes=127, **columns):
    """A table as wandb has it: its own columns first, and a list in each row."""
    by_class = [
        np.r_[np.full(classes // 2, loss), np.full(classes - classes // 2, rare)]
        for loss, rare in zip(overall, RARE, strict=False)
    ]
    return pd.DataFrame(
        {
            "_step": range(len(epochs)),
            "epoch": epochs,
            "tr_CrossEntropyLoss": overall,
            "va_CrossEntropyLoss": overall,
            "tr_Accuracy": 0.5,
            "live_train_loss": [np.nan, *overall[1:]],
            "tr_CrossEntropyLossPerClass": by_class,
        }
        | columns
    )


def release(workspace, experiment, rows, release_id=None):
    """Place a table where the released archive has it."""
    path = workspace / "wandb_cache" / experiment.group
    path.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(path / f"{release_id or released.release_id(experiment)}.parquet")


def test_every_run_of_the_paper_has_an_id_of_its_own():
    everything = {
        (e.group, e.id): e for members in discover("experiments").values() for e in members
    }
    ids = [i for e in everything.values() if (i := released.release_id(e))]
    assert len(ids) == len(set(ids)) == 3436
    assert all(len(i) == 40 and set(i) <= set("0123456789abcdef") for i in ids)


def test_rows_and_classes_of_a_table(tmp_path):
    release(tmp_path, SLOW, rows_of().iloc[::-1])  # in any order
    run = released.load(SLOW, tmp_path)
    assert run.status == "done"
    assert run.table["step"].tolist() == run.table["epoch"].tolist() == EPOCHS
    assert run.table["tr_CrossEntropyLoss"].tolist() == OVERALL
    assert "live_train_loss" not in run.table
    assert run.class_counts.tolist()[:4] == [128, 64, 64, 32]
    groups = SLOW.problem.dataset.groups(run.class_counts)
    means = run.group_means("tr_CrossEntropyLossPerClass", groups)
    np.testing.assert_allclose(means[:, 0], OVERALL, rtol=1e-6)
    np.testing.assert_allclose(means[:, -1], RARE, rtol=1e-6)


def test_the_same_from_text_on_the_machine_that_ran_it(tmp_path):
    release(tmp_path, SLOW, rows_of())
    from_wandb = released.load(SLOW, tmp_path)
    (tmp_path / "wandb_cache").rename(tmp_path / "elsewhere")
    folder = tmp_path / "experiments" / "Linear" / released.release_id(SLOW)
    folder.mkdir(parents=True)
    (folder / "2023-01-01--00-00-00.csv").write_text("older and cut sh")
    as_lists = [row.tolist() for row in rows_of()["tr_CrossEntropyLossPerClass"]]
    rows_of(tr_CrossEntropyLossPerClass=as_lists).to_csv(folder / "2023-02-01--00-00-00.csv")
    run = released.load(SLOW, tmp_path)
    pd.testing.assert_frame_equal(run.table, from_wandb.table)
    for name, array in from_wandb.per_class.items():
        np.testing.assert_array_equal(run.per_class[name], array)


def test_a_run_that_ends_early_diverged(tmp_path):
    words = ["4.8", "5.1", "Infinity"]  # as wandb writes what is not finite
    release(tmp_path, SLOW, rows_of([0, 1, 2], [4.8, 5.1, 9.9], tr_Accuracy=words))
    run = released.load(SLOW, tmp_path)
    assert (run.status, run.details["step"]) == ("diverged", 2)
    assert run.table["tr_Accuracy"].tolist() == [4.8, 5.1, np.inf]
    release(tmp_path, SLOW, pd.DataFrame())
    assert released.load(SLOW, tmp_path).status == "diverged"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (rows_of().drop(columns="epoch"), "'epoch'"),
        (rows_of(classes=130), r"\b130\b.*\b127\b"),
        (rows_of(tr_Accuracy="high"), "high"),
    ],
)
def test_a_table_of_something_else_is_named(tmp_path, rows, reason):
    release(tmp_path, SLOW, rows)
    with refuses("released-run-unreadable", why=re.compile(reason)):
        released.load(SLOW, tmp_path)


def test_a_file_that_is_cut_short_is_named(tmp_path):
    release(tmp_path, SLOW, rows_of())
    (path,) = tmp_path.glob("wandb_cache/*/*")
    path.write_bytes(path.read_bytes()[:100])
    with refuses("released-run-unreadable", path=path):
        released.load(SLOW, tmp_path)


def of_text(dataset, **length):
    model = Linear(dataset.num_classes, dataset.num_classes)
    problem = Problem(model, dataset, CrossEntropy(), MiniBatch(2, shuffle=False))
    return Experiment(problem, SGD(LearningRate(-1)), "text", per_class=True, **length)


def test_epochs_of_mini_batches_are_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "EXPECTED", {})
    place(tmp_path, corpora.PTB, [TRAIN, VALID, TEST])
    dataset = PTB(**SMALL)
    data = dataset.load(tmp_path)
    per_epoch = MiniBatch(2).steps_per_epoch(len(data.train))
    assert per_epoch > 1
    experiment = of_text(dataset, epochs=3)
    release(tmp_path, experiment, rows_of([0, 1, 2, 3], classes=11), AN_ID)  # not all 13 appear
    run = load_released(experiment, tmp_path, AN_ID)
    assert run.table["step"].tolist() == [0, per_epoch, 2 * per_epoch, 3 * per_epoch]
    assert run.table["epoch"].tolist() == [0, 1, 2, 3]
    assert run.per_class["tr_CrossEntropyLossPerClass"].shape == (4, 13)
    assert np.isnan(run.per_class["tr_CrossEntropyLossPerClass"][:, 11:]).all()
    np.testing.assert_array_equal(run.class_counts, data.class_counts)
    assert run.measured_counts["va"].sum() == (data.validation.labels >= 0).sum()


def test_pieces_of_words_are_counted_in_the_order_of_the_paper(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "EXPECTED", {})
    place(tmp_path, corpora.WIKITEXT103, [TRAIN, VALID, TEST])
    dataset = WikiText103(BPE(30), Streams(2, 3))
    experiment = of_text(dataset, steps=300)
    rows = rows_of([0, 100, 200, 300], classes=30).rename(columns={"epoch": "step"})
    rows = rows.rename(columns={"va_CrossEntropyLoss": "val_CrossEntropyLoss"})
    release(tmp_path, experiment, rows, AN_ID)
    run = load_released(experiment, tmp_path, AN_ID)
    assert run.status == "done"
    assert run.table["step"].tolist() == [0, 100, 200, 300]
    assert run.table["va_CrossEntropyLoss"].tolist() == OVERALL
    own = dataset.load(tmp_path).class_counts
    assert run.class_counts.tolist() == [own[0], *sorted(own[1:], reverse=True)]


def test_figures_and_claims_are_of_the_released_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    for experiment in experiments:
        scale = 1.0 + float(experiment.optimizer.learning_rate)  # 10^-4 ends lowest
        release(tmp_path, experiment, rows_of(overall=[scale * loss for loss in OVERALL]))
    assert claims.check_claims(["--figure", "20", "--source", "paper", "--json"]) == 0
    verdicts = json.loads(capsys.readouterr().out)
    linear, cnn = verdicts[:3], verdicts[3:]
    assert [claim["verdict"] for claim in linear] == ["holds", "holds", "holds"]
    assert linear[2]["measured"] == pytest.approx(0.4 / 4.8)
    assert {claim["verdict"] for claim in cnn} == {"no data"}
    assert cnn[0]["missing"]
    chosen = Runs(tmp_path, "paper", "paper").chosen(LONG)
    assert chosen.of(SGD, False)[0].experiment.optimizer.learning_rate == LearningRate(-4)


def test_what_is_not_there_says_where_it_is_looked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    for figure in ("12", "26"):
        options = ["--figure", figure, "--source", "paper"]
        assert command.draw_figures("appendix_figures", appendix_figures.FIGURES, options) == 1
    said = capsys.readouterr()
    said = said.out + said.err
    assert f"{tmp_path}/wandb_cache/*/<release id>.parquet" in said
    assert is_told("nothing-released", said)
    assert not list(tmp_path.glob("plots/**/*.p*"))


def test_a_claim_needs_every_run_of_its_group(tmp_path):
    release(tmp_path, SLOW, rows_of())
    with refuses("runs-missing", MissingRunsError, modules=(LONG,)):
        Runs(tmp_path, "paper", "paper", whole=True).of(LONG)
    found = Runs(tmp_path, "paper", "paper").of(LONG)
    assert [r.status for r in found].count("done") == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--scale", "small"], "nothing-released"), (["--run-missing"], "run-missing-with-paper")],
)
def test_impossible_wishes_are_refused(tmp_path, monkeypatch, options, code):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path))
    with refuses(code):
        command.draw_figures(
            "appendix_figures", appendix_figures.FIGURES, ["--source", "paper", *options]
        )


def test_an_experiment_of_ours_has_no_released_run():
    ours = dataclasses.replace(SLOW, group="mine")
    assert released.release_id(ours) is None
