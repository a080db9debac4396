"""A small tree of real image files, and workspaces that hold it."""

import shutil

import pytest
from image_trees import write_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    write_tree(folder)
    return folder


@pytest.fixture(autouse=True)
def no_tfds(monkeypatch, tmp_path):
    """No copy of TFDS of the user is found."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "no-tfds"))


@pytest.fixture
def workspace(tree, tmp_path):
    """Linked, so that no test writes into the tree; nothing is prepared."""
    folder = tmp_path / "workspace" / "datasets" / "ImageNet"
    folder.mkdir(parents=True)
    for part in ("train", "val"):
        (folder / part).symlink_to(tree / part)
    return tmp_path / "workspace"


@pytest.fixture
def own(tree, tmp_path):
    """A workspace with a tree of its own, that a test may change, and its folder."""
    folder = tmp_path / "own" / "datasets" / "ImageNet"
    shutil.copytree(tree, folder)
    return tmp_path / "own", folder
