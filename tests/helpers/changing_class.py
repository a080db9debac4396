"""A class of the user whose code changes between runs."""

import importlib.util
import linecache
import sys
import textwrap

import pytest
from small_problems import experiment, random_problem

from optexp_jax import registry
from optexp_jax.optim import LearningRate

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
