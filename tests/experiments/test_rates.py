"""The file of step sizes of small runs, whole or damaged."""

import json

import pytest

from experiments.small import planned, rates
from experiments.small.form import form_of
from experiments.vision import mnist_only
from optexp_jax.errors import OptexpError


@pytest.fixture
def pilot_of(tmp_path, monkeypatch):
    """Puts another file of step sizes in place of the one that comes with the code."""

    def put(content):
        path = tmp_path / "pilot.json"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(rates, "PILOT", path)
        return path

    rates.pilot.cache_clear()
    yield put
    rates.pilot.cache_clear()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"\xff\xfe{}", "is damaged ("),
        (b'{"GPT": {"Adam', "is damaged ("),
        (b"[]", "is damaged ("),
        (b'{"GPT": []}', "is damaged ("),
        (b'{"GPT": {"Adam": 3}}', "is damaged ("),
    ],
)
def test_step_sizes_that_are_not_whole_are_named_with_what_brings_them_back(
    pilot_of, content, words
):
    path = pilot_of(content)
    with pytest.raises(OptexpError) as refused:
        planned(mnist_only.experiments)
    message = str(refused.value)
    assert str(path) in message
    assert words in message
    assert "git checkout" in message


def test_a_step_size_that_is_not_there_is_named(pilot_of):
    stored = json.loads(rates.PILOT.read_text(encoding="utf-8"))
    family = form_of(mnist_only.experiments[0]).name
    del stored[family]["SGD"]["exponent"]
    pilot_of(json.dumps(stored).encode())
    with pytest.raises(OptexpError, match=r"no step size of SGD for .*--family"):
        planned(mnist_only.experiments)
