"""`python -m optexp_jax.datasets` and `--prepare`, as a user meets them."""

import fcntl
import signal
import threading

import numpy as np
import pytest
import requests
from fake_images import write_four
from PIL import Image

from optexp_jax import Experiment, LearningRate, Problem, load_results, run
from optexp_jax.datasets import (
    MNIST,
    PTB,
    BarcodedMNIST,
    ColouredMNIST,
    Digits,
    FashionMNIST,
    ImageNet,
    SmallImageNet,
    Split,
    TinyPTB,
    TinyWikiText2,
    WikiText2,
)  # fmt: skip
from optexp_jax.datasets.__main__ import main
from optexp_jax.datasets.data import InFiles, silent
from optexp_jax.datasets.preparing import prepare_once
from optexp_jax.errors import OptexpError
from optexp_jax.frozen_features import FrozenFeatures
from optexp_jax.launch import cli, groups
from optexp_jax.launch.catalogue import CATALOGUE
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTEXP_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))
    return tmp_path / "ws"


@pytest.fixture
def disconnected(monkeypatch):
    """No machine is connected, wherever the test runs."""

    def refuse(*args, **kwargs):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "get", refuse)


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


def on(dataset, rate=-1, group="of-files", **fields):
    size = int(np.prod(dataset.input_shape))
    problem = Problem(Linear(size, dataset.num_classes), dataset, CrossEntropy())
    return Experiment(problem, SGD(LearningRate(rate)), group, **({"steps": 2} | fields))


# ------------------------------------------------------------------------------- list


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


# ---------------------------------------------------------------------------- describe


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


# ----------------------------------------------------------------------------- mistakes


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


# ------------------------------------------------------------------------------ prepare


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


class Slow:
    """A data set that takes its time."""

    def __init__(self):
        self.prepared = self.calls = 0
        self.go_on = threading.Event()

    def missing(self, workspace):
        return None

    def is_prepared(self, workspace):
        return bool(self.prepared)

    def prepare(self, workspace, report=silent):
        self.calls += 1
        self.go_on.wait(60)
        self.prepared = 1


def test_of_several_processes_one_prepares(workspace):
    slow, heard = Slow(), []
    assert isinstance(slow, InFiles)

    def report(*what):
        heard.append(what)
        if len(heard) == 2:  # both of the others wait
            slow.go_on.set()

    threads = [
        threading.Thread(target=prepare_once, args=(slow, workspace, report)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow.calls == 1
    assert len(heard) == 2
    assert {what for what, _, _ in heard} == {"waiting for another process that prepares data"}
    with (workspace / "datasets" / ".Slow.lock").open() as handle:  # it was let go
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_data_sets_of_the_same_files_wait_for_each_other(workspace):
    same_files = [
        (MNIST(), MNIST("tiny"), BarcodedMNIST(), ColouredMNIST()),
        (FashionMNIST(), BarcodedMNIST(FashionMNIST())),
        (Digits(), BarcodedMNIST(Digits(), bits=8)),
        (PTB(), TinyPTB(), FrozenFeatures()),
        (WikiText2(), TinyWikiText2()),
        (ImageNet(), SmallImageNet()),
    ]
    origins = [{getattr(d, "origin", type(d).__name__) for d in each} for each in same_files]
    assert [len(each) for each in origins] == [1] * 6
    assert len(set.union(*origins)) == 6
    slow = Slow()
    slow.origin = "Of-many"
    slow.go_on.set()
    prepare_once(slow, workspace)
    assert (workspace / "datasets" / ".Of-many.lock").exists()


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


def test_a_run_whose_data_are_being_prepared_can_be_stopped(capsys, workspace, monkeypatch):
    def prepare(self, workspace, report=silent):
        signal.raise_signal(signal.SIGTERM)
        report("half", 1, 2)
        pytest.fail("it went on")

    monkeypatch.setattr(Digits, "is_prepared", lambda *_: False)
    monkeypatch.setattr(Digits, "prepare", prepare)
    experiments = [on(Digits(flatten=True)), on(Digits(flatten=True), rate=-2)]
    code, out, _ = run_cli(capsys, experiments, "--local")
    assert code == 128 + signal.SIGTERM
    assert "Stopped." in out
    assert {load_results(e, workspace).status for e in experiments} <= {"missing", "queued"}


def test_a_workspace_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OptexpError,
        match=r"file/datasets/\.Slow\.lock cannot be written \(Not a directory\): remove what",
    ):
        prepare_once(Slow(), tmp_path / "file")


# -------------------------------------------------------------- data of experiments


def run_cli(capsys, experiments, *argv):
    with pytest.raises(SystemExit) as stopped:
        cli.main(experiments, argv=list(argv))
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def test_missing_data_are_told_before_anything_begins(capsys, workspace, no_network):
    (one,) = experiments = [on(MNIST(flatten=True))]
    for action in ("--test", "--local", "--single=0"):
        code, _, err = run_cli(capsys, experiments, action)
        assert code == 2
        assert err.startswith("error: The data set MNIST is not here: no train-images-idx3-ubyte")
        assert err.count("\n") == 1
    assert not (workspace / "experiments").exists()
    assert load_results(one, workspace).status == "missing"
    with pytest.raises(OptexpError, match=r"^The data set MNIST is not here"):
        run(one, workspace)


def test_runs_that_have_their_data_are_not_kept_by_others(capsys, workspace):
    digits = on(Digits(flatten=True))
    experiments = [on(MNIST(flatten=True), rate) for rate in (-1, -2)] + [digits]
    code, out, _ = run_cli(capsys, experiments, "--local")
    assert code == 1
    assert "The data set MNIST is not here" in out
    assert "Left out: 2 runs." in out
    assert load_results(digits, workspace).status == "done"
    code, _, err = run_cli(capsys, experiments, "--local")  # nothing else is left
    assert code == 2
    assert err.startswith("error: The data set MNIST is not here")
    with pytest.raises(OptexpError, match=r"^The data set MNIST is not here"):
        run([digits, experiments[0]], workspace)


def test_prepare_brings_the_data_of_a_module_and_names_what_it_cannot(
    capsys, workspace, disconnected
):
    folder = workspace / "datasets" / "MNIST"
    experiments = [on(MNIST(flatten=True)), on(Digits(flatten=True))]
    code, out, err = run_cli(capsys, experiments, "--prepare")
    assert code == 2
    assert "Digits is ready." in out
    assert err.startswith("error: The data set MNIST cannot be fetched (no connection)")
    write_four(folder, (60_000, 10_000), ".gz")
    code, out, err = run_cli(capsys, experiments, "--prepare")
    assert (code, err) == (0, "")
    assert "MNIST is ready." in out
    assert MNIST().is_prepared(workspace)


def test_data_that_are_here_are_prepared_on_the_way(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000), ".gz")
    code, _, _ = run_cli(capsys, [on(MNIST("micro", flatten=True))], "--local")
    assert code == 0
    assert MNIST().is_prepared(workspace)


