"""Texts are written and read as UTF-8, whatever the locale."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("optexp_jax", "experiments", "plots", "tools", "docs", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
BINARY = ("os.open", "Image.open", "gzip.open", "tarfile.open")
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
    opens = name == "open" and ast.unparse(call.func) not in BINARY
    return opens and not any("b" in mode for mode in modes) and "members" not in ast.unparse(call)


def test_no_text_is_in_the_encoding_of_the_locale():
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)[:60]}"
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and in_the_encoding_of_the_locale(call)
    ]
    assert found == []
