"""A run whose class was changed since says so, instead of giving its old rows in silence."""

import warnings

import pytest
from changing_class import imported
from small_problems import experiment, random_problem

import optexp_jax
from optexp_jax import identity
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.store import RunFolder

__all__ = ["imported"]  # a fixture


def test_changed_code_is_said_and_a_comment_is_no_change(imported, tmp_path):
    one = imported()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optexp_jax.run(one, workspace=tmp_path)
        same = imported(docstring="Another.", comment="because")
        optexp_jax.run(same, workspace=tmp_path)
    changed = imported(factory="adam")
    assert changed.id == one.id
    assert RunFolder(tmp_path, changed).changed_classes() == ["test-changing"]
    with pytest.warns(UserWarning, match="code of 'test-changing' has changed since 1 run") as told:
        optexp_jax.run(changed, workspace=tmp_path)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optexp_jax.run(changed, workspace=tmp_path, force=True)
        optexp_jax.run(changed, workspace=tmp_path)


def test_classes_of_the_library_are_known_by_its_version():
    assert identity.sources_of(experiment(random_problem(), SGD(LearningRate(-1)))) == {}
