"""Gradient flow and sign flow in closed form, if every class has its own input.

Every example of class k is x = e_k of R^c, a share π_k of the examples is of class k, there is no
bias and W starts at zero. The columns of W decouple; the margin u = w_kk - w_jk of class k obeys
u' = c π / (e^u + c - 1) under gradient flow, and the loss of the class is log(1 + (c - 1) e^-u).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.integrate import solve_ivp

from optexp_jax.shapes import Float, Shaped

# One number, or an array of them.
Values = Shaped[np.ndarray, "*#shape"] | float
if TYPE_CHECKING:
    PerValue = np.ndarray
else:  # of one number NumPy makes one number
    PerValue = Float[np.ndarray, "*shape"] | np.floating

_NEWTON = 60
_TIGHT = 1e-12


def loss_of_margin(margin: Values, num_classes: int) -> PerValue:
    """The loss of a class from its margin, log(1 + (c - 1) e^-u), in nats."""
    return np.logaddexp(0, np.log(num_classes - 1) - np.asarray(margin))


def flow_margin(time: Values, frequency: Values, num_classes: int) -> PerValue:
    """The margin u of a class under gradient flow, which solves e^u + (c - 1) u = 1 + c π t.

    Args:
        time: t from 0, broadcast against `frequency`; steps times its learning rate.
        frequency: share π of the examples.
        num_classes: c from 2.

    Returns:
        margins, the shape of both together.

    >>> print(flow_margin(np.array([0.0, 1.0]), 0.5, 2).round(4))
    [0.     0.4429]

    Source: the paper, lemma 5, without its overflow.
    """
    z = num_classes - 1
    right = 1 + num_classes * np.asarray(frequency, np.float64) * np.asarray(time, np.float64)
    # Newton from above on a convex increasing function goes down and never past the root.
    u = np.minimum((right - 1) / z, np.log(right))
    for _ in range(_NEWTON):
        value, slope = np.exp(u) + z * u - right, np.exp(u) + z
        u = u - value / slope
    return u


def flow_loss(time: Values, frequency: Values, num_classes: int) -> PerValue:
    """The loss of a class under gradient flow; it depends on π t only and falls as 1 / (π t).

    Args:
        time: t from 0.
        frequency: share π of the examples.
        num_classes: c from 2.

    >>> print(flow_loss(np.array([1.0, 10.0]), np.array([1.0, 0.1]) / 2.928968, 10).round(5))
    [2.00651 2.00651]

    Source: the paper, theorem 3 and lemma 6.
    """
    return loss_of_margin(flow_margin(time, frequency, num_classes), num_classes)


def integrated_flow_margin(
    times: Shaped[np.ndarray, " T"], frequency: float, num_classes: int
) -> Float[np.ndarray, " T"]:
    """The same by integration of the differential equation, for comparison.

    Args:
        times: increasing, from 0, `[T]`.
        frequency: share π of the examples.
        num_classes: c from 2.

    Returns:
        margins `[T]`.
    """

    def slope(_: float, u: np.ndarray) -> np.ndarray:
        return num_classes * frequency / (np.exp(u) + num_classes - 1)

    span = (float(times[0]), float(times[-1]))
    solved = solve_ivp(slope, span, [0.0], "DOP853", t_eval=times, rtol=_TIGHT, atol=_TIGHT)
    return solved.y[0]


def sign_flow_loss(time: Values, num_classes: int) -> PerValue:
    """The loss of every class under the flow of the sign, log(1 + (c - 1) e^-2t): the same for all.

    The printed theorem 3 has e^-ct, which inserts the margin of the gradient flow; with w_kk = t
    and w_jk = -t the margin is 2 t.

    Args:
        time: t from 0; steps times learning rate of sign descent.
        num_classes: c from 2.

    >>> print(sign_flow_loss(np.array([1.0, 2.0]), 10).round(5))
    [0.79661 0.15258]

    Source: the paper, lemma 7, corrected.
    """
    return loss_of_margin(2 * np.asarray(time, np.float64), num_classes)


def steps_in_the_simple_setting(
    optimizer: optax.GradientTransformation, frequencies: Shaped[np.ndarray, " c"], steps: int
) -> Float[np.ndarray, "{steps}+1 c"]:
    """Losses of an optimizer's own steps in this setting, to lay over the flows.

    Args:
        optimizer: any optax transformation.
        frequencies: shares of the examples, `[c]`.
        steps: number of steps.

    Returns:
        the loss of each class before every step and after the last, `[steps + 1, c]`.

    >>> print(steps_in_the_simple_setting(optax.sgd(1.0), np.array([0.75, 0.25]), 1).round(3))
    [[0.693 0.693]
     [0.387 0.576]]
    """
    shares = jnp.asarray(frequencies, jnp.result_type(float))

    def losses(weights: jax.Array) -> jax.Array:
        return -jnp.diag(jax.nn.log_softmax(weights, axis=0))  # column k is the input of class k

    def step(carry: tuple[jax.Array, optax.OptState], _: None):
        weights, state = carry
        gradient = jax.grad(lambda w: shares @ losses(w))(weights)
        updates, state = optimizer.update(gradient, state, weights)
        new: jax.Array = weights + updates  # pyright: ignore[reportOperatorIssue]
        return (new, state), losses(weights)

    start = jnp.zeros((len(shares), len(shares)), shares.dtype)
    (last, _), rows = jax.lax.scan(step, (start, optimizer.init(start)), None, steps)
    return np.asarray(jnp.concatenate([rows, losses(last)[None]]))
