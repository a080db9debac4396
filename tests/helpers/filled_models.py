"""Models with parameters filled by NumPy, where how they start does not matter."""

import jax
import numpy as np

from optexp_jax.models.functional import functional


def filled(model, inputs):
    """Parameters and state of a model, N(0, 0.3²); variances and weights of norms around one.

    Nothing is compiled: initialisers of a small network take JAX longer than all else of a test.
    """
    rng = np.random.default_rng(0)

    def fill(path, leaf):
        name = path[-1].key
        centre = 1.0 if name in ("scale", "var") else 0.0
        values = centre + 0.3 * rng.normal(size=leaf.shape)
        return np.abs(values).astype(leaf.dtype) if centre else values.astype(leaf.dtype)

    shapes = jax.eval_shape(functional(model).init, jax.random.key(0), inputs)
    return jax.tree_util.tree_map_with_path(fill, shapes)
