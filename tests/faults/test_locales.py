"""Texts are written and read as UTF-8, whatever the locale."""

import ast
import json
from pathlib import Path

import pytest

from experiments.small import planned, thinned
from experiments.vision import mnist_only
from optexp_jax.errors import OptexpError

ROOT = Path(__file__).parents[2]
FOLDERS = ("optexp_jax", "experiments", "plots", "docs", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PROCESSES = ("run", "Popen", "check_output")


def in_the_encoding_of_the_locale(call):
    """Whether a call opens a text without saying how it is encoded."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or "encoding" in given:
        return False
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("read_text", "write_text"):
        method = isinstance(call.func, ast.Attribute)
        return (
            method and ast.unparse(call.func.value) != "checked_files"
        )  # a module of ours, in UTF-8
    if name in PROCESSES:
        return "text" in given or "universal_newlines" in given
    constants = [a.value for a in [*call.args, *given.values()] if isinstance(a, ast.Constant)]
    modes = [
        value for value in constants if isinstance(value, str) and set(value) <= set("rwaxbt+")
    ]
    opens = name == "open" and ast.unparse(call.func) not in ("os.open", "Image.open", "gzip.open")
    return opens and not any("b" in mode for mode in modes) and "members" not in ast.unparse(call)


def test_no_text_is_in_the_encoding_of_the_locale():
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:60]}"
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and in_the_encoding_of_the_locale(call)
    ]
    assert found == []


@pytest.fixture
def pilot_of(tmp_path, monkeypatch):
    """Puts another file of step sizes in place of the one that comes with the code."""

    def put(content):
        path = tmp_path / "pilot.json"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(thinned, "PILOT", path)
        return path

    thinned.pilot.cache_clear()
    yield put
    thinned.pilot.cache_clear()


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
    stored = json.loads(thinned.PILOT.read_text(encoding="utf-8"))
    family = thinned.form_of(mnist_only.experiments[0]).name
    del stored[family]["SGD"]["exponent"]
    pilot_of(json.dumps(stored).encode())
    with pytest.raises(OptexpError, match=r"no step size of SGD for .*--family"):
        planned(mnist_only.experiments)
