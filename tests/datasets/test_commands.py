"""`python -m optexp_jax.datasets`, as a user meets it."""

import re
import signal

import pytest
from fake_images import write_four
from PIL import Image
from wording import is_told

from optexp_jax.datasets import (
    MNIST,
    Digits,
)  # fmt: skip
from optexp_jax.datasets.__main__ import main
from optexp_jax.datasets.catalogue import CATALOGUE
from optexp_jax.datasets.data import silent


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))
    return tmp_path / "ws"


def call(capsys, *argv):
    """Exit code, output and error output of the command."""
    try:
        code = main(list(argv))
    except SystemExit as stopped:
        code = stopped.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def cells(out, name):
    """The cells of a row of a table."""
    (line,) = (line for line in out.splitlines() if line.startswith(f"│ {name} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_list_shows_every_data_set_without_a_network(capsys, no_network):
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert all(cells(out, name)[0] == name for name in CATALOGUE)
    row = cells(out, "RandomHeavyTailedLabels")
    assert row[1:] == ["2,047", "22,528", "= train", "1,024", "yes", "drawn"]
    assert cells(out, "PTB")[1:] == ["9,922", "923,648", "72,704", "?", "no", "no"]
    assert cells(out, "TinyStories")[1:] == ["10,000", "?", "?", "?", "no", "no"]
    assert cells(out, "Digits")[1:] == ["10", "1,500", "297", "1.0", "yes", "yes"]


@pytest.mark.slow
def test_list_counts_what_is_prepared_and_was_not_known(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000))
    _, out, _ = call(capsys, "list")
    assert cells(out, "MNIST")[-2:] == ["yes", "yes"]
    row = cells(out, "BarcodedMNIST")
    assert row[1:4] == ["10,250", "101,200", "20,240"]
    assert 1000 < int(row[4].replace(",", "")) < 1200


def test_describe_draws_classes_by_rank(capsys, workspace):
    code, out, _ = call(capsys, "describe", "heavytailedonehot")
    assert code == 0
    assert re.search(r"\b1,111\b.*\b4,000\b", out)  # classes, training targets
    assert cells(out, "  ■ 4")[1:] == ["1,000", "1,000", "25.0%", "1"]
    picture = workspace / "plots" / "datasets" / "HeavyTailedOneHot.png"
    assert str(picture) in out
    with Image.open(picture) as image:
        assert image.width > 1000
    assert picture.with_suffix(".pdf").stat().st_size < 300_000


def test_describe_takes_a_number_of_groups_and_draws_no_inputs(capsys, monkeypatch):
    refuse = lambda *_: pytest.fail("2.2 GB were drawn")  # noqa: E731
    monkeypatch.setattr(type(CATALOGUE["RandomHeavyTailedLabels"]), "load", refuse)
    code, out, _ = call(capsys, "describe", "RandomHeavyTailedLabels", "--groups", "2")
    assert code == 0
    assert "■ 2" in out
    assert "■ 3" not in out


@pytest.mark.slow
def test_describe_prepares_what_is_here(capsys, workspace):
    code, out, _ = call(capsys, "describe", "Shakespeare")
    assert code == 0
    assert re.search(r"\b8,000\b.*\b941,504\b.*\b106,368\b", out)  # classes and targets
    assert CATALOGUE["Shakespeare"].is_prepared(workspace)
    _, out, _ = call(capsys, "list")
    assert cells(out, "Shakespeare")[-2:] == ["yes", "yes"]


@pytest.mark.parametrize(
    ("argv", "told", "words"),
    [
        (["describe", "PTB"], None, ["PTB", "ptb.train.txt"]),
        (["describe", "ptbb"], "unknown-data-set", ["'ptbb'", "PTB", "TinyPTB"]),
        (["prepare", "x"], "unknown-data-set", ["'x'", "`python -m optexp_jax.datasets list`"]),
        (["prepare"], None, ["NAME", "--help"]),
        ([], None, ["list|describe|prepare", "--help"]),
        (["describe", "Digits", "--groups", "0"], None, ["--groups", "'0'"]),
        (["prepare", "TinyPTB"], "cannot-fetch", ["TinyPTB"]),
        (["prepare", "ImageNet"], None, ["ImageNet", "train and val"]),
    ],
)
def test_mistakes_are_one_sentence(capsys, disconnected, argv, told, words):
    code, _, err = call(capsys, *argv)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told is None or is_told(told, err)
    assert all(word in err for word in words)


def test_one_that_cannot_be_prepared_does_not_keep_the_others(capsys, workspace, disconnected):
    code, out, err = call(capsys, "prepare", "PTB", "Digits")
    assert code == 2
    assert "Digits is ready." in out
    assert is_told("cannot-fetch", err, dataset="PTB")
    for name, source in (("BarcodedMNIST", "MNIST"), ("FrozenFeatures", "TinyPTB")):
        code, _, err = call(capsys, "prepare", name)
        assert code == 2
        assert name in err
        assert source in err


def test_what_is_damaged_is_named(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000))
    path = workspace / "datasets" / "MNIST" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-5] + bytes([99] * 5))
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert cells(out, "BarcodedMNIST")[-1] == "damaged"
    line = next(line for line in out.splitlines() if line.startswith("BarcodedMNIST: "))
    assert is_told("other-content", line, path=path, dataset="MNIST")
    path.write_bytes(path.read_bytes()[:-5])
    _, out, _ = call(capsys, "list")
    assert cells(out, "MNIST")[-2:] == ["yes", "no"]
    code, _, err = call(capsys, "prepare", "MNIST")
    assert code == 2
    assert is_told("idx-wrong-size", err, path=path, expected=60008, found=60003)


@pytest.mark.slow
def test_prepare_brings_data_sets_here(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000), ".gz")
    code, out, _ = call(capsys, "prepare", "mnist", "Digits", "GaussianMixture")
    assert code == 0
    assert "MNIST: unpacking" in out
    for line in (
        "MNIST is ready.",
        "Digits is ready.",
        "GaussianMixture is ready: it is generated",
    ):
        assert line in out
    assert MNIST().is_prepared(workspace)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("reports", [0, 1])
def test_a_signal_stops_preparing_though_python_loses_its_exception(
    capsys, monkeypatch, number, reports
):
    def prepare(self, workspace, report=silent):
        signal.raise_signal(number)
        for _ in range(reports):
            report("half", 1, 2)
            pytest.fail("it went on")

    monkeypatch.setattr(Digits, "is_prepared", lambda *_: False)
    monkeypatch.setattr(Digits, "prepare", prepare)
    code, out, err = call(capsys, "prepare", "Digits")
    assert (code, err.count("\n")) == (128 + number, 1)
    assert "ready" not in out
