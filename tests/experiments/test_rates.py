"""The file of learning rates of small runs, whole or damaged."""

import json
import re

import pytest
from errors import refuses

from experiments.small import planned, rates
from experiments.small.form import form_of
from experiments.vision import mnist_only


@pytest.fixture
def pilot_of(tmp_path, monkeypatch):
    """Puts another file of learning rates in place of the one that comes with the code."""

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
    "content",
    [None, b"\xff\xfe{}", b'{"GPT": {"Adam', b"[]", b'{"GPT": []}', b'{"GPT": {"Adam": 3}}'],
)
def test_step_sizes_that_are_not_whole_are_named_with_what_brings_them_back(pilot_of, content):
    path = pilot_of(content)
    why = re.compile("No such file or directory" if content is None else "damaged")
    with refuses("pilot-unreadable", why=why) as refused:
        planned(mnist_only.experiments)
    assert str(path) in str(refused.value)
    assert "`git checkout`" in str(refused.value)


def test_a_step_size_that_is_not_there_is_named(pilot_of):
    stored = json.loads(rates.PILOT.read_text(encoding="utf-8"))
    family = form_of(mnist_only.experiments[0]).name
    del stored[family]["SGD"]["exponent"]
    pilot_of(json.dumps(stored).encode())
    with refuses("no-piloted-rate", method="SGD", form=family):
        planned(mnist_only.experiments)
