"""Files of data sets that cannot be read for want of access, memory or handles are not damaged."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
from errors import refuses

from optexp_jax.datasets import frozen_features
from optexp_jax.datasets.imagenet import subset
from optexp_jax.datasets.imagenet.split import ImageSplit
from optexp_jax.datasets.imagenet.tree import Part
from optexp_jax.datasets.text import encode, tokens
from optexp_jax.errors import UnreadableError, UnwritableError, machine_error, tell_from_damage
from optexp_jax.schedulers.manifest import Manifest


class Source:
    """Files of images that the machine refuses to open."""

    folder = Path("images")

    def read(self, part, name, key):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def image():
    part = Part(np.array([b"a/b.png"]), np.zeros(1, np.int32), np.zeros(1, np.int8))
    return ImageSplit(Source(), "train", part, 8, False, (0, 0, 0), (1, 1, 1)).image(0)


READ = {
    "the manifest of an array": lambda path: Manifest.read(path),
    "a selection of images": lambda path: subset._read(path, None),
    "what is known of tokens": lambda path: encode.tokens_in(path, "train"),
    "what is known of features": lambda path: frozen_features._written(path),
    "an image": lambda path: image(),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_the_machine_is_blamed_and_not_the_file(read, tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_text", refuse)
    with refuses("path-unreadable", UnreadableError, cause="Too many open files"):
        read(tmp_path / "file")


def test_a_tokenizer_that_cannot_be_opened(tmp_path, monkeypatch):
    class Library:
        class Tokenizer:
            @staticmethod
            def from_file(path):
                raise Exception("Permission denied (os error 13)")

    path = tmp_path / "tokenizer.json"
    path.touch()
    monkeypatch.setattr(tokens, "library", Library)
    with refuses("path-unreadable", UnreadableError, cause=re.compile("Permission denied")):
        tokens.saved(path, 9, lambda: None)


@pytest.mark.parametrize("error", [OSError("not a npy file"), ValueError("bad"), EOFError()])
def test_damage_is_no_error_of_the_machine(error, tmp_path):
    assert machine_error(error) is None
    tell_from_damage(tmp_path, error)


def test_what_a_chain_of_errors_began_with_is_found():
    try:
        try:
            raise MemoryError
        except MemoryError as inner:
            raise UnwritableError("no") from inner
    except UnwritableError as outer:
        found = machine_error(outer)
    assert isinstance(found, MemoryError)
