"""`python -m optexp_jax.datasets`, as a user meets it."""

import signal

import pytest
from fake_images import write_four
from PIL import Image

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
    assert "1,111 classes; 4,000 training targets; validation on the same" in out
    assert cells(out, "  ■ 4")[1:] == ["1,000", "1,000", "25.0%", "1"]
    assert "Training targets of a class against its rank" in out
    picture = workspace / "plots" / "datasets" / "HeavyTailedOneHot.png"
    assert f"Picture: {picture}" in out
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


def test_describe_prepares_what_is_here(capsys, workspace):
    code, out, _ = call(capsys, "describe", "Shakespeare")
    assert code == 0
    assert "8,000 classes; 941,504 training targets; 106,368 validation targets" in out
    assert CATALOGUE["Shakespeare"].is_prepared(workspace)
    _, out, _ = call(capsys, "list")
    assert cells(out, "Shakespeare")[-2:] == ["yes", "yes"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["describe", "PTB"], "The data set PTB is not here: no ptb.train.txt, "),
        (["describe", "ptbb"], "No data set is called 'ptbb': did you mean PTB or TinyPTB? `py"),
        (["prepare", "x"], "No data set is called 'x': `python -m optexp_jax.datasets list` s"),
        (["prepare"], "the following arguments are required: NAME; --help explains the options."),
        ([], "the following arguments are required: list|describe|prepare; --help explains the "),
        (["describe", "Digits", "--groups", "0"], "argument --groups: '0' is not a whole number"),
        (["prepare", "TinyPTB"], "The data set TinyPTB cannot be fetched (no connection): place"),
        (["prepare", "ImageNet"], "The data set ImageNet is not here: no train and val in "),
    ],
)
def test_mistakes_are_one_sentence(capsys, disconnected, argv, sentence):
    code, _, err = call(capsys, *argv)
    assert code == 2
    assert err.startswith(f"error: {sentence}")
    assert err.count("\n") == 1


def test_one_that_cannot_be_prepared_does_not_keep_the_others(capsys, workspace, disconnected):
    code, out, err = call(capsys, "prepare", "PTB", "Digits")
    assert code == 2
    assert "Digits is ready." in out
    assert err.startswith("error: The data set PTB cannot be fetched (no connection)")
    for name, source in (("BarcodedMNIST", "MNIST"), ("FrozenFeatures", "TinyPTB")):
        code, _, err = call(capsys, "prepare", name)
        assert code == 2
        made = f"error: The data set {name} is made from {source}, which cannot be fetched (no con"
        assert err.startswith(made)


def test_what_is_damaged_is_named(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000))
    path = workspace / "datasets" / "MNIST" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-5] + bytes([99] * 5))
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert cells(out, "BarcodedMNIST")[-1] == "damaged"
    assert f"BarcodedMNIST: {path} does not hold what MNIST has: expected labels up to 9, f" in out
    path.write_bytes(path.read_bytes()[:-5])
    _, out, _ = call(capsys, "list")
    assert cells(out, "MNIST")[-2:] == ["yes", "no"]
    code, _, err = call(capsys, "prepare", "MNIST")
    assert code == 2
    assert err.startswith(f"error: {path} is cut short: expected 60008 bytes, found 60003; remove")


def test_prepare_brings_data_sets_here(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000), ".gz")
    code, out, _ = call(capsys, "prepare", "mnist", "Digits", "GaussianMixture")
    assert code == 0
    assert "MNIST: unpacking" in out
    for line in ("MNIST is ready.", "Digits is ready.", "GaussianMixture is ready without being"):
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
    assert (code, err) == (128 + number, "Interrupted. What was recorded is kept.\n")
    assert "ready" not in out
