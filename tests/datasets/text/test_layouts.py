"""Layouts: streams, sequences, and merged classes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_texts import slow_streams

from optexp_jax.datasets.text import (
    PTB,
    Sequences,
    Streams,
    TinyPTB,
    WikiText103,
)
from optexp_jax.datasets.text.layouts import merged, sequences, streams
from optexp_jax.problem import MiniBatch


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 7))
def test_streams_agree_with_a_loop(number, batch, length):
    tokens = np.arange(5, number + 5, dtype=np.uint8)
    chunks = list(slow_streams(tokens.tolist(), batch, length))
    split = streams(tokens, batch, length)
    assert split.inputs.shape == split.labels.shape == (len(chunks) * batch, length)
    assert split.inputs.dtype == np.uint8
    for row, (inputs, targets) in enumerate(itertools.chain.from_iterable(chunks)):
        padding = length - len(inputs)
        assert split.inputs[row].tolist() == inputs + [0] * padding
        assert split.labels[row].tolist() == targets + [-1] * padding
    assert (split.labels >= 0).sum() == Streams(batch, length).targets(number)


@given(st.integers(0, 60), st.integers(1, 7))
def test_sequences_agree_with_a_loop(number, length):
    tokens = np.arange(number)
    starts = [i for i in range(0, number, length) if i + length < number]
    split = sequences(tokens, length)
    assert split.inputs.tolist() == [list(range(i, i + length)) for i in starts]
    assert split.labels.tolist() == [list(range(i + 1, i + length + 1)) for i in starts]
    assert Sequences(length).targets(number) == split.labels.size


def tokens_of_no_memory(number):
    return np.broadcast_to(np.uint16(7), number)


def test_chunks_of_ptb_are_those_of_the_paper():
    split = PTB().layout.split(tokens_of_no_memory(924_412))
    assert len(split) == 52 * 512
    assert MiniBatch(512, shuffle=False).steps_per_epoch(len(split)) == 52
    assert (split.labels >= 0).sum() == 923_648 == PTB().facts.train
    by_chunk = (split.labels.reshape(52, 512, 35) >= 0).sum(axis=(1, 2)) // 512
    assert by_chunk.tolist() == [35] * 51 + [19]


def test_chunks_of_tiny_ptb_are_those_of_the_paper():
    split = TinyPTB().layout.split(tokens_of_no_memory(73_339))
    assert len(split) == 2 * 1024
    assert (split.labels >= 0).sum() == split.labels.size == 71_680 == TinyPTB().facts.train


def test_sequences_of_wikitext103_are_those_of_the_paper():
    split = WikiText103().layout.split(tokens_of_no_memory(109_836_289))
    assert split.labels.shape == split.inputs.shape == (107_262, 1024)
    assert split.labels.size == 109_836_288


def test_sequences_are_views_and_labels_the_next_tokens():
    tokens = np.arange(1000, dtype=np.uint16)
    split = sequences(tokens, 8)
    assert np.shares_memory(split.inputs, tokens)
    assert np.shares_memory(split.labels, tokens)
    assert np.array_equal(split.labels, split.inputs + 1)


@given(st.integers(1, 9))
def test_merged_labels_are_quotients_and_padding_stays(factor):
    split = streams(np.arange(23), 2, 4)
    labels = merged(split, factor).labels
    expected = [-1 if t < 0 else t // factor for t in split.labels.ravel().tolist()]
    assert labels.ravel().tolist() == expected
    assert merged(split, factor).inputs is split.inputs


@pytest.mark.parametrize("layout", [Streams(2, 3), Sequences(3)])
def test_texts_too_short_make_no_rows(layout):
    for number in range(2):
        assert layout.targets(number) == len(layout.split(np.arange(number))) == 0
