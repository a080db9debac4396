"""Where the source raises errors of ours: their codes, and their sentences as templates."""

import ast
import dataclasses
import functools
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("optexp_jax", "experiments", "plots", "tools")


@dataclasses.dataclass(frozen=True)
class Site:
    """A place that makes an error.

    Args:
        where: file and line.
        code: None where it is not written as a literal.
        sentence: with `{name}` for a named value and `{...}` for anything else.
    """

    where: str
    code: str | None
    sentence: str


@functools.cache
def trees() -> dict[str, ast.Module]:
    """The source, by file."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths
    }


@functools.cache
def error_classes() -> frozenset[str]:
    """Names of `OptexpError` and of all classes below it."""
    bases = {
        node.name: {_last(base) for base in node.bases}
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"OptexpError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return frozenset(found)


def sites() -> Iterator[Site]:
    """All places that make an error, by file."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _makes_an_error(node):
                given = {k.arg: k.value for k in node.keywords if k.arg}
                code = given.pop("code", None)
                literal = code.value if isinstance(code, ast.Constant) else None
                sentence = _template(node.args[0], given, tree) if node.args else "{...}"
                yield Site(f"{path}:{node.lineno}", literal, sentence)


def bare_raises() -> list[str]:
    """Places that raise a class without a sentence."""
    return [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.exc and _last(node.exc) in error_classes()
    ]


def _makes_an_error(call: ast.Call) -> bool:
    """A call of an error class, by its name or as a variable; not one that passes another on."""
    if _last(call.func) in error_classes():
        return True
    code = next((k.value for k in call.keywords if k.arg == "code"), None)
    return isinstance(code, ast.Constant)


def _template(sentence: ast.expr, values: dict[str, ast.expr], tree: ast.Module) -> str:
    if isinstance(sentence, ast.Constant):
        return str(sentence.value)
    if isinstance(sentence, ast.Name):
        return _constant(sentence.id, tree) or "{...}"
    if not isinstance(sentence, ast.JoinedStr):
        return "{...}"
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else _placeholder(part, values, tree)
        for part in sentence.values
    )


def _placeholder(part: ast.expr, values: dict[str, ast.expr], tree: ast.Module) -> str:
    assert isinstance(part, ast.FormattedValue)
    source = ast.unparse(part.value)
    if text := _constant(source, tree):
        return text
    # A list of names is joined in the sentence only, and a cause may be cut there.
    source = re.sub(r"^'[^']*'\.join\((.*)\)$|^(.*)\[:200\]$", r"\1\2", source)
    names = {_untupled(ast.unparse(value)): name for name, value in values.items()}
    conversion = f"!{chr(part.conversion)}" if part.conversion >= 0 else ""
    spec = ast.unparse(part.format_spec)[2:-1] if part.format_spec else ""
    name = names.get(_untupled(source), "...")
    return f"{{{name}{conversion}{':' + spec if spec else ''}}}"


def _untupled(source: str) -> str:
    """A collection, without being made a tuple."""
    return re.sub(r"^tuple\((.*)\)$", r"\1", source)


def _constant(name: str, tree: ast.Module) -> str | None:
    """A text that a module gives a name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
    return None


def _last(node: ast.expr) -> str:
    """The name at the end of `module.Name`."""
    return ast.unparse(node).split(".")[-1]
