"""Classes say their names where they are written, and are found by them from anywhere."""

import subprocess
import sys

import pytest

from optexp_jax import registry


def in_a_new_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "SGD",
        "PTB",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("Linear", "Weighted", "MiniBatch")),
    ],
)
def test_a_class_of_the_library_is_found_before_anything_imported_it(name):
    code = f"from optexp_jax.registry import class_of; print(class_of('{name}').__name__)"
    assert in_a_new_process(code).strip() == name


def test_a_name_of_the_library_is_taken_before_its_class_is_imported():
    code = """
import dataclasses
from optexp_jax import register
@register("FrozenFeatures")
@dataclasses.dataclass(frozen=True)
class Mine:
    size: int = 1
"""
    assert "is taken by optexp_jax.datasets.frozen_features" in in_a_new_process(code)


def test_classes_of_the_library_have_the_names_they_are_written_under():
    ours = {n: c for n, c in registry.registered().items() if registry.is_ours(c)}
    ours.pop("coin", None)  # of a docstring
    assert len(ours) >= 63
    # Names are for ever: a class that is renamed keeps its old one, and is an exception here.
    assert all(name == cls.__name__ for name, cls in ours.items())


def test_a_name_that_nobody_has_is_none():
    assert registry.class_of("test-nobody") is None
    assert registry.name_of(int) is None
