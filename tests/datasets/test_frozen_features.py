"""Frozen features: against a slow computation, cached, and a function of their fields only."""

import dataclasses
import re
import shutil

import jax
import numpy as np
import pytest
from errors import refuses

from optexp_jax import Experiment, FullBatch, LearningRate, Problem, run
from optexp_jax.datasets import PTB, Facts, Sequences, Streams, TinyPTB, Words, frozen_features
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.frozen_features import FrozenFeatures
from optexp_jax.datasets.text import corpora
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import AttentionFeatures, Linear, sinusoidal_positions
from optexp_jax.optim import SGD

TEXTS = ["the cat sat on the mat and the dog sat on the cat " * 3, "the dog saw a mat " * 4,
         "a cat saw the dog and the mat " * 3]  # fmt: skip
SMALL = FrozenFeatures(width=6, text=PTB(Words(9), Streams(3, 5)))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "EXPECTED", {})
    folder = corpora.PTB.folder(tmp_path)
    folder.mkdir(parents=True)
    for name, text in zip(corpora.PTB.files, TEXTS, strict=True):
        (folder / name).write_text(text)
    return tmp_path


def slow_features(params, tokens):
    """x + attention(x), position by position."""
    width = params["embedding"].shape[1]
    x = params["embedding"][tokens] * np.sqrt(width) + sinusoidal_positions(len(tokens), width)
    heads = params["block"]["attention"]
    q, k, v = (
        x @ heads[n]["kernel"][:, 0] + heads[n]["bias"][0] for n in ("query", "key", "value")
    )
    out = np.zeros_like(x)
    for t in range(len(tokens)):
        scores = np.exp(k[: t + 1] @ q[t] / np.sqrt(width))
        out[t] = (scores / scores.sum()) @ v[: t + 1]
    return x + out @ heads["out"]["kernel"][0] + heads["out"]["bias"]


@pytest.mark.slow
def test_features_agree_with_a_slow_computation(workspace):
    data, text = SMALL.load(workspace), SMALL.text.load(workspace)
    model = AttentionFeatures(SMALL.text.vocabulary, 6)
    start = np.zeros((1, 5), np.int32)
    params = jax.tree.map(
        lambda p: np.asarray(p, np.float64), model.init(jax.random.key(0), start)["params"]
    )
    for found, tokens in ((data.train, text.train), (data.validation, text.validation)):
        inside = np.asarray(tokens.labels) >= 0
        expected = np.stack([slow_features(params, np.asarray(row)) for row in tokens.inputs])
        np.testing.assert_allclose(found.inputs, expected[inside], rtol=1e-4, atol=1e-5)
        assert found.labels.tolist() == np.asarray(tokens.labels)[inside].tolist()
    assert data.train.inputs.dtype == np.float32
    assert np.array_equal(data.class_counts, text.class_counts)


@pytest.mark.slow
def test_a_proportion_is_the_first_positions(workspace):
    whole = SMALL.load(workspace)
    part = dataclasses.replace(SMALL, proportion=0.4).load(workspace)
    for one, other in ((part.train, whole.train), (part.validation, whole.validation)):
        kept = int(0.4 * len(other))
        assert 0 < len(one) == kept
        assert np.array_equal(one.inputs, other.inputs[:kept])
        assert np.array_equal(one.labels, other.labels[:kept])
    assert part.class_counts.sum() == len(part.train)
    assert len(part.class_counts) == 9  # classes that never appear stay


@pytest.mark.slow
def test_features_are_computed_once_and_again_when_anything_changes(workspace, monkeypatch):
    reports, computed = [], []
    compute = FrozenFeatures._compute
    monkeypatch.setattr(
        FrozenFeatures, "_compute", lambda self, *a: computed.append(self) or compute(self, *a)
    )
    assert not SMALL.is_prepared(workspace)
    SMALL.prepare(workspace, lambda *report: reports.append(report))
    assert [r for r in reports if r[0].startswith("Frozen")] == [
        (f"FrozenFeatures: {part}", n, n) for part, n in (("train", 36), ("validation", 15))
    ]
    assert SMALL.is_prepared(workspace)
    first = SMALL.load(workspace)
    assert isinstance(first.train.inputs, np.memmap)
    assert len(computed) == 1
    others = [
        dataclasses.replace(SMALL, seed=1),
        dataclasses.replace(SMALL, width=4),
        dataclasses.replace(SMALL, text=PTB(Words(9), Sequences(5))),
        dataclasses.replace(SMALL, text=PTB(Words(8), Streams(3, 5))),
        dataclasses.replace(SMALL, text=TinyPTB(Words(9), Streams(3, 5))),
    ]
    for other in others:
        assert not other.is_prepared(workspace)
        other.load(workspace)
    path = corpora.PTB.folder(workspace) / "ptb.train.txt"
    path.write_text(TEXTS[0].replace("dog", "cat"))
    assert not SMALL.is_prepared(workspace)
    assert not np.array_equal(SMALL.load(workspace).train.inputs, first.train.inputs)
    assert len(computed) == 7