def test_a_damaged_file_fails_its_runs_in_one_sentence(capsys, workspace):
    write_four(workspace / "datasets" / "MNIST", (60_000, 10_000))
    path = workspace / "datasets" / "MNIST" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-5])
    experiments = [on(MNIST("micro", flatten=True)), on(Digits(flatten=True))]
    code, out, _ = run_cli(capsys, experiments, "--local")
    assert code == 1
    assert f"{path} is cut short: expected 60008 bytes, found 60003; remove it and" in out
    assert [load_results(e, workspace).status for e in experiments] == ["failed", "done"]


def test_every_module_is_prepared_by_one_command(capsys, monkeypatch, disconnected):
    modules = {"a": [on(Digits(flatten=True))], "b": [on(MNIST(flatten=True))]}
    monkeypatch.setattr(groups, "discover", lambda package: modules)
    with pytest.raises(SystemExit) as stopped:
        groups.main("experiments", argv=["--prepare"])
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert "Digits is ready." in captured.out
    assert "The data set MNIST cannot be fetched" in captured.err


# ------------------------------------------------------------------------ the catalogue

OFFLINE = ["HeavyTailedOneHot", "RandomHeavyTailedLabels-8", "RandomHeavyTailedLabels-7",
           "RandomHeavyTailedLabels-7-normal", "RandomHeavyTailedLabels-7-bias",
           "RandomHeavyTailedLabels-7-dim400", "GaussianMixture", "ZipfMandelbrot", "Digits",
           "BarcodedDigits", "Shakespeare", "FrozenFeatures-Shakespeare"]  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("shelf")


@pytest.mark.parametrize("name", OFFLINE)
def test_what_is_loaded_is_what_is_promised(shelf, name):
    dataset = CATALOGUE[name]
    if isinstance(dataset, InFiles):
        assert dataset.missing(shelf) is None
    data = dataset.load(shelf)
    assert isinstance(data.train, Split)
    parts = [data.train] if data.validation is None else [data.train, data.validation]
    for part in parts:
        assert part.inputs.shape[1:] == dataset.input_shape
        assert len(part.inputs) == len(part.labels)
    targets = [int((np.asarray(part.labels) >= 0).sum()) for part in parts] + [0]
    assert (dataset.facts.train, dataset.facts.validation) == tuple(targets[:2])
    counts = data.class_counts
    assert counts.dtype == np.int64
    assert counts.shape == (dataset.num_classes,)
    assert counts.sum() == targets[0]
    present = counts[counts > 0]
    if dataset.facts.ratio is not None:
        assert dataset.facts.ratio == present.max() / present.min()
    groups_of = dataset.groups(counts)
    assert len(groups_of) == dataset.num_groups
    assert sorted(np.concatenate(groups_of)) == np.flatnonzero(counts).tolist()


def test_names_differ_in_more_than_capitals():
    assert len({name.lower() for name in CATALOGUE}) == len(CATALOGUE)


def test_data_sets_that_are_drawn_have_a_seed_here():
    assert all(getattr(dataset, "seed", 0) is not None for dataset in CATALOGUE.values())
