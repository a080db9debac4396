"""Classes of somebody else, in a module outside of the repository: named once, used everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from wording import is_told

import optexp_jax

ROOT = Path(optexp_jax.__file__).parents[1]

# Each class has what is required of its kind, and nothing else.
MODULE = '''
"""An optimizer, a data set, a loss and a model of my own."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from optexp_jax import Experiment, LearningRate, Problem, lr_grid, register
from optexp_jax.cli import main
from optexp_jax.datasets import Data, Split
from optexp_jax.metrics import TopK
from optexp_jax.optim import SGD, inject_rate


@register("my-rmsprop")
@dataclasses.dataclass(frozen=True)
class MyRMSProp:
    learning_rate: LearningRate
    kind: str = "plain"

    def build(self):
        return inject_rate(optax.rmsprop, self.learning_rate, decay=0.9)


@register("my-data")
@dataclasses.dataclass(frozen=True)
class MyData:
    size: int = 12

    num_classes = 3
    num_groups = 3
    input_shape = (4,)

    def load(self, workspace):
        labels = np.repeat(np.arange(3, dtype=np.int32), [6, 4, 2])
        return Data(Split(np.eye(3, 4, dtype=np.float32)[labels], labels), np.bincount(labels))

    def groups(self, class_counts, n_groups=None):
        return tuple(np.arange(3)[:, None])


@register("my-loss")
@dataclasses.dataclass(frozen=True)
class MyLoss:
    name = "HuberLoss"
    recorded_is_optimised = True

    def per_example(self, logits, labels):
        error = jax.nn.one_hot(labels, logits.shape[-1]) - logits
        return jnp.where(labels >= 0, optax.huber_loss(error).sum(-1), 0.0)

    def build(self, class_counts):
        return lambda z, y: (self.per_example(z, y).sum(), (y >= 0).sum().astype(z.dtype))


@register("my-metric")
@dataclasses.dataclass(frozen=True)
class MyMetric:
    name = "Margin"

    def per_example(self, logits, labels):
        return jnp.where(labels >= 0, logits.max(-1) - logits.mean(-1), 0.0)


@register("my-model")
class MyModel(nn.Module):
    width: int = 5

    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(3)(nn.tanh(nn.Dense(self.width)(inputs)))


problem = Problem(MyModel(), MyData(), MyLoss())
rates = lr_grid(-2, -1)
optimizers = [
    *(MyRMSProp(rate, kind) for kind in ("plain", "other") for rate in rates),
    *(SGD(rate) for rate in rates),
]
fields = {"group": "mine", "steps": 9, "per_class": True, "metrics": (MyMetric(), TopK(2))}
experiments = [Experiment(problem, o, **fields) for o in optimizers]

if __name__ == "__main__":
    main(experiments)
'''


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """Call the module; returns what it printed. The runs are done."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text(MODULE, encoding="utf-8")

    def call(*args, code=(), rc=0):
        env = os.environ | {"OPTEXP_WORKSPACE": str(folder / "ws"), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, *(code or ["mine.py"]), *args],
            cwd=folder, env=env, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == rc, done.stdout + done.stderr
        return done.stderr if rc else done.stdout

    call("--local")
    call.workspace = folder / "ws"
    return call


def test_they_are_trained_and_every_rate_is_its_own(mine):
    code = (
        "from mine import experiments; from optexp_jax import load_results\n"
        "ends = [load_results(e).table['tr_HuberLoss'].iloc[-1] for e in experiments]\n"
        "import json; print(json.dumps(ends))"
    )
    ends = json.loads(mine(code=["-c", code]))
    plain, other, sgd = ends[:2], ends[2:4], ends[4:]
    assert plain == other  # which differ in a field that nothing depends on
    assert len({*plain, *sgd}) == 4


DRAWN = [
    (),
    ("--perclass",),
    ("--use_steps", "--step", "5"),
    ("--metric", "Top2Accuracy"),
    ("--metric", "tr_Margin", "--perclass"),
]


@pytest.mark.slow
@pytest.mark.parametrize("options", DRAWN)
def test_they_are_drawn(mine, options):
    for path in mine.workspace.rglob("*.pdf"):
        path.unlink()
    mine("--plot", *options)
    drawn = list(mine.workspace.rglob("*.pdf"))
    assert drawn
    assert all(path.stat().st_size > 1000 for path in drawn)
    assert all(("_tr_" in path.stem) == ("--metric" in options) for path in drawn)


def test_a_metric_that_was_not_recorded_is_refused_with_those_that_were(mine):
    said = mine("--plot", "--metric", "Top9Accuracy", rc=2)
    assert is_told("not-recorded", said, metric="tr_Top9Accuracy")
    assert "tr_Margin" in said


def test_they_are_reported(mine):
    assert "MyRMSProp" in mine("--report")


def test_a_class_that_says_nothing_has_its_name_and_a_free_look(mine):
    code = (
        "from mine import experiments; from optexp_jax.plotting import style\n"
        "from optexp_jax.results.selection import method_of\n"
        "methods = list(dict.fromkeys(method_of(e.optimizer) for e in experiments))\n"
        "looks = style.looks(methods, experiments[0].problem.batching).values()\n"
        "import json; print(json.dumps([(k.label, k.color, k.marker) for k in looks]))"
    )
    plain, other, sgd = json.loads(mine(code=["-c", code]))
    assert (plain[0], other[0]) == ("MyRMSProp (kind = plain)", "MyRMSProp (kind = other)")
    assert sgd == ["GD", "#D55E00", "o"]
    assert plain[1:] == other[1:]
    assert plain[1] not in ("#D55E00", "#000000")


@pytest.mark.slow
def test_a_rate_that_is_no_data_runs_too(mine, tmp_path):
    code = (
        "import dataclasses, optax, optexp_jax, mine\n"
        "@optexp_jax.register('my-fixed')\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Fixed:\n"
        "    learning_rate: optexp_jax.LearningRate\n"
        "    def build(self): return optax.sgd(float(self.learning_rate))\n"
        "one = dataclasses.replace(mine.experiments[0], optimizer=Fixed(mine.rates[0]))\n"
        "(results,) = optexp_jax.run([one])\n"
        "print(results.status)"
    )
    assert mine(code=["-c", code]).split()[-1] == "done"
