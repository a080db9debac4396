"""A run whose class was changed since says so, instead of giving its old rows in silence."""

import importlib.util
import linecache
import sys
import textwrap
import warnings

import pytest
from small_problems import experiment, random_problem

import optexp_jax
from optexp_jax import identity, registry
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.results.store import RunFolder

CODE = '''
import dataclasses
import optax
from optexp_jax import register
from optexp_jax.optim import LearningRate, inject_rate

@register("test-changing")
@dataclasses.dataclass(frozen=True)
class Changing:
    """{docstring}"""

    learning_rate: LearningRate

    def build(self):
        # {comment}
        return inject_rate(optax.{factory}, self.learning_rate)
'''


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Imports a module with the class, as another process would."""
    path = tmp_path / "changing.py"

    def load(**texts):
        words = {"docstring": "One.", "comment": "why", "factory": "sgd"} | texts
        path.write_text(textwrap.dedent(CODE.format(**words)))
        importlib.invalidate_caches()
        monkeypatch.delitem(registry._CLASS_OF, "test-changing", raising=False)
        spec = importlib.util.spec_from_file_location("changing", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "changing", module)
        linecache.checkcache()
        spec.loader.exec_module(module)
        return experiment(random_problem(), module.Changing(LearningRate(-1)), steps=1)

    return load


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
