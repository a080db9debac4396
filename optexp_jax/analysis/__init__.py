"""Analyse how an optimizer treats each class.

Gradients and Hessians of any model by row of its softmax output layer, and the problems that the
paper solves in closed form.

>>> import jax.numpy as jnp
>>> from optexp_jax.analysis import OutputLayer, row_statistics
>>> layer = OutputLayer(jnp.zeros((2, 3)), jnp.zeros(3))
>>> rows = row_statistics(layer, [(jnp.array([[3.0, 4.0]]), jnp.array([1]))])
>>> print(rows.hessian_trace.round(3))
[5.556 5.556 5.556]
"""

from optexp_jax.extras import require

require("run", "flax", "scipy")

from optexp_jax.analysis.features import feature_extractor, head_of, output_layer
from optexp_jax.analysis.flows import (
    flow_loss,
    flow_margin,
    integrated_flow_margin,
    loss_of_margin,
    sign_flow_loss,
    steps_in_the_simple_setting,
)
from optexp_jax.analysis.hessian import block_traces, hessian_entries
from optexp_jax.analysis.rows import OutputLayer, RowStatistics, row_statistics
from optexp_jax.analysis.zipf import (
    gd_remaining,
    gd_steps_to,
    sgd_excess,
    sign_remaining,
    sign_steps_to,
    slope,
)

__all__ = [
    "OutputLayer",
    "RowStatistics",
    "block_traces",
    "feature_extractor",
    "flow_loss",
    "flow_margin",
    "gd_remaining",
    "gd_steps_to",
    "head_of",
    "hessian_entries",
    "integrated_flow_margin",
    "loss_of_margin",
    "output_layer",
    "row_statistics",
    "sgd_excess",
    "sign_flow_loss",
    "sign_remaining",
    "sign_steps_to",
    "slope",
    "steps_in_the_simple_setting",
]
