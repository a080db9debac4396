"""Named optimizers in optax's manner: each a chain and nothing else.

The paper normalises first and accumulates afterwards: m = momentum · m + d, w -= learning_rate · m
with d the direction. All take floats, schedules or injected rates as `learning_rate`.
"""

from __future__ import annotations

import optax

from optexp_jax.optim import transforms


def _descent(
    direction: optax.GradientTransformation,
    learning_rate: optax.ScalarOrSchedule,
    momentum: float | None,
) -> optax.GradientTransformation:
    return optax.chain(
        direction,
        optax.identity() if momentum is None else optax.trace(momentum),
        optax.scale_by_learning_rate(learning_rate),
    )


def sign_descent(
    learning_rate: optax.ScalarOrSchedule, momentum: float | None = None
) -> optax.GradientTransformation:
    """Sign descent: d = sign(g), momentum after the sign (`optax.signum` takes it before).

    Args:
        learning_rate: how far each entry moves, a float or a schedule over steps.
        momentum: decay of the accumulated directions, None for none.

    Returns:
        an optax transformation; invariant to the scale of the gradient.

    >>> import jax.numpy as jnp
    >>> tx = sign_descent(0.1)
    >>> print(tx.update(jnp.array([-5.0, 0.0, 2.0]), tx.init(jnp.zeros(3)))[0])
    [ 0.1 -0.  -0.1]

    Source: the paper, section 2.3.
    """
    return _descent(optax.scale_by_sign(), learning_rate, momentum)


def normalized_gd(
    learning_rate: optax.ScalarOrSchedule, momentum: float | None = None
) -> optax.GradientTransformation:
    """Normalised gradient descent: d = g / ‖g‖₂ over all parameters jointly, momentum after it.

    Args:
        learning_rate: length of a step, a float or a schedule over steps.
        momentum: decay of the accumulated directions, None for none.

    Returns:
        an optax transformation; invariant to the scale of the gradient, zero for a zero gradient.

    >>> import jax.numpy as jnp
    >>> tx = normalized_gd(1.0)
    >>> print(tx.update(jnp.array([30.0, 40.0]), tx.init(jnp.zeros(2)))[0])
    [-0.6 -0.8]

    Source: the paper, section 2.3.
    """
    return _descent(transforms.normalize_by_norm(), learning_rate, momentum)


def block_normalized_gd(
    learning_rate: optax.ScalarOrSchedule, momentum: float | None = None
) -> optax.GradientTransformation:
    """Block-normalised gradient descent: every leaf divided by its own L2 norm, then momentum.

    Args:
        learning_rate: length of a step of each leaf, a float or a schedule over steps.
        momentum: decay of the accumulated directions, None for none.

    Returns:
        an optax transformation; invariant to the scale of each leaf's gradient.

    >>> import jax.numpy as jnp
    >>> tx, gradient = block_normalized_gd(1.0), {"a": jnp.array([3.0, 4.0]), "b": jnp.array([9.0])}
    >>> print(tx.update(gradient, tx.init(gradient))[0]["b"])
    [-1.]
    """
    return _descent(transforms.normalize_by_block_norm(), learning_rate, momentum)


def column_normalized_gd(
    learning_rate: optax.ScalarOrSchedule, momentum: float | None = None
) -> optax.GradientTransformation:
    """Column-normalised gradient descent: the weights of every output divided by their L2 norm.

    Args:
        learning_rate: length of a step of each column, a float or a schedule over steps.
        momentum: decay of the accumulated directions, None for none.

    Returns:
        an optax transformation; invariant to the scale of each column's gradient.

    >>> import jax.numpy as jnp
    >>> tx, gradient = column_normalized_gd(1.0), jnp.array([[3.0, 0.0], [4.0, 2.0]])
    >>> print(tx.update(gradient, tx.init(gradient))[0][1])
    [-0.8 -1. ]
    """
    return _descent(transforms.normalize_by_column_norm(), learning_rate, momentum)


def scaled_sign_descent(
    learning_rate: optax.ScalarOrSchedule, momentum: float | None = None
) -> optax.GradientTransformation:
    """Sign descent scaled by the L1 norm of the gradient: d = ‖g‖₁ sign(g), momentum after it.

    Args:
        learning_rate: a float or a schedule over steps.
        momentum: decay of the accumulated directions, None for none.

    Returns:
        an optax transformation, steepest descent in the maximum norm.

    >>> import jax.numpy as jnp
    >>> tx = scaled_sign_descent(0.5)
    >>> print(tx.update(jnp.array([-1.0, 3.0]), tx.init(jnp.zeros(2)))[0])
    [ 2. -2.]

    Source: the authors' code (not in the paper's text).
    """
    return _descent(transforms.scale_sign_by_l1_norm(), learning_rate, momentum)


def adagrad(
    learning_rate: optax.ScalarOrSchedule, eps: float = 1e-10
) -> optax.GradientTransformation:
    """Adagrad with eps outside the root: s += g², w -= learning_rate · g / (√s + eps).

    Args:
        learning_rate: a float or a schedule over steps.
        eps: added to the root of the summed squares.

    Returns:
        an optax transformation; `optax.adagrad` puts eps inside the root instead.

    >>> import jax.numpy as jnp
    >>> tx = adagrad(0.1)
    >>> print(tx.update(jnp.array([-5.0, 0.0]), tx.init(jnp.zeros(2)))[0])
    [ 0.1 -0. ]

    Source: the authors' code.
    """
    return optax.chain(
        transforms.scale_by_adagrad(eps), optax.scale_by_learning_rate(learning_rate)
    )