@pytest.mark.parametrize("batch", [1, 5, 1000])
def test_batches_change_nothing(workspace, monkeypatch, batch):
    monkeypatch.setattr(frozen_features, "_TOKENS", batch)
    found = np.array(SMALL.load(workspace).train.inputs)
    monkeypatch.undo()
    monkeypatch.setattr(corpora, "EXPECTED", {})
    (folder,) = (workspace / "datasets" / "FrozenFeatures").iterdir()
    shutil.rmtree(folder)
    expected = SMALL.load(workspace).train.inputs
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_damaged_features_are_named(workspace):
    SMALL.prepare(workspace)
    (path,) = (workspace / "datasets" / "FrozenFeatures").glob("6-*/train.npy")
    whole = path.read_bytes()
    for content in (whole[:-7], whole + bytes(3), b""):
        path.write_bytes(content)
        assert not SMALL.is_prepared(workspace)
        sizes = re.compile(rf"\b{len(whole)}\b.*\b{len(content)}\b")
        for call in (SMALL.load, SMALL.prepare):
            with refuses("data-file-damaged", path=path, why=sizes):
                call(workspace)


def test_features_that_were_changed_are_named(workspace):
    SMALL.prepare(workspace)
    (path,) = (workspace / "datasets" / "FrozenFeatures").glob("6-*/validation.npy")
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + bytes(4))
    assert not SMALL.is_prepared(workspace)
    with refuses("data-file-damaged", path=path):
        SMALL.load(workspace)
    path.write_bytes(whole)
    assert SMALL.is_prepared(workspace)
    (path.parent / "written.json").write_text("[1]")
    with refuses("data-file-damaged", path=path.parent / "written.json"):
        SMALL.load(workspace)


def test_a_proportion_is_one_number_and_not_nothing(workspace):
    assert dataclasses.replace(SMALL, proportion=1)._folder(workspace) == SMALL._folder(workspace)
    with refuses("proportion-is-none", proportion=0.01, positions=36):
        dataclasses.replace(SMALL, proportion=0.01).load(workspace)


def test_computing_that_fails_leaves_nothing(workspace, monkeypatch):
    def fail(*args):
        raise RuntimeError("no memory")

    monkeypatch.setattr(FrozenFeatures, "_write", fail)
    with pytest.raises(RuntimeError):
        SMALL.load(workspace)
    assert not list((workspace / "datasets" / "FrozenFeatures").iterdir())


def test_the_text_is_what_is_missing(tmp_path):
    sentence = FrozenFeatures().missing(tmp_path)
    assert all(name in sentence for name in ("FrozenFeatures", "TinyPTB", "ptb.train.txt"))
    assert not FrozenFeatures().is_prepared(tmp_path)
    with refuses("data-not-here", MissingDataError, dataset="FrozenFeatures") as caught:
        FrozenFeatures().load(tmp_path)
    assert str(caught.value) == sentence


def test_sizes_of_the_paper():
    for width in (1200, 600, 300, 100):
        dataset = FrozenFeatures(width)
        assert dataset.facts == Facts(71_680, 80_896)
        assert (dataset.num_inputs, dataset.num_classes) == (width, 9922)
    assert FrozenFeatures(proportion=0.1).facts == Facts(7168, 8089)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("width", 1, "not-an-integer"),
        ("proportion", 0, "not-a-share"),
        ("proportion", 1.5, "not-a-share"),
        ("seed", None, "not-an-integer"),
        ("text", "PTB", "wrong-kind"),
    ],
)
def test_impossible_values_are_refused(field, value, code):
    with refuses(code, field=field, kind="FrozenFeatures", value=value):
        FrozenFeatures(**{field: value})


@pytest.mark.slow
def test_a_linear_model_trains_on_them(workspace):
    problem = Problem(Linear(6, 9), SMALL, CrossEntropy(), FullBatch())
    one = Experiment(problem, SGD(LearningRate(-1)), "frozen", steps=20, per_class=True)
    results = run(one, workspace)
    losses = results.table["tr_CrossEntropyLoss"]
    assert losses.iloc[-1] < losses.iloc[0] - 0.2
    assert Experiment.from_json(one.to_json()) == one
