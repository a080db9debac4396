"""Gradient and sign descent on a linear bigram model under Zipf's law, in closed form.

The model is a table of weights, a row for each word, which starts at zero and learns the
distribution of the next word by the squared loss. Losses are shares of the loss at the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from optexp_jax.shapes import Float, Shaped

Law = Float[np.ndarray, " d"]

_RATES = np.logspace(-0.5, 0.5, 101)  # of sign descent that are tried, times π_1 / steps


def gd_remaining(steps: float, law: Law) -> float:
    """The share of the loss that gradient descent leaves: Σ π_k (1 - π_k / π_1)^2t.

    Its learning rate is 1 / π_1, at which the first word is fitted in one step.

    Args:
        steps: t, steps taken; need not be whole.
        law: frequencies π_k of words, the most frequent first, `[d]`.

    >>> from optexp_jax.frequency import zipf_law
    >>> round(gd_remaining(1, zipf_law(3, 1.0)), 4)
    0.149
    """
    shares = np.minimum(law / law[0], 1 - 1e-12)  # the first word is fitted after one step
    return float(np.sum(law * np.exp(2 * steps * np.log1p(-shares))))


def gd_steps_to(share: float, law: Law) -> float:
    """Steps, not whole, until gradient descent at the rate 1 / π_1 leaves a share of the loss.

    >>> from optexp_jax.frequency import zipf_law
    >>> [round(gd_steps_to(0.1, zipf_law(d, 1.0)), 1) for d in (100, 1000, 10_000)]
    [26.5, 186.6, 1360.8]
    """
    return _first(lambda t: gd_remaining(t, law) <= share)


def sign_remaining(steps: int, rate: float, law: Law) -> float:
    """The share of the loss that sign descent at a constant rate leaves; every word's is the same.

    An entry goes to its target π_j by steps of the rate, and then jumps over it and back.

    Args:
        steps: steps taken.
        rate: length of a step of an entry.
        law: frequencies π_j of the words after any word, `[d]`.
    """
    whole = np.floor(law / rate)  # steps that stay below the target
    rest = law - whole * rate
    jumped = np.where((steps - whole) % 2 == 0, rest, rest - rate)
    errors = np.where(steps <= whole, law - steps * rate, jumped)
    return float(np.sum(errors**2) / np.sum(law**2))


def sign_steps_to(share: float, law: Law) -> tuple[int, float]:
    """Steps until sign descent leaves a share of the loss, and the constant rate that is fastest.

    The share is left at the next step, too: after an even number of steps from zero, entries whose
    target is below the rate are back at zero, as if they had not jumped.

    >>> from optexp_jax.frequency import zipf_law
    >>> [sign_steps_to(0.1, zipf_law(d, 1.0))[0] for d in (100, 1000)]
    [14, 58]
    """

    def best(steps: int) -> tuple[float, float]:
        rates = law[0] / steps * _RATES
        lasting = [max(sign_remaining(t, r, law) for t in (steps, steps + 1)) for r in rates]
        at = int(np.argmin(lasting))
        return lasting[at], float(rates[at])

    steps = math.ceil(_first(lambda t: best(math.ceil(t))[0] <= share))
    return steps, best(steps)[1]


def sgd_excess(
    steps: Shaped[np.ndarray, " rows"] | Sequence[float], law: Law, rate: float, batch: int
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """Bias and variance of SGD on pairs of words, whose sum is the mean excess loss.

    The weights are w_k ← w_k + rate / batch · Σ (e_j - w_k) over the pairs (k, j) of a batch, drawn
    independently. So the mean error of row k shrinks by 1 - rate π_k, and its mean square E_k by
    a = (1 - rate π_k)² + rate² π_k (1 - π_k) / batch, while every step adds
    b = rate² π_k (1 - ‖p‖²) / batch.

    Args:
        steps: t, `[rows]`.
        law: frequencies π_k, `[d]`; rows p_k are permutations of it.
        rate: learning rate.
        batch: pairs of a step.

    Returns:
        ½ Σ π_k (1 - rate π_k)^2t ‖p‖², the loss of gradient descent; and ½ Σ π_k E_k less that.
    """
    t, square = np.asarray(steps, float)[:, None], float(np.sum(law**2))
    shrunk = (1 - rate * law) ** 2
    a = shrunk + rate**2 * law * (1 - law) / batch
    b = rate**2 * law * (1 - square) / batch
    mean = shrunk**t * square
    squares = a**t * square + b * (1 - a**t) / (1 - a)
    return 0.5 * mean @ law, 0.5 * (squares - mean) @ law


def slope(sizes: Shaped[np.ndarray, " n"], steps: Shaped[np.ndarray, " n"]) -> float:
    """The exponent s of steps ∝ size^s, by least squares on logarithms.

    >>> round(slope(np.array([10, 100]), np.array([3.0, 30.0])), 6)
    1.0
    """
    return float(np.polyfit(np.log(sizes), np.log(steps), 1)[0])


def _first(is_done: Callable[[float], bool]) -> float:
    """The least t, to four digits, from which a condition holds."""
    low, high = 0.0, 1.0
    while not is_done(high):
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if is_done(middle) else (middle, high)
    return high
