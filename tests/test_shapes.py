"""Wrong shapes are refused while tests run; without jaxtyping, annotations are plain arrays."""

import subprocess
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import TypeCheckError

from optexp_jax import analysis, targets
from optexp_jax.analysis import OutputLayer
from optexp_jax.losses import functions
from optexp_jax.per_class import frequency_groups, mean_by_group
from optexp_jax.plotting import losses_by_group

TWO_DIMENSIONS = np.ones((2, 3)) / 3
LAYER = OutputLayer(jnp.zeros((4, 3)))
WIDE = (jnp.ones((2, 5)), jnp.array([0, 1]))  # the layer takes 4 features


def features_of(inputs):
    model = nn.Dense(3)
    variables = model.init(jax.random.key(0), jnp.ones((2, 4)))
    return analysis.feature_extractor(model, "")(variables, inputs)


WRONG = {
    "losses.functions": lambda: functions.cross_entropy(jnp.ones((4, 3)), jnp.ones((5,), int)),
    "targets": lambda: targets.without_padding(jnp.float32(1)),
    "analysis.features": lambda: features_of(jnp.float32(1)),
    "analysis.flows": lambda: analysis.flow_margin(np.ones(3), np.ones(2) / 2, 2),
    "analysis.flows.steps": lambda: analysis.steps_in_the_simple_setting(
        optax.sgd(1.0), TWO_DIMENSIONS, 1
    ),
    "analysis.hessian": lambda: analysis.block_traces(LAYER, [WIDE], [0]),
    "analysis.rows": lambda: analysis.row_statistics(LAYER, [WIDE]),
    "analysis.zipf": lambda: analysis.gd_remaining(1, TWO_DIMENSIONS),
    "analysis.zipf.slope": lambda: analysis.slope(np.ones(3), np.ones(2)),
    "plotting.arrays": lambda: losses_by_group(
        {"SGD": np.ones((2, 3))}, [1, 2, 3], steps=TWO_DIMENSIONS
    ),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_a_wrong_shape_is_refused(call):
    with pytest.raises(TypeCheckError):
        call()


def test_functions_of_frequencies_refuse_wrong_shapes_themselves():
    with pytest.raises(ValueError):
        frequency_groups(TWO_DIMENSIONS, 2)
    with pytest.raises(ValueError):
        mean_by_group(np.ones(2), [1, 2, 3], [[0]])


ANNOTATED = (
    "optexp_jax.analysis.flows",
    "optexp_jax.analysis.zipf",
    "optexp_jax.analysis",
    "optexp_jax.frequency",
    "optexp_jax.losses",
    "optexp_jax.metrics",
    "optexp_jax.per_class",
    "optexp_jax.plotting",
    "optexp_jax.targets",
)


CODE = """
import sys; sys.modules["jaxtyping"] = None  # as if it were not installed
import typing
from importlib import import_module
flows, zipf = [import_module(name) for name in sys.argv[1:]][:2]
assert typing.get_type_hints(zipf.slope)["sizes"].__name__ == "ndarray"
assert float in typing.get_args(typing.get_type_hints(flows.flow_loss)["time"])
"""


@pytest.mark.slow
def test_modules_need_no_jaxtyping_and_their_hints_are_arrays():
    command = [sys.executable, "-c", CODE, *ANNOTATED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
