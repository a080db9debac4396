"""The best runs of each method as a LaTeX table (package booktabs)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from optexp_jax.optim import LearningRate, has_rate
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_runs, score
from optexp_jax.results.summary import method_names

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def best_table(results: Sequence[Results]) -> str:
    """Make a table of each method at its best hyperparameters: mean and range of its final loss.

    Args:
        results: runs of one problem and length.

    Returns:
        a `tabular` with rules of booktabs; methods without a finished run are not in it.

    Raises:
        OptexpError: runs of several problems or lengths.

    Source: `selection.best_runs` chooses the hyperparameters.
    """
    best = best_runs(results)
    names = method_names(r.experiment.optimizer for r in results)
    rows = [_row(names[method], runs) for method, runs in best.items()]
    lines = [
        r"\begin{tabular}{llrrr}",
        r"\toprule",
        r"Method & Learning rate & Mean & Range & Seeds \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, runs: Sequence[Results]) -> str:
    scores = np.array([score(r) for r in runs])
    optimizer = runs[0].experiment.optimizer
    low, high = number(float(scores.min())), number(float(scores.max()))
    cells = (
        escaped(name),
        rate(optimizer.learning_rate) if has_rate(optimizer) else "--",
        number(float(scores.mean())),
        f"{low} to {high}" if len(scores) > 1 else "--",
        str(len(scores)),
    )
    return " & ".join(cells) + r" \\"


def escaped(text: str) -> str:
    r"""Escape the special characters of LaTeX.

    >>> print(escaped("50% of a_b"))
    50\% of a\_b
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def rate(learning_rate: LearningRate) -> str:
    """Format a learning rate as a power.

    >>> rate(LearningRate("-3/2"))
    '$10^{-3/2}$'
    """
    return f"${learning_rate.base}^{{{learning_rate.exponent}}}$"


def number(value: float) -> str:
    r"""Format a number to four digits, with powers of ten.

    >>> number(0.123456), number(1.5e-7), number(2e30)
    ('0.1235', '$1.5 \\times 10^{-7}$', '$2 \\times 10^{30}$')
    """
    found = re.fullmatch(r"(.+)e([-+])0*(\d+)", f"{value:.4g}")
    if not found:
        return f"{value:.4g}"
    sign = "-" if found[2] == "-" else ""
    return rf"${found[1]} \times 10^{{{sign}{found[3]}}}$"
