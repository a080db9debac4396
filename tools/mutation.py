"""Mutation testing: change one thing of a source file at a time, and see whether a test notices.

The changes are those of mutmut, such as `<` to `<=`, 1 to 2 or an argument to None, and some names
such as `min` to `max`; `pip install mutmut` first. Decorators, annotations, texts and what is
raised stay as they are. Packages are imported once; each change is tried in a process of its own,
which reads the changed text in place of the file. It needs a system with fork. Keep compiled
programs in a folder, JAX_COMPILATION_CACHE_DIR: then a change takes 1 to 10 seconds of a core.

Command: python -m tools.mutation optexp_jax/frequency.py [--at-most 40] [--seed 0] [--only 7 12]
"""

from __future__ import annotations

import argparse
import difflib
import importlib.machinery
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TYPES_STAY = "optim/test_contract.py::test_dtypes_and_shapes_stay"
# Fast tests of a file or folder, beside its examples and the file of tests that has its name.
ALSO = {
    **{"frequency": "test_per_class.py", "per_class": "test_class_sums.py"},
    "losses": "test_losses.py training/test_targets.py",
    "optim/aliases": "optim/test_contract.py",
    "optim/base": "optim/test_any_optax.py optim/test_modifiers.py",
    "optim/factories": "optim/test_any_optax.py",
    "optim/injection": "optim/test_modifiers.py optim/test_contract.py",
    "optim/newer": "optim/test_any_optax.py reference/test_newer_optimizers.py",
    "optim/modifiers": TYPES_STAY,
    "optim/partitioned": f"{TYPES_STAY} optim/test_roles.py",
    "optim/schedules": "optim/test_modifiers.py",
    **dict.fromkeys(("optim/adam_mini", "optim/soap"), "reference/test_newer_optimizers.py"),
    "optim/spec_checks": "optim/test_spec_values.py optim/test_learning_rate.py",
    "optim/specs": "optim/test_spec_values.py optim/test_modifiers.py reference/test_optimizers.py",
    "optim/transforms": "optim/test_directions.py optim/test_contract.py",
}
# Imported once for all processes; no backend of JAX is started, which no fork survives.
PACKAGES = ("pytest", "jax", "optax", "optax.contrib", "flax.linen", "pandas", "scipy.stats")
SWAPPED = {
    **{"min": "max", "any": "all", "minimum": "maximum", "zeros_like": "ones_like", "sum": "mean"},
    **{"max": "min", "all": "any", "maximum": "minimum", "abs": "square", "mean": "sum"},
}
LONGEST = 120  # seconds for one change


def changes(source: str) -> Iterator[str]:
    """The texts of a file with one change each."""
    cst, mutators = (importlib.import_module(n) for n in ("libcst", "mutmut.mutation.mutators"))
    module = cst.parse_module(source)
    kept = (cst.Annotation, cst.Decorator, cst.Raise, cst.Import, cst.ImportFrom, cst.BaseString)

    def fixed(node: Any) -> bool:
        parts = getattr(node, "targets", [node])
        names = {getattr(getattr(part, "target", None), "value", "") for part in parts}
        return isinstance(node, kept) or not names.isdisjoint({"__all__", "appearance"})

    def nodes(node: Any) -> Iterator[Any]:
        if not fixed(node):
            yield node
            for child in node.children:
                yield from nodes(child)

    for node in nodes(module):
        if isinstance(node, cst.Name) and node.value in SWAPPED:
            yield module.deep_replace(node, node.with_changes(value=SWAPPED[node.value])).code
        for kind, operator in mutators.mutation_operators:
            for new in operator(node) if isinstance(node, kind) else ():
                yield module.deep_replace(node, new).code


def outcome(path: Path, text: str, tests: list[str]) -> str:
    """What the tests say where a file has another text: `unnoticed`, `noticed` or `late`."""
    child = os.fork()
    if child == 0:
        try:
            os.setpgid(0, 0)  # so that its own processes end with it
            os.dup2(os.dup2(os.open(os.devnull, os.O_WRONLY), 1), 2)
            _exchange(path.resolve(), text)
            # Before pytest reads files itself, to rewrite what they assert.
            importlib.import_module(".".join(path.with_suffix("").parts))
            options = ["-x", "-n0", "-Wignore:Module already imported", "--hypothesis-seed=0"]
            os._exit(importlib.import_module("pytest").main([*options, *tests]))
        finally:
            os._exit(1)
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "noticed" if status else "unnoticed"
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "late"


def _exchange(file: Path, text: str) -> None:
    """Let imports of this process read a text in place of a file, and no compiled form of it."""
    loader = importlib.machinery.SourceFileLoader
    read, times = loader.get_data, loader.path_stats

    def get_data(self: Any, path: str) -> bytes:
        return text.encode() if Path(path) == file else read(self, path)

    def path_stats(self: Any, path: str) -> Any:
        if Path(path) == file:
            raise OSError
        return times(self, path)

    loader.get_data, loader.path_stats = get_data, path_stats


def fast_tests(path: Path) -> list[str]:
    """The tests of a file, its examples among them."""
    name = path.relative_to("optexp_jax").with_suffix("")
    own = Path("tests", name.parent, f"test_{name.name}.py")
    also = ALSO.get(str(name), ALSO.get(str(name.parent), "")).split()
    return [str(path), *[str(own)] * own.exists(), *(f"tests/{test}" for test in also)]


def main() -> None:
    """Print what no test notices in a file, and how many changes there are."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--at-most", type=int, default=10**6, help="how many changes are tried")
    parser.add_argument("--seed", type=int, default=0, help="which ones are tried")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the changes to try")
    given = parser.parse_args()
    # JAX reads these when it is imported; else it keeps only what takes a second to compile.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    source, tests = given.path.read_text(encoding="utf-8"), fast_tests(given.path)
    found = list(dict.fromkeys(changes(source)))
    for package in PACKAGES:
        importlib.import_module(package)
    if outcome(given.path, source, tests) != "unnoticed":
        raise SystemExit("The tests fail without any change, or are not done in time.")
    some = random.Random(given.seed).sample(range(len(found)), min(given.at_most, len(found)))
    told: Counter[str] = Counter()
    for n in given.only or sorted(some):
        what = outcome(given.path, found[n], tests)
        told[what] += 1
        if what != "noticed":
            diff = difflib.ndiff(source.splitlines(), found[n].splitlines())
            print(f"{n} {what}:", *(line for line in diff if line[0] in "+-"), sep="\n", flush=True)
    counts = ", ".join(f"{number} {what}" for what, number in told.items())
    print(f"{given.path}: {len(found)} changes, {told.total()} tried: {counts}")


if __name__ == "__main__":
    main()
