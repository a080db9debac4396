"""Of several processes that want a data set, one prepares it."""

import fcntl
import threading

import pytest
from errors import refuses

from optexp_jax.datasets import (
    MNIST,
    PTB,
    BarcodedMNIST,
    ColouredMNIST,
    Digits,
    FashionMNIST,
    ImageNet,
    SmallImageNet,
    TinyPTB,
    TinyWikiText2,
    WikiText2,
)
from optexp_jax.datasets.data import InFiles, silent
from optexp_jax.datasets.frozen_features import FrozenFeatures
from optexp_jax.datasets.preparing import prepare_once


@pytest.fixture
def workspace(tmp_path):
    return tmp_path / "ws"


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


def test_a_workspace_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    lock = tmp_path / "file" / "datasets" / ".Slow.lock"
    with refuses("data-unwritable", path=lock, cause="Not a directory"):
        prepare_once(Slow(), tmp_path / "file")
