"""Workspaces with small texts."""

import pytest
from small_texts import TEST, TRAIN, VALID, place

from optexp_jax.datasets.text import (
    corpora,
)


@pytest.fixture
def expected_nothing(monkeypatch):
    monkeypatch.setattr(corpora, "EXPECTED", {})


@pytest.fixture
def small_ptb(tmp_path, expected_nothing):
    place(tmp_path, corpora.PTB, [TRAIN, VALID, TEST])
    return tmp_path
